package state_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// withdrawal is the act that has spans of a hospital's entries erased.
func withdrawal(hospital uint32, spans ...act.Span) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: hospital, Entries: spans}.Marshal()}
}

// erasureReceipt says that a node has carried out all withdrawals up to one.
func erasureReceipt(node string, through uint64) act.Act {
	index := through + 18 // as in withEntries
	return act.Act{Version: act.Version, Type: act.TypeErasureReceipt, Payload: act.ErasureReceipt{Node: node, Through: through, Index: index}.Marshal()}
}

// The log of these tests: leaf 0 is the genesis, 1 to 10 are hospital 1's, 11
// to 20 hospital 2's; the next envelope is number 3.
func withEntries(t *testing.T) (*foundingtest.Network, *state.State) {
	net, s := found(t)
	for _, m := range net.Hospitals[:2] {
		accept(t, s, entries(t, s, m, 10).Marshal(), now)
	}
	return net, s
}

func TestAHospitalWithdrawsItsOwnEntries(t *testing.T) {
	net, s := withEntries(t)
	h := net.Hospitals[0]
	accept(t, s, actOf(t, s, h, withdrawal(1, act.Span{First: 2, Count: 2}, act.Span{First: 7, Count: 1})).Marshal(), now)
	accept(t, s, actOf(t, s, h, withdrawal(1, act.Span{First: 3, Count: 2})).Marshal(), now+5)
	for index := range uint64(12) {
		want := slices.Contains([]uint64{2, 3, 4, 7}, index)
		if got := s.Withdrawn(1, index); got != want {
			t.Errorf("entry %d withdrawn: %t, want %t", index, got, want)
		}
		if s.Withdrawn(2, index) {
			t.Errorf("entry %d is withdrawn for another hospital", index)
		}
	}
	want := []state.Withdrawal{{Envelope: 3, Index: 21, LogTime: now}, {Envelope: 4, Index: 22, LogTime: now + 5}}
	if got := deepCopy(t, s).Withdrawals; !slices.Equal(got, want) {
		t.Errorf("withdrawals %+v, want %+v", got, want)
	}
}

func TestWithdrawalsThatAreRefused(t *testing.T) {
	net, s := withEntries(t)
	h := net.Hospitals[0]
	accept(t, s, actOf(t, s, h, withdrawal(1, act.Span{First: 2, Count: 4}, act.Span{First: 9, Count: 1})).Marshal(), now)
	size := s.Tree.Size()
	for name, tc := range map[string]struct {
		act  act.Act
		want state.Code
	}{
		"of a part of what is withdrawn":   {withdrawal(1, act.Span{First: 3, Count: 2}, act.Span{First: 9, Count: 1}), state.CodeActPayload},
		"of what is not in the log yet":    {withdrawal(1, act.Span{First: size, Count: 1}), state.CodeActPayload},
		"of the log's last leaf":           {withdrawal(1, act.Span{First: size - 1, Count: 1}), ""},
		"of one more entry":                {withdrawal(1, act.Span{First: 3, Count: 4}), ""},
		"for a reader":                     {withdrawal(4, act.Span{First: 3, Count: 1}), state.CodeActApproval},
		"for nobody":                       {withdrawal(9, act.Span{First: 3, Count: 1}), state.CodeActApproval},
		"for another without approvals":    {withdrawal(2, act.Span{First: 12, Count: 1}), state.CodeActApproval},
		"of bytes that are no withdrawal":  {act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: []byte{1}}, state.CodeActPayload},
		"with an expiry and no approvals":  {act.Act{Version: act.Version, Type: act.TypeWithdrawal, Expiry: 5, Payload: withdrawal(1, act.Span{First: 7, Count: 1}).Payload}, state.CodeActApproval},
		"for another with q approvals":     {approve(t, net, lastingAct(s, withdrawal(2, act.Span{First: 12, Count: 1})), 1, 2), ""},
		"for nobody, whoever approves":     {approve(t, net, lastingAct(s, withdrawal(9, act.Span{First: 12, Count: 1})), 1, 2), state.CodeActPayload},
		"for a national reader, approved":  {approve(t, net, lastingAct(s, withdrawal(4, act.Span{First: 12, Count: 1})), 1, 2), ""},
		"for another with one approval":    {approve(t, net, lastingAct(s, withdrawal(2, act.Span{First: 12, Count: 1})), 1), state.CodeActApproval},
		"of its own that others approved":  {approve(t, net, lastingAct(s, withdrawal(1, act.Span{First: 7, Count: 1})), 1, 2), ""},
		"of its own that one has approved": {approve(t, net, lastingAct(s, withdrawal(1, act.Span{First: 7, Count: 1})), 2), state.CodeActApproval},
	} {
		_, r := admit(s, actOf(t, s, h, tc.act).Marshal(), now)
		if got := codeOf(r); got != tc.want {
			t.Errorf("a withdrawal %s: %v, want %q", name, r, tc.want)
		}
	}
}

