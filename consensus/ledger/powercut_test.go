//go:build faults

package ledger

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/fault/powercut"
)

func TestAPowerCutTakesNothingThatSyncCovered(t *testing.T) {
	disk, b := powercut.NewDisk(t), newBuilder(t)
	for i := range 6 {
		b.next(uint32(i%2)+1, 20, 400)
	}
	dir := filepath.Join(disk.Path, "ledger")
	for n := range 3 {
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		appendAll(t, l, b.batches[2*n:2*n+1])
		synced, err := l.Sync()
		if err != nil {
			t.Fatal(err)
		}
		appendAll(t, l, b.batches[2*n+1:2*n+2]) // nobody was promised this one
		disk.Cut()
		_ = l.Close() // its disk is gone
		disk.Back()
		if l, err = Open(dir); err != nil {
			t.Fatalf("after power cut %d: %v", n+1, err)
		}
		if got := l.Lengths(); got.Envelopes < synced.Envelopes {
			t.Fatalf("after power cut %d: %d envelopes of %d that were synced", n+1, got.Envelopes, synced.Envelopes)
		}
		if err := l.Truncate(synced); err != nil {
			t.Fatal(err)
		}
		wantHolds(t, l, b, int(synced.Envelopes))
		appendAll(t, l, b.batches[2*n+1:2*n+2])
		if _, err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPowerCutLeavesAFactAsItWasWrittenLast(t *testing.T) {
	disk := powercut.NewDisk(t)
	path := filepath.Join(disk.Path, "cosigned")
	for _, want := range []string{"size 7", "size 9", "size 12"} {
		if err := WriteFileDurable(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		disk.Cut()
		disk.Back()
		got, err := ReadFileDurable(path)
		if err != nil || string(got) != want {
			t.Fatalf("after a power cut: got %q, %v, want %q", got, err, want)
		}
	}
	if err := WriteFileDurable(filepath.Join(disk.Path, "nowhere", "fact"), nil); !errors.Is(err, ErrStorage) {
		t.Errorf("in a directory that is not there: %v, want ErrStorage", err)
	}
}
