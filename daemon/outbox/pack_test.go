package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

// until returns a wait for the channel, or the context.
func (w *world) until(c <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-c:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func sized(name string, n int) Entry {
	e := plain(name)
	e.Plain.CBOR = append([]byte(name), bytes.Repeat([]byte{'x'}, n-len(name))...)
	return e
}

func TestGroupsShareEnvelopesWithoutBeingTornApart(t *testing.T) {
	for name, tc := range map[string]struct {
		groups [][]Entry
		want   [][]uint64 // sequences
	}{
		"small groups share an envelope": {
			[][]Entry{plains("a", 2), plains("b", 1)}, [][]uint64{{1, 1}, {1}}},
		"a group that does not fit beside another gets its own": {
			[][]Entry{{sized("a", 30_000)}, {sized("b1", 20_000), sized("b2", 500)}, plains("c", 1)}, [][]uint64{{1}, {2, 2}, {2}}},
		"a group that is too large is torn": {
			[][]Entry{plains("a", 1), {sized("b1", 30_000), sized("b2", 30_000)}}, [][]uint64{{1}, {2, 3}}},
		"the largest entry is alone": {
			[][]Entry{plains("a", 1), {sized("b", seal.MaxPlaintextBytes)}, plains("c", 1)}, [][]uint64{{1}, {2}, {3}}},
		"no groups": {nil, [][]uint64{}},
		"a group of nothing": {
			[][]Entry{nil, plains("a", 1)}, [][]uint64{nil, {1}}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				var got [][]uint64
				for _, placed := range w.add(tc.groups...) {
					var sequences []uint64
					for _, p := range placed {
						sequences = append(sequences, p.Sequence)
					}
					got = append(got, sequences)
				}
				if fmt.Sprint(got) != fmt.Sprint(tc.want) {
					t.Errorf("sequences %v, want %v", got, tc.want)
				}
				w.run()
				w.drain()
				w.wantInLog(tc.groups...)
			})
		})
	}
}

func TestMoreEntriesThanAnEnvelopeHoldsGoInSeveral(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		entries := plains("entry", 1100)
		placed := w.add(entries)[0]
		w.run()
		w.drain()
		w.wantInLog(entries)
		w.wantIndexes(entries, placed)
		for _, e := range w.accepted() {
			if n := len(e.Marshal()); e.Count > 112 || n > 96<<10 {
				t.Errorf("an envelope has %d entries in %d bytes", e.Count, n)
			}
		}
	})
}

func TestAnIdTwiceInOneBatchIsTakenOnce(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		a, b := plain("a"), plain("b")
		placed := w.add([]Entry{a, b, a}, []Entry{b}, []Entry{plain("c")})
		if placed[0][0].Known || placed[0][1].Known || !placed[0][2].Known || !placed[1][0].Known || placed[2][0].Known {
			t.Errorf("known: %v", placed)
		}
		w.run()
		w.drain()
		w.wantInLog([]Entry{a, b, plain("c")})
	})
}

func TestAnEntryThatIsTooLargeIsRefusedAndTheOutboxGoesOn(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		_, err := w.AddEntries(w.t.Context(), [][]Entry{{sized("big", seal.MaxPlaintextBytes+1)}})
		if !errors.Is(err, seal.ErrTooLarge) {
			t.Errorf("got %v, want FM005", err)
		}
		w.add(plains("entry", 1))
		w.drain()
		w.wantInLog(plains("entry", 1))
	})
}

// twentyWraps bends a view to the largest reader set there is.
func twentyWraps(t *testing.T) func(*state.State) *state.State {
	t.Helper()
	reader := func(i int) envelope.Reader {
		key, err := seal.NewReaderFromSeed([32]byte{byte(i)})
		must(t, err)
		return envelope.Reader{Key: key.Public(), Rights: seal.Rights{Clinical: true, Genetic: true}}
	}
	set := state.ReaderSet{Number: 7, Provinces: []state.ProvinceReader{{Province: "11", Reader: reader(99)}}}
	for i := range 16 {
		set.National = append(set.National, reader(i+1))
	}
	envelope.SortNational(set.National)
	return func(s *state.State) *state.State {
		c := s.Clone()
		c.ReaderSets = []state.ReaderSet{set}
		return c
	}
}

