package outbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// unwanted is an act that the network refuses: nobody has an envelope 99.
func (w *world) unwanted() act.Act {
	return act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: act.Unopenable{
		Envelope: 99, Reader: w.member.Sealing.Public().ID(), Code: "SEAL003",
	}.Marshal()}
}

// wantRefusal checks that an act was refused by name.
func wantRefusal(t *testing.T, err error, code state.Code) {
	t.Helper()
	var r *state.Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestAnActThatIsRefusedHoldsUpNothing(t *testing.T) {
	for name, restart := range map[string]bool{"in one run": false, "with a restart after it": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				before, behind, last := plains("before", 3), plains("behind", 5), plains("last", 2)
				w.add(before)
				_, err := w.AddAct(t.Context(), w.unwanted())
				must(t, err)
				w.add(behind)
				w.run()
				wantRefusal(t, w.PostAct(t.Context(), w.unwanted()), state.CodeActPayload)
				w.drain()
				w.wantInLog(before, behind)
				if restart {
					w.restart(w.dir)
				}
				w.add(last)
				w.drain()
				w.wantInLog(before, behind, last)
				w.wantOneEnvelopePerAttempt()
				if _, alarm := w.Pending(); alarm != "" {
					t.Errorf("an alarm is left: %q", alarm)
				}
			})
		})
	}
}

func TestASequenceOfADroppedActIsNotBuiltTwiceWithOneAttempt(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		wantRefusal(t, w.PostAct(t.Context(), w.unwanted()), state.CodeActPayload)
		wantRefusal(t, w.PostAct(t.Context(), w.unwanted()), state.CodeActPayload)
		w.restart(w.dir) // what is in memory alone is gone
		wantRefusal(t, w.PostAct(t.Context(), w.unwanted()), state.CodeActPayload)
		entries := plains("entry", 2)
		w.add(entries)
		w.drain()
		w.wantInLog(entries)
		w.wantOneEnvelopePerAttempt()
		if n := len(w.log.sent); n != 4 {
			t.Errorf("%d envelopes were sent, want the act three times and the entries", n)
		}
	})
}

func TestAPostedActIsWaitedFor(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		must(t, w.PostAct(t.Context(), w.unopenable(1)))
		must(t, w.PostAct(t.Context(), w.unopenable(1))) // the log has it
		if n := len(w.accepted()); n != 1 {
			t.Errorf("the log holds %d acts, want 1", n)
		}
		w.log.set(func() {
			w.log.line = func(*envelope.Envelope, func() (consensus.Outcome, error)) (consensus.Outcome, error) {
				return consensus.Outcome{}, errLink
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.PostAct(ctx, w.unopenable(2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without an answer: %v", err)
		}
		w.log.set(func() { w.log.line = nil })
		must(t, w.PostAct(t.Context(), w.unopenable(2)))
	})
}

func TestARefusalThatTimeCuresDropsNoAct(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.log.line = func(e *envelope.Envelope, _ func() (consensus.Outcome, error)) (consensus.Outcome, error) {
			return consensus.Outcome{ID: e.ID(), Refusal: &state.Refusal{Code: state.CodeTime, Detail: "ahead"}}, nil
		}
		_, err := w.AddAct(t.Context(), w.unopenable(1))
		must(t, err)
		w.run()
		w.pass(time.Minute)
		if n, alarm := w.Pending(); n != 1 || alarm == "" {
			t.Errorf("%d on their way, alarm %q", n, alarm)
		}
		w.log.set(func() { w.log.line = nil })
		w.drain()
	})
}