// lastingAct binds an act to the roster, so that it can be approved.
func lastingAct(s *state.State, a act.Act) act.Act {
	a.RosterVersion, a.Expiry = s.RosterVersion, now+60_000
	return a
}

func codeOf(r *state.Refusal) state.Code {
	if r == nil {
		return ""
	}
	return r.Code
}

func TestAWithdrawalForAnotherHospitalIsProposed(t *testing.T) {
	net, s := withEntries(t)
	a := lastingAct(s, withdrawal(2, act.Span{First: 12, Count: 1}))
	a.Expiry = now + 2*act.MinProposalLife
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "its keys are lost")).Marshal(), now)
	if len(s.Proposals) != 1 {
		t.Errorf("%d proposals", len(s.Proposals))
	}
}

func TestAReceiptIsOfTheSendersNodeAndNeverGoesBack(t *testing.T) {
	net, s := withEntries(t)
	h := net.Hospitals[0]
	for range 2 {
		if _, owed := s.OwedReceipt("h1"); owed != (len(s.Withdrawals) > 0) {
			t.Error("a receipt is owed for nothing, or none for a withdrawal")
		}
		first := s.Tree.Size() - 15
		accept(t, s, actOf(t, s, h, withdrawal(1, act.Span{First: first, Count: 1})).Marshal(), now)
	}
	for name, tc := range map[string]struct {
		act  act.Act
		want state.Code
	}{
		"of another's node":       {erasureReceipt("h2", 3), state.CodeActPayload},
		"of a node nobody knows":  {erasureReceipt("h9", 3), state.CodeActPayload},
		"through an envelope":     {erasureReceipt("h1", 2), state.CodeActPayload},
		"through what comes next": {erasureReceipt("h1", 5), state.CodeActPayload},
		"of another leaf":         {act.Act{Version: act.Version, Type: act.TypeErasureReceipt, Payload: act.ErasureReceipt{Node: "h1", Through: 3, Index: 22}.Marshal()}, state.CodeActPayload},
		"through the first":       {erasureReceipt("h1", 3), ""},
		"through the second":      {erasureReceipt("h1", 4), ""},
	} {
		if _, r := admit(s, actOf(t, s, h, tc.act).Marshal(), now); codeOf(r) != tc.want {
			t.Errorf("a receipt %s: %v, want %q", name, r, tc.want)
		}
	}
	if w, owed := s.OwedReceipt("h1"); !owed || w.Envelope != 3 {
		t.Errorf("owed %+v, %t", w, owed)
	}
	accept(t, s, actOf(t, s, h, erasureReceipt("h1", 3)).Marshal(), now)
	if w, owed := s.OwedReceipt("h1"); !owed || w.Envelope != 4 {
		t.Errorf("after a receipt through 3, owed %+v, %t", w, owed)
	}
	before := s.Clone()
	accept(t, s, actOf(t, s, h, erasureReceipt("h1", 4)).Marshal(), now)
	if _, owed := s.OwedReceipt("h1"); owed {
		t.Error("a receipt is owed after the last")
	}
	if r, _ := before.ErasureReceipt("h1"); r.Through != 3 {
		t.Errorf("the clone changed with its origin: %+v", r)
	}
	for _, through := range []uint64{3, 4} {
		if _, r := admit(s, actOf(t, s, h, erasureReceipt("h1", through)).Marshal(), now); codeOf(r) != state.CodeActPayload {
			t.Errorf("a receipt that goes back to %d: %v", through, r)
		}
	}
	deepCopy(t, s)
}

