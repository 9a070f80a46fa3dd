package consensus

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

func TestRefusalsAreTheSameWhereverTheyAreAsked(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader, follower := c.leader(), c.follower()
	h := c.chain(1)
	if err := h.run(2, 2, leader); err != nil {
		t.Fatal(err)
	}
	size := c.converged(1 + 2*2).Size
	first, err := envelope.Decode(h.sent[0].raw)
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(back int) []byte {
		raw := h.build(3, h.previous, 1).Marshal()
		raw = bytes.Clone(raw)
		raw[len(raw)-back] ^= 1
		return raw
	}
	for name, tc := range map[string]struct {
		raw  []byte
		want state.Code
	}{
		"not an envelope":                    {[]byte("no envelope"), state.CodeEncoding},
		"nothing":                            {nil, state.CodeEncoding},
		"larger than an envelope may be":     {make([]byte, envelope.MaxBytes+1), state.CodeSize},
		"a sequence that skips ahead":        {h.build(5, h.previous, 1).Marshal(), state.CodeGap},
		"not after the sender's last":        {h.build(3, first.ID(), 1).Marshal(), state.CodePrevious},
		"two envelopes signed for one place": {h.build(1, envelope.ID{}, 1).Marshal(), state.CodeFork},
		"a body that was changed":            {flipped(1), state.CodeBodies},
	} {
		t.Run(name, func(t *testing.T) {
			for _, id := range []string{leader, follower, "reader"} {
				out, err := c.send(func() string { return id }, tc.raw)
				if err != nil {
					t.Fatal(err)
				}
				if out.Refusal == nil || out.Refusal.Code != tc.want {
					t.Errorf("at %s: %v, want %s", id, out.Refusal, tc.want)
				}
			}
		})
	}
	if got := c.converged(size).Size; got != size {
		t.Errorf("the log grew to %d by refusals", got)
	}
}

func TestEnvelopeThatOvertookItsPredecessorIsNotAcceptedWithoutAPlace(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.node(c.leader())
	h := c.chain(1)
	raws := [][]byte{h.next(1).Marshal(), h.next(1).Marshal(), h.next(1).Marshal(), h.next(1).Marshal()}
	results := make(chan Outcome, len(raws))
	for _, raw := range raws {
		go func() {
			out, err := leader.Submit(c.ctx, raw)
			if err != nil {
				t.Error(err)
			}
			results <- out
		}()
	}
	for range raws {
		if out := <-results; out.Refusal == nil && out.Number == 0 {
			t.Errorf("accepted at the genesis' place: %+v", out)
		} else if out.Refusal != nil && out.Refusal.Code != state.CodeGap {
			t.Errorf("refused with %v", out.Refusal)
		}
	}
}
