package outbox

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// refuseFirstAttempt has the network refuse a sequence until it is built anew.
func (w *world) refuseFirstAttempt(sequence uint64, code state.Code) {
	w.log.line = func(e *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error) {
		if e.Sequence == sequence && e.Attempt == 1 {
			return consensus.Outcome{ID: e.ID(), Refusal: &state.Refusal{Code: code, Detail: "outdated"}}, nil
		}
		return deliver()
	}
}

func (w *world) unopenable(place uint32) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: act.Unopenable{
		Place: place, Reader: w.member.Sealing.Public().ID(), Code: "SEAL003",
	}.Marshal()}
}

// queue adds four envelopes of entries with an act between them.
func (w *world) queue() (groups [][]Entry, placed [][]Placed) {
	w.t.Helper()
	for i, name := range []string{"one", "two", "three", "four"} {
		groups = append(groups, plains(name, 7))
		placed = append(placed, w.add(groups[i])[0])
		if i == 2 {
			_, err := w.AddAct(w.t.Context(), w.unopenable(3))
			must(w.t, err)
		}
	}
	return groups, placed
}

func (w *world) attempts() []uint32 {
	var out []uint32
	for _, e := range w.accepted() {
		out = append(out, e.Attempt)
	}
	return out
}

func TestAnOutdatedEnvelopeAndAllBehindItAreBuiltAnew(t *testing.T) {
	for _, code := range []state.Code{state.CodeReaderSet, state.CodeWraps, state.CodeKey, state.CodeKeySpan} {
		t.Run(string(code), func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				groups, placed := w.queue()
				old := slices.Clone(w.items)
				oldEnvelopes := []*envelope.Envelope{old[1].env, old[2].env}
				w.refuseFirstAttempt(2, code)
				w.run()
				w.drain()
				w.wantInLog(groups...)
				w.wantOneEnvelopePerAttempt()
				if got, want := w.attempts(), []uint32{1, 2, 2, 2, 2}; !slices.Equal(got, want) {
					t.Errorf("attempts %v, want %v", got, want)
				}
				for i := range groups {
					w.wantIndexes(groups[i], placed[i])
				}
				for i, e := range w.accepted()[1:3] {
					if e.CommitC == oldEnvelopes[i].CommitC || e.Bodies[0].Salt == oldEnvelopes[i].Bodies[0].Salt {
						t.Errorf("sequence %d was built anew with an old key or salt", e.Sequence)
					}
				}
				if got := w.accepted()[3]; got.Kind != envelope.KindAct {
					t.Errorf("the act became %v", got.Kind)
				}
			})
		})
	}
}

func TestACrashWhileEnvelopesAreBuiltAnewEndsWithAllOfThem(t *testing.T) {
	for renewed := 1; renewed <= 3; renewed++ {
		inWorld(t, 2, func(t *testing.T, w *world) {
			groups, placed := w.queue()
			previous := w.items[0].env.ID()
			for _, it := range w.items[1 : 1+renewed] {
				next, err := w.rebuild(it, previous)
				must(t, err)
				must(t, w.store.save(next))
				previous = next.env.ID()
			}
			w.restart(w.dir)
			more := w.add(plains("five", 2)) // built on an id that is about to change
			w.drain()
			w.wantInLog(append(groups, plains("five", 2))...)
			w.wantOneEnvelopePerAttempt()
			for i := range groups {
				w.wantIndexes(groups[i], placed[i])
			}
			w.wantIndexes(plains("five", 2), more[0])
		})
	}
}

func TestAnyOtherRefusalRaisesAnAlarmUntilTheNetworkTakesTheSameBytes(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		refusing := true
		w.log.line = func(e *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error) {
			refuse := false
			w.log.set(func() { refuse = refusing })
			if refuse {
				return consensus.Outcome{Refusal: &state.Refusal{Code: state.CodeTime, Detail: "check the clock"}}, nil
			}
			return deliver()
		}
		entries := plains("entry", 3)
		w.add(entries)
		w.run()
		w.pass(time.Minute)
		if n, alarm := w.Pending(); n != 1 || !strings.Contains(alarm, "TIME001") || !strings.Contains(alarm, "envelope 1") {
			t.Errorf("%d on their way, alarm %q; want 1 and TIME001 of envelope 1", n, alarm)
		}
		if n := strings.Count(w.logged.String(), "does not go on"); n != 1 {
			t.Errorf("the alarm is logged %d times in a minute, want once", n)
		}
		w.log.set(func() { refusing = false })
		w.drain()
		if _, alarm := w.Pending(); alarm != "" {
			t.Errorf("the alarm stays: %q", alarm)
		}
		for _, e := range w.log.sent {
			if !bytes.Equal(e.Marshal(), w.log.sent[0].Marshal()) {
				t.Error("other bytes were sent after a refusal that nothing new cures")
			}
		}
		w.wantInLog(entries)
	})
}

func TestAnActIsPostedOnce(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		post := func(place uint32, want uint64) {
			t.Helper()
			got, err := w.AddAct(w.t.Context(), w.unopenable(place))
			must(t, err)
			if got != want {
				t.Errorf("place %d got sequence %d, want %d", place, got, want)
			}
		}
		post(1, 1)
		post(1, 0)
		w.restart(w.dir)
		post(1, 0)
		w.drain()
		w.restart(w.dir)
		post(1, 0)
		post(2, 2)
		w.drain()
		if got := w.accepted(); len(got) != 2 || got[0].Kind != envelope.KindAct {
			t.Errorf("the log holds %d acts, want 2", len(got))
		}
	})
}

func TestOneEnvelopeAtATimeIsUncommittedAndReceiptsHoldUpNobody(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		under, most := 0, 0
		w.log.line = func(_ *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error) {
			w.log.set(func() { under++; most = max(most, under) })
			w.pass(time.Second)
			w.log.set(func() { under-- })
			return deliver()
		}
		release := make(chan struct{})
		w.log.note = w.until(release)
		groups, _ := w.queue()
		w.run()
		w.pass(time.Minute)
		w.log.set(func() {
			if most != 1 {
				t.Errorf("%d envelopes were under way at once", most)
			}
		})
		if n, _ := w.Pending(); n != 5 || len(w.accepted()) != 5 {
			t.Errorf("%d wait for a receipt and %d are in the log, want 5 and 5", n, len(w.accepted()))
		}
		close(release)
		w.drain()
		w.wantInLog(groups...)
	})
}

func TestALogTimeBeforeTheFirstSendingIsReported(t *testing.T) {
	const line = "log time lies before the first sending"
	for name, tc := range map[string]struct {
		behind time.Duration
		want   bool
	}{
		"the leader's clock is right":               {0, false},
		"the leader's clock is 4 minutes behind":    {4 * time.Minute, false},
		"the leader's clock is 6 minutes behind":    {6 * time.Minute, true},
		"the leader's clock is an hour ahead of us": {-time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				w.pass(2 * time.Hour)
				w.log.behind = tc.behind
				w.add(plains("entry", 1))
				w.run()
				w.drain()
				if got := strings.Contains(w.logged.String(), line); got != tc.want {
					t.Errorf("reported: %v, want %v", got, tc.want)
				}
			})
		})
	}
	t.Run("sent by a former run", func(t *testing.T) {
		inWorld(t, 2, func(t *testing.T, w *world) {
			w.add(plains("entry", 1))
			dir := w.atSend(true)
			w.pass(time.Hour)
			w.restart(dir)
			w.drain()
			if strings.Contains(w.logged.String(), line) {
				t.Error("an envelope that a former run had sent is reported")
			}
		})
	})
}
