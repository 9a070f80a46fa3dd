package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/registry/envelope"
)

func TestForgottenEntriesMayBeRegisteredAgain(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		groups := [][]Entry{plains("first", 3), plains("second", 4), plains("third", 2)}
		var indexes []uint64
		for i, g := range groups {
			placed := w.add(g)[0]
			w.drain()
			if i == 1 {
				r := w.receipt(placed[2].Sequence)
				for _, e := range []Entry{g[2], g[3]} {
					index, _ := r.Index(e.ID)
					indexes = append(indexes, index)
				}
			}
		}
		held, err := os.Open(filepath.Join(w.dir, "known"))
		must(t, err)
		defer held.Close()
		for range 2 { // it may be repeated
			must(t, w.Forget(append([]uint64{0, 1 << 40}, indexes...)))
		}
		w.wantForgotten(held, groups[1][2], groups[1][3])
		w.restart(w.dir)
		w.wantKnown(groups[0], groups[1][:2], groups[2])
		again := w.add(groups[1][2:])[0]
		if again[0].Known || again[1].Known {
			t.Errorf("an entry that was forgotten is known: %+v", again)
		}
		w.drain()
		r := w.receipt(again[0].Sequence)
		if _, ok := r.Index(groups[1][3].ID); !ok {
			t.Error("its new receipt does not name it")
		}
	})
}

// wantForgotten checks that the ids are in no file, nor in what held had.
func (w *world) wantForgotten(held io.Reader, entries ...Entry) {
	w.t.Helper()
	before, err := io.ReadAll(held)
	must(w.t, err)
	if len(before) == 0 || !bytes.Equal(before, make([]byte, len(before))) {
		w.t.Errorf("the former file still holds %d bytes", len(before))
	}
	must(w.t, filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, e := range entries {
			if bytes.Contains(raw, e.ID[:len("second-0000")]) {
				w.t.Errorf("%s names a forgotten entry", path)
			}
		}
		return err
	}))
}

func TestDrainedWaitsForWhatIsOnItsWay(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.log.line = func(_ *envelope.Envelope, _ func() (consensus.Outcome, error)) (consensus.Outcome, error) {
			return consensus.Outcome{}, errLink
		}
		w.run()
		w.add(plains("waits", 2))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.Drained(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with the line down: %v", err)
		}
		w.log.mu.Lock()
		w.log.line = nil
		w.log.mu.Unlock()
		must(t, w.Drained(t.Context()))
		w.wantInLog(plains("waits", 2))
	})
}

// TestNothingOfAnErasedEntryStaysInTheOutbox looks for the bodies of an envelope
// that is under a receipt in every file of the outbox.
func TestNothingOfAnErasedEntryStaysInTheOutbox(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		placed := w.add(plains("gone", 2))[0]
		raw, err := os.ReadFile(filepath.Join(w.dir, "envelopes", fmt.Sprintf("%020d", placed[0].Sequence)))
		must(t, err)
		if !w.holds(raw[len(raw)/2:][:32]) {
			t.Fatal("the envelope was never there: the search finds nothing")
		}
		w.run()
		r := w.receipt(placed[0].Sequence)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		must(t, w.WaitReleased(ctx, []ledger.Span{{First: r.First, Count: 2}}))
		if w.holds(raw[len(raw)/2:][:32]) {
			t.Error("a file of the outbox still holds the erased entry")
		}
	})
}

// holds reports whether any file of the outbox holds the bytes.
func (w *world) holds(piece []byte) (found bool) {
	w.t.Helper()
	must(w.t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		found = found || bytes.Contains(raw, piece)
		return err
	}))
	return found
}
