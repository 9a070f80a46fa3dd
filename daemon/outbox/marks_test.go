package outbox

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func mark(n byte) Mark {
	return Mark{Entry: [32]byte{n}, Person: [32]byte{n, 1}, Source: [32]byte{n, 2}}
}

func TestMarksOutliveARestartAndAHalfWrittenOneGoes(t *testing.T) {
	dir := t.TempDir()
	reopen := func() *Outbox {
		t.Helper()
		m, err := openMarks(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.file.Close() })
		return &Outbox{marks: m}
	}
	o := reopen()
	if err := o.Mark([]Mark{mark(1), mark(2), mark(1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.marks.file.WriteAt([]byte("half"), o.marks.bytes); err != nil {
		t.Fatal(err)
	}
	o = reopen()
	if err := o.Mark([]Mark{mark(2), mark(3)}); err != nil {
		t.Fatal(err)
	}
	o = reopen()
	for n := byte(1); n <= 4; n++ {
		if person, source := o.Marked(mark(n)); person != (n < 4) || source != (n < 4) {
			t.Errorf("mark %d: person %t, source %t", n, person, source)
		}
	}
	if err := o.marks.forget(map[[32]byte]bool{{2}: true}); err != nil {
		t.Fatal(err)
	}
	for _, now := range []*Outbox{o, reopen()} {
		two, _ := now.Marked(mark(2))
		three, _ := now.Marked(mark(3))
		if two || !three {
			t.Errorf("after 2 was forgotten: 2 %t, 3 %t", two, three)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "marks"))
	if err != nil || len(raw) != 2*markBytes || bytes.Contains(raw, mark(2).append(nil)[:33]) {
		t.Errorf("the file has %d bytes, %v", len(raw), err)
	}
}
