package consensus

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsOwedIsFoundAnywhereInAFile(t *testing.T) {
	dir := t.TempDir()
	o, err := loadOwed(dir)
	must(t, err)
	one, other := bytes.Repeat([]byte{7, 9, 250}, 200), bytes.Repeat([]byte{8, 1}, 300)
	o.add(one)
	o.add(make([]byte, 600)) // erased before
	must(t, o.save())
	if o, err = loadOwed(dir); err != nil || len(o.prints) != 1 {
		t.Fatalf("%d pieces after a restart, %v", len(o.prints), err)
	}
	path := filepath.Join(dir, "file")
	for name, tc := range map[string]struct {
		at   int // where it lies; -1: nowhere
		want bool
	}{
		"at the beginning": {0, true}, "at an odd byte": {4097, true}, "across two reads": {1<<20 - 300, true},
		"at the end": {2<<20 - len(one), true}, "nowhere": {-1, false},
	} {
		content := make([]byte, 2<<20)
		copy(content[1000:], other)
		if tc.at >= 0 {
			copy(content[tc.at:], one)
		}
		must(t, os.WriteFile(path, content, 0o600))
		if found, err := o.foundIn(path); err != nil || found != tc.want {
			t.Errorf("%s: found %t, %v", name, found, err)
		}
	}
	must(t, o.end())
	if left, err := loadOwed(dir); err != nil || len(left.prints) != 0 {
		t.Errorf("%d pieces after the end, %v", len(left.prints), err)
	}
}

func TestAWithdrawalThatIsAppliedAgainIsOwedAgain(t *testing.T) {
	dir := t.TempDir()
	var w watermark
	must(t, w.load(dir))
	must(t, w.withdrawn(7)) // for the first time: nothing is written
	must(t, w.set(9))
	must(t, w.withdrawn(12))
	for range 2 {
		if through, _ := w.get(); through != 9 {
			t.Errorf("through %d, want 9", through)
		}
		must(t, w.load(dir))
	}
	_, changed := w.get()
	must(t, w.withdrawn(8))
	select {
	case <-changed:
	default:
		t.Error("nobody is told")
	}
	must(t, w.load(dir))
	if through, _ := w.get(); through != 7 {
		t.Errorf("through %d, want 7", through)
	}
	must(t, os.WriteFile(filepath.Join(dir, erasedFile), []byte("damaged"), 0o600))
	var damaged watermark
	must(t, damaged.load(dir))
	if through, _ := damaged.get(); through != 0 {
		t.Errorf("a damaged mark says %d", through)
	}
}
