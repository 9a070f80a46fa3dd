package audit_test

import (
	"testing"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// erasedCopy is a copy in which hospital 1 has sent entries 1 to 5 and hospital 2
// entries 6 to 8, and hospital 1 has withdrawn entries 2 and 3; others are erased.
func erasedCopy(t *testing.T, erased ...ledger.Span) *copied {
	t.Helper()
	c := &copied{t: t, net: foundingtest.New(t, 3), dir: t.TempDir(), roots: map[uint64]tlog.Hash{}}
	m, err := machine.Open(c.dir, c.net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for i, n := range []int{5, 3} {
		if out, err := m.Apply(c.entries(m.View(), c.net.Hospitals[i], n), now); err != nil || out.Refusal != nil {
			t.Fatalf("apply: %v %v", err, out.Refusal)
		}
	}
	member, _ := m.View().Member(1)
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: 1, Entries: []act.Span{{First: 2, Count: 2}}}.Marshal()}
	e, err := envelope.BuildAct(envelope.Link{
		Network: m.View().Network, Hospital: 1, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: now,
	}, a.Marshal(), c.net.Hospitals[0].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := m.Apply(e.Marshal(), now); err != nil || out.Refusal != nil {
		t.Fatalf("withdraw: %v %v", err, out.Refusal)
	}
	if _, err := m.Ledger().Sync(); err != nil {
		t.Fatal(err)
	}
	if err := m.Ledger().Erase(erased...); err != nil {
		t.Fatal(err)
	}
	c.state = m.View()
	if c.policy, err = consensus.PolicyOf(c.state); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACopyWithErasedEntriesVerifies(t *testing.T) {
	for name, erased := range map[string][]ledger.Span{
		"all of what was withdrawn":         {{First: 2, Count: 2}},
		"a part: the node was just at it":   {{First: 3, Count: 1}},
		"nothing yet: the node is about to": nil,
	} {
		c := erasedCopy(t, erased...)
		r, err := c.verify(c.whole())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var want uint64
		for _, s := range erased {
			want += s.Count
		}
		if r.Erased != want {
			t.Errorf("%s: %d entries erased, want %d", name, r.Erased, want)
		}
	}
}

func TestAnEntryThatNobodyWithdrewIsNotZeros(t *testing.T) {
	for name, tc := range map[string]struct {
		erased ledger.Span
		want   string
	}{
		"one beside what was withdrawn":  {ledger.Span{First: 2, Count: 3}, "entry 4 is zeros"},
		"one of another hospital":        {ledger.Span{First: 7, Count: 1}, "entry 7 is zeros"},
		"an act, which is never erased":  {ledger.Span{First: 9, Count: 1}, "envelope 3"},
		"the genesis, which never is so": {ledger.Span{First: 0, Count: 1}, "envelope 0"},
	} {
		c := erasedCopy(t, tc.erased)
		_, err := c.verify(c.whole())
		if err == nil {
			t.Errorf("%s: it verifies", name)
			continue
		}
		wantUnverified(t, err, tc.want)
	}
}