func TestEveryNodeEverEntitledStaysListed(t *testing.T) {
	net, s := withEntries(t)
	if len(s.Entitled) != len(s.Nodes) {
		t.Fatalf("%d entitled, %d nodes", len(s.Entitled), len(s.Nodes))
	}
	gone := s.Nodes[1].ID
	accept(t, s, actOf(t, s, net.Hospitals[1], plainAct(act.TypeRemoval, act.Removal{Institution: 2, Node: gone}.Marshal())).Marshal(), now)
	for _, e := range deepCopy(t, s).Entitled {
		if want := map[bool]uint64{true: 3, false: 0}[e.Node == gone]; e.To != want {
			t.Errorf("node %s is entitled up to %d, want %d", e.Node, e.To, want)
		}
	}
	if len(s.Entitled) != len(s.Nodes)+1 {
		t.Errorf("%d entitled, %d nodes", len(s.Entitled), len(s.Nodes))
	}
}

// TestASnapshotOfTheFormatBeforeOpens makes such a snapshot as the release that
// wrote it did: the same fields without the last three.
func TestASnapshotOfTheFormatBeforeOpens(t *testing.T) {
	_, s := withEntries(t)
	now := s.AppendCBOR(nil)
	tail := len(s.EncodedErasures()) + len(s.EncodedMembership()) + len(s.EncodedFeatures())
	before := bytes.Clone(now[:len(now)-tail])
	if before[0] != 0x98 || before[1] != 32 || before[2] != 7 {
		t.Fatalf("a snapshot begins with %x", before[:3])
	}
	before[1], before[2] = 29, 4
	d := cbor.NewDecoder(before)
	got, err := state.Decode(d)
	if err != nil || d.Done() != nil {
		t.Fatalf("format 4: %v, %v", err, d.Done())
	}
	if !bytes.Equal(got.AppendCBOR(nil), now) {
		t.Error("a state read from format 4 is not the one that was written")
	}
	for name, head := range map[string][2]byte{"format 3": {29, 3}, "format 8 without an epoch": {32, 8}, "format 9": {34, 9}, "format 4 with 30 fields": {30, 4}} {
		bad := bytes.Clone(now)
		bad[1], bad[2] = head[0], head[1]
		if _, err := state.Decode(cbor.NewDecoder(bad)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestSpansAreASetOfIndexes(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	set := func() (spans []act.Span, in map[uint64]bool) {
		in = map[uint64]bool{}
		for i := uint64(r.IntN(4)); len(spans) < 8; {
			n := uint64(1 + r.IntN(3))
			spans = append(spans, act.Span{First: i, Count: n})
			for k := range n {
				in[i+k] = true
			}
			i += n + 1 + uint64(r.IntN(4))
		}
		return spans, in
	}
	for range 500 {
		a, inA := set()
		b, inB := set()
		u := state.Union(a, b)
		all := true
		for i := range uint64(64) {
			if state.Holds(u, i) != (inA[i] || inB[i]) {
				t.Fatalf("seed %d: %v and %v make %v: index %d", seed, a, b, u, i)
			}
			all = all && (!inB[i] || inA[i])
		}
		if state.HoldsAll(a, b) != all || !state.HoldsAll(u, a) || !state.HoldsAll(u, b) {
			t.Fatalf("seed %d: %v holds all of %v: %t", seed, a, b, !all)
		}
		again := act.ReadSpans(cbor.NewDecoder(act.AppendSpans(nil, u)), 100)
		if !slices.Equal(again, u) {
			t.Fatalf("seed %d: %v is not written in the one way: %v", seed, u, again)
		}
	}
}
