package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestBlankSaltsAreThoseOfErasedEntries(t *testing.T) {
	b := newBuilder(t)
	b.next(1, 6, 600)
	l := open(t, t.TempDir())
	appendAll(t, l, b.batches)
	if _, err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	if blank, err := l.BlankSalts(0, 6); err != nil || len(blank) != 0 {
		t.Errorf("before: %v, %v", blank, err)
	}
	if err := l.Erase(Span{1, 2}, Span{5, 1}); err != nil {
		t.Fatal(err)
	}
	if blank, err := l.BlankSalts(1, 5); err != nil || len(blank) != 3 || blank[0] != 1 || blank[1] != 2 || blank[2] != 5 {
		t.Errorf("after: %v, %v", blank, err)
	}
	for name, ask := range map[string]func() error{
		"blank salts beyond the end": func() error { _, err := l.BlankSalts(4, 3); return err },
		"no blank salts":             func() error { _, err := l.BlankSalts(4, 0); return err },
		"too many at once":           func() error { _, err := l.BlankSalts(0, MaxLeafRange+1); return err },
		"erasure beyond the end":     func() error { return l.Erase(Span{5, 2}) },
		"erasure of nothing":         func() error { return l.Erase(Span{5, 0}) },
		"erasure, one part beyond":   func() error { return l.Erase(Span{0, 1}, Span{6, 1}) },
	} {
		if err := ask(); !errors.Is(err, ErrOutOfRange) {
			t.Errorf("%s: got %v, want ErrOutOfRange", name, err)
		}
	}
	if blank, _ := l.BlankSalts(0, 1); len(blank) != 0 {
		t.Error("an erasure that was refused has erased a part")
	}
}

// What is cut off is zeros before its blocks are given back: here the file is
// made as long again, which shows what the cut has left of it.
func TestWhatIsCutOffIsOverwritten(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	b.next(1, 2, 600)
	b.next(1, 2, 600)
	l := open(t, dir)
	appendAll(t, l, b.batches)
	sealed := b.batches[1].Bodies[0].Ciphertext
	for _, f := range []fileID{fileBodies, fileSalts} {
		before := b.lengths[1].bytes(f)
		if err := l.destroyTail(f, before); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, f.name()))
		if err != nil || uint64(len(raw)) != b.lengths[2].bytes(f) {
			t.Fatalf("%s: %d bytes, %v", f.name(), len(raw), err)
		}
		if tail := raw[before:]; !bytes.Equal(tail, make([]byte, len(tail))) || bytes.Contains(raw, sealed[:64]) {
			t.Errorf("%s: bytes are left behind the cut", f.name())
		}
		if head := raw[:before]; bytes.Equal(head, make([]byte, len(head))) {
			t.Errorf("%s: what stays is zeros too", f.name())
		}
	}
}
