package state_test

import (
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// TestTwoDealsInTwoLogsMakeNoKey has dealer 1 and a malicious leader, who is the
// same, show holder 3 another log than holder 2: they part at dealer 1's deal,
// of which there are two, both good. What the honest holders sign in one is of no
// use in the other, so neither brings a key into force; and dealer 1's two
// envelopes convict it before anybody who has its public key.
func TestTwoDealsInTwoLogsMakeNoKey(t *testing.T) {
	a := newCeremony(t)
	a.open()
	a.joinAll()
	b := *a
	b.s = deepCopy(t, a.s)
	deal := func(c *ceremony) *envelope.Envelope {
		return actOf(t, c.s, c.net.Hospitals[0], act.Act{Version: act.Version, Type: act.TypeDeal, Payload: c.deal(1).Marshal()})
	}
	shown := [2]*envelope.Envelope{deal(a), deal(&b)}
	for i, c := range []*ceremony{a, &b} {
		if _, r := admit(c.s, shown[i].Marshal(), now); r != nil {
			t.Fatalf("log %d: the deal is refused: %v", i, r)
		}
		accept(t, c.s, shown[i].Marshal(), now)
	}
	for _, n := range []int{2, 3} { // the leader carries the honest deals from one log into the other
		raw := actOf(t, a.s, a.net.Hospitals[n-1], act.Act{Version: act.Version, Type: act.TypeDeal, Payload: a.deal(n).Marshal()}).Marshal()
		for i, c := range []*ceremony{a, &b} {
			if _, r := admit(c.s, raw, now); r != nil {
				t.Fatalf("log %d: the deal of holder %d is refused: %v", i, n, r)
			}
			accept(t, c.s, raw, now)
		}
	}
	if a.confirm().Transcript == b.confirm().Transcript {
		t.Fatal("two runs have one transcript")
	}
	sees := map[int]*ceremony{1: a, 2: a, 3: &b} // dealer 1 signs what it likes
	for _, c := range []*ceremony{a, &b} {
		for n := 1; n <= 3; n++ {
			if n == 1 {
				c.ok(c.post(1, act.TypeConfirm, c.confirm().Marshal()))
				continue
			}
			r := c.post(n, act.TypeConfirm, sees[n].confirm().Marshal())
			if honest := sees[n] == c; honest != (r == nil) || !honest && !strings.Contains(r.Detail, "another run") {
				t.Errorf("holder %d confirms: %v; it has seen this log: %v", n, r, honest)
			}
		}
		if r := c.activate(c.checkpoint(1, 2, 3)); r == nil || !strings.Contains(r.Detail, "not every holder has confirmed") || c.s.OPRF.Holders != 0 {
			t.Errorf("activated by a dealer of two deals: %v", r)
		}
	}
	for i, e := range shown {
		read, err := envelope.Decode(e.Marshal())
		if err != nil || read.VerifySignature(a.net.Hospitals[0].Envelope.Public()) != nil {
			t.Errorf("deal %d does not show who signed it: %v", i, err)
		}
	}
	if one, two := shown[0], shown[1]; one.ID() == two.ID() || one.Sequence != two.Sequence || one.Attempt != two.Attempt {
		t.Error("the two envelopes are no evidence of a fork")
	}
}
