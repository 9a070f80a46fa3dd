package faults

import "testing"

// TestNothingIsLostAtAnyStep runs the test that the page gives for a step, with
// the step in RARESYNC_STEP: it kills a process there, fails if the process
// never comes so far, and looks at what is left.
func TestNothingIsLostAtAnyStep(t *testing.T) {
	b := newBinaries(t)
	list := share(t, rows(t, "Steps"), 16)
	t.Cleanup(func() { t.Logf("proof: killed at %d named steps", len(list)) })
	for _, r := range list {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if out, err := b.run(t, r.pkg, r.test, "RARESYNC_STEP="+r.name); err != nil {
				t.Errorf("killed when %s: %v\n%s", r.what, err, tail(out))
			}
		})
	}
}
