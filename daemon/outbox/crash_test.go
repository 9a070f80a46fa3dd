package outbox

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

func TestAnEntryGetsAReceiptAndTheOutboxForgetsItsBytes(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		entries := plains("entry", 5)
		placed := w.add(entries)
		w.drain()
		w.wantInLog(entries)
		w.wantIndexes(entries, placed[0])
		left, err := os.ReadDir(filepath.Join(w.dir, "envelopes"))
		if err != nil || len(left) != 0 {
			t.Errorf("%d envelopes are left on disk, %v", len(left), err)
		}
		before := w.receipt(1)
		w.restart(w.dir)
		if after := w.receipt(1); !bytes.Equal(after.Checkpoint, before.Checkpoint) || after.ID != before.ID ||
			!slices.Equal(after.Entries, before.Entries) || after.LogTime != before.LogTime || after.First != before.First {
			t.Errorf("after a restart the receipt is %+v, was %+v", after, before)
		}
	})
}

// crashPoints are the durable steps of an envelope's life. Each leaves the
// outbox as a crash right after it would, and returns where.
var crashPoints = map[string]func(w *world) string{
	"stored and never sent": func(w *world) string { return w.copied() },
	"stored beside a half-written envelope": func(w *world) string {
		dir := w.copied()
		half := filepath.Join(dir, "envelopes", "00000000000000000002.tmp")
		must(w.t, os.WriteFile(half, []byte("half"), 0o600))
		return dir
	},
	"sent and lost on the way": func(w *world) string { return w.atSend(false) },
	"in the log, but the answer was lost": func(w *world) string {
		return w.atSend(true)
	},
	"accepted and not under a checkpoint": func(w *world) string {
		reached := make(chan string, 1)
		w.log.note = func(ctx context.Context) error {
			reached <- w.copied()
			<-ctx.Done()
			return ctx.Err()
		}
		w.run()
		dir := <-reached
		w.crash()
		w.log.note = nil
		return dir
	},
	"receipt written": func(w *world) string {
		return w.halfReceipted(func(s *store, it *item, r Receipt) { must(w.t, s.saveReceipt(r)) })
	},
	"receipt written, an id half remembered": func(w *world) string {
		return w.halfReceipted(func(s *store, it *item, r Receipt) {
			must(w.t, s.saveReceipt(r))
			_, err := s.knows.Write(it.ids[0][:7])
			must(w.t, err)
		})
	},
	"receipt written, ids remembered": func(w *world) string {
		return w.halfReceipted(func(s *store, it *item, r Receipt) {
			must(w.t, s.saveReceipt(r))
			must(w.t, s.remember(it.ids))
		})
	},
	"receipt written, ids remembered, envelope gone": func(w *world) string {
		return w.halfReceipted(func(s *store, it *item, r Receipt) {
			must(w.t, s.saveReceipt(r))
			must(w.t, s.remember(it.ids))
			must(w.t, s.remove(r.Sequence))
		})
	},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// atSend crashes while the first envelope is sent, before or after the network
// took it.
func (w *world) atSend(delivered bool) string {
	reached, times := make(chan string, 1), 0
	w.log.line = func(e *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error) {
		if times++; times > 1 {
			return consensus.Outcome{}, errLink
		}
		if delivered {
			_, err := deliver()
			must(w.t, err)
		}
		reached <- w.copied()
		return consensus.Outcome{}, errLink
	}
	w.run()
	dir := <-reached
	w.crash()
	w.log.line = nil
	return dir
}

// halfReceipted has the envelope accepted and does some steps of giving it its
// receipt.
func (w *world) halfReceipted(steps func(*store, *item, Receipt)) string {
	w.t.Helper()
	dir := w.copied()
	it := w.items[0]
	out, err := w.log.Apply(it.env.Marshal(), uint64(w.log.now().UnixMilli()))
	must(w.t, err)
	cp, err := w.log.WaitCheckpoint(w.t.Context(), out.First+uint64(out.Count))
	must(w.t, err)
	s, err := openStore(dir)
	must(w.t, err)
	steps(s, it, Receipt{
		Sequence: it.env.Sequence, ID: it.env.ID(), Number: out.Number, First: out.First, Count: out.Count,
		LogTime: out.LogTime, Checkpoint: cp.Marshal(), Entries: it.ids,
	})
	must(w.t, s.close())
	return dir
}

func TestACrashAtAnyStepLosesNothingAndDoublesNothing(t *testing.T) {
	for name, crash := range crashPoints {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				first, second := plains("first", 4), plains("second", 3)
				placed := w.add(first)
				dir := crash(w)
				w.restart(dir)
				for i, p := range w.add(first)[0] {
					if !p.Known {
						t.Errorf("entry %d was taken a second time", i)
					}
				}
				more := w.add(second)
				w.wantIndexes(first, placed[0])
				w.wantIndexes(second, more[0])
				w.drain()
				w.wantInLog(first, second)
				w.wantOneEnvelopePerAttempt()
				w.restart(w.dir)
				if again := w.add(first, second); !again[0][0].Known || !again[1][2].Known {
					t.Error("after one more restart an entry is not known")
				}
				w.receipt(1)
				w.receipt(2)
			})
		})
	}
}

