package staticcopy

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus/state"
)

// TestACopyIsFetchedNoFasterThanSet in false time: what a copy gives is paid for as what
// a peer gives.
func TestACopyIsFetchedNoFasterThanSet(t *testing.T) {
	w := newWorld(t, make3(150)...)
	dir := t.TempDir()
	w.export(dir, w.options(true))
	view := w.m.View()
	v := &voter{w: w, view: view, note: w.note(2), rate: 4 << 10}
	all, err := v.Envelopes(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	v.gave.Store(0)
	bytes := 0
	for _, p := range all {
		bytes += len(p.Envelope)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, net: w.net, m: w.m, notes: w.notes}
		source, err := Open("file://"+dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		began := time.Now()
		n := w.open(v, source, t.TempDir())
		defer w.close(n)
		if _, err := n.Wait(t.Context(), func(s *state.State) bool { return s.Tree.Size() == view.Tree.Size() }); err != nil {
			t.Fatal(err)
		}
		took, paid := time.Since(began), time.Duration(bytes)*time.Second/time.Duration(v.rate)
		t.Logf("%d bytes in %v", bytes, took)
		if least := paid - 10*time.Second; took < least-time.Millisecond || took > paid { // a burst of ten seconds is allowed
			t.Errorf("%d bytes at %d a second came within %v, want %v to %v", bytes, v.rate, took, least, paid)
		}
		if v.gave.Load() != 0 {
			t.Errorf("the peer gave %d envelopes", v.gave.Load())
		}
	})
}