func TestTheFullestEnvelopesForTwentyWrapsAreWithinTheLimit(t *testing.T) {
	for name, entries := range map[string][]Entry{
		"the largest entry":        {sized("a", seal.MaxPlaintextBytes)},
		"as many as fit":           plains("entry", 112),
		"one more than fit":        plains("entry", 113),
		"a few of the class 16384": {sized("a", 16_000), sized("b", 16_000), sized("c", 16_000), sized("d", 8_000)},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				w.log.bent = twentyWraps(t)
				w.add(entries)
				for _, it := range w.items {
					if n := len(it.env.Marshal()); len(it.env.Wraps) != envelope.MaxWraps || n > envelope.MaxBytes {
						t.Errorf("%d wraps in %d bytes, want %d in at most %d", len(it.env.Wraps), n, envelope.MaxWraps, envelope.MaxBytes)
					}
				}
			})
		})
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for i := range 5 {
					if _, err := w.AddEntries(w.t.Context(), [][]Entry{plains(fmt.Sprint("batch-", i), 4)}); err != nil {
						t.Error(err)
					}
					w.Pending()
				}
			})
		}
		callers.Wait()
		w.drain()
		var all [][]Entry
		for i := range 5 {
			all = append(all, plains(fmt.Sprint("batch-", i), 4))
		}
		w.wantInLog(all...)
		w.wantOneEnvelopePerAttempt()
	})
}

func TestTheGenesisIsNobodysEarlierLife(t *testing.T) {
	for hospital, want := range map[int]uint64{1: 2, 2: 1} {
		inWorld(t, hospital, func(t *testing.T, w *world) {
			placed := w.add(plains("entry", 1))
			if got := placed[0][0].Sequence; got != want || w.items[0].env.Attempt != 1 {
				t.Errorf("hospital %d begins with sequence %d attempt %d, want %d and 1", hospital, got, w.items[0].env.Attempt, want)
			}
			w.run()
			w.drain()
			if strings.Contains(w.logged.String(), "does not know") {
				t.Error("the genesis was taken for an earlier life")
			}
		})
	}
}

func TestALostOutboxGoesOnBehindTheLogUnderAnAttemptOfItsOwn(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		w.add(plains("earlier", 2))
		w.drain()
		w.restart(t.TempDir())
		w.add(plains("later", 2))
		w.add(plains("last", 2))
		w.drain()
		w.wantInLog(plains("earlier", 2), plains("later", 2), plains("last", 2))
		seconds := uint32(w.accepted()[1].SignedAt / 1000)
		if got := w.attempts(); !slices.Equal(got, []uint32{1, seconds, 1}) {
			t.Errorf("attempts %v, want the clock's seconds %d for the first of the new life", got, seconds)
		}
		if !strings.Contains(w.logged.String(), "does not know") {
			t.Error("nobody is told")
		}
	})
}

func TestNothingIsBuiltBeforeTheNodeIsACurrentCopy(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.log.down = true
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		if _, err := w.AddEntries(ctx, [][]Entry{plains("entry", 1)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the context", err)
		}
		w.run()
		w.pass(time.Minute)
		w.log.set(func() { w.log.down = false })
		w.add(plains("entry", 1))
		w.drain()
		w.wantInLog(plains("entry", 1))
	})
}

func TestNothingIsTakenThatTheDiskHasNoRoomFor(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.add(plains("before", 1))
		w.log.set(func() { w.log.full = consensus.ErrNoRoom })
		if _, err := w.AddEntries(t.Context(), [][]Entry{plains("entry", 1)}); !errors.Is(err, consensus.ErrNoRoom) {
			t.Errorf("got %v, want %v", err, consensus.ErrNoRoom)
		}
		w.run()
		w.drain() // what was taken before goes
		w.wantInLog(plains("before", 1))
		w.log.set(func() { w.log.full = nil })
		w.add(plains("entry", 1))
		w.drain()
		w.wantInLog(append(plains("before", 1), plains("entry", 1)...))
	})
}

func TestAWaitForAReceiptEndsWithItsContext(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		if _, err := w.WaitReceipt(ctx, 99); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the context", err)
		}
	})
}