func TestTheSameBytesAreSentUntilTheNetworkAnswers(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		lost := 0
		w.log.line = func(_ *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error) {
			if lost++; lost == 3 {
				_, err := deliver() // taken, but the answer is lost
				must(t, err)
			}
			if lost <= 5 {
				return consensus.Outcome{}, errLink
			}
			return deliver()
		}
		w.run()
		entries := plains("entry", 2)
		w.add(entries)
		w.drain()
		if len(w.log.sent) != 6 {
			t.Errorf("sent %d times, want 6", len(w.log.sent))
		}
		for _, e := range w.log.sent {
			if !bytes.Equal(e.Marshal(), w.log.sent[0].Marshal()) {
				t.Error("other bytes were sent again")
			}
		}
		w.wantInLog(entries)
	})
}

func TestAFailureOfTheDiskEndsRunWithAnError(t *testing.T) {
	block := func(dir string) {
		must(t, os.RemoveAll(dir))
		must(t, os.WriteFile(dir, nil, 0o600))
	}
	t.Run("while an entry is added", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.run()
			w.pass(time.Second)
			block(filepath.Join(w.dir, "envelopes"))
			_, err := w.AddEntries(w.t.Context(), [][]Entry{plains("entry", 1)})
			if !errors.Is(err, ledger.ErrStorage) {
				t.Errorf("AddEntries: %v, want a failure of storage", err)
			}
			if err := <-w.ended; !errors.Is(err, ledger.ErrStorage) {
				t.Errorf("Run: %v, want a failure of storage", err)
			}
			w.stop = nil
		})
	})
	t.Run("while a receipt is written", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.add(plains("entry", 1))
			block(filepath.Join(w.dir, "receipts"))
			w.run()
			if err := <-w.ended; !errors.Is(err, ledger.ErrStorage) {
				t.Errorf("Run: %v, want a failure of storage", err)
			}
			w.stop = nil
		})
	})
	t.Run("while an envelope is built anew", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.add(plains("entry", 1))
			block(filepath.Join(w.dir, "envelopes"))
			w.refuseFirstAttempt(1, state.CodeReaderSet)
			w.run()
			if err := <-w.ended; !errors.Is(err, ledger.ErrStorage) {
				t.Errorf("Run: %v, want a failure of storage", err)
			}
			w.stop = nil
		})
	})
}

func TestADamagedOutboxIsNotOpened(t *testing.T) {
	path := func(w *world) string { return filepath.Join(w.dir, "envelopes", "00000000000000000001") }
	for name, damage := range map[string]func(w *world){
		"a flipped bit in an envelope": func(w *world) {
			raw, err := os.ReadFile(path(w))
			must(w.t, err)
			raw[len(raw)/2] ^= 1
			must(w.t, os.WriteFile(path(w), raw, 0o600))
		},
		"an envelope under another's name": func(w *world) { must(w.t, os.Rename(path(w), path(w)[:len(path(w))-1]+"7")) },
		"a file that nobody put there":     func(w *world) { must(w.t, os.WriteFile(path(w)+"-old", nil, 0o600)) },
		"fewer ids than entries": func(w *world) {
			it := *w.items[0]
			it.ids = it.ids[1:]
			must(w.t, w.store.save(&it))
		},
		"a flipped bit in the newest receipt": func(w *world) {
			must(w.t, w.store.saveReceipt(Receipt{Sequence: 1, Checkpoint: []byte("note")}))
			raw, err := os.ReadFile(w.store.receiptPath(1))
			must(w.t, err)
			raw[3] ^= 0x10
			must(w.t, os.WriteFile(w.store.receiptPath(1), raw, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				w.add(plains("entry", 2))
				damage(w)
				if o, err := Open(w.config()); err == nil {
					t.Errorf("opened: %v", o.Close())
				}
			})
		})
	}
}

func TestNothingUnsealedIsStored(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.add([]Entry{sized("entry", 200)})
		must(t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if bytes.Contains(raw, bytes.Repeat([]byte{'x'}, 32)) {
				t.Errorf("%s holds a plaintext", path)
			}
			return err
		}))
	})
}

func TestIDsThatTheDiskRefusesAreAStorageFailure(t *testing.T) {
	s, err := openStore(t.TempDir())
	must(t, err)
	must(t, s.close()) // every write fails from here on
	if err := s.remember([][32]byte{{1}}); !errors.Is(err, ledger.ErrStorage) {
		t.Errorf("got %v, want %v, on which the process stops for good", err, ledger.ErrStorage)
	}
}
