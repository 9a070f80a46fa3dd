package state_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// cut is a recovery at the end of a state, with some voters.
func cut(t testing.TB, s *state.State, voters ...string) *act.Recovery {
	t.Helper()
	d := &act.Recovery{Epoch: s.LogEpoch + 1, Size: s.Tree.Size(), Root: s.Tree.Root(), Envelopes: s.Envelopes, Index: 9, Term: 3}
	for _, id := range voters {
		key, err := sign.Generate(sign.PurposeLog)
		if err != nil {
			t.Fatal(err)
		}
		d.Voters = append(d.Voters, act.EpochVoter{Node: id, Log: key.Public()})
	}
	return d
}

func recoveryOf(t testing.TB, net *foundingtest.Network, s *state.State, d *act.Recovery) *envelope.Envelope {
	t.Helper()
	return actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeRecovery, d.Marshal(), 1, 2))
}

func TestARecoveryBeginsALogEpoch(t *testing.T) {
	net, s, _ := withMirror(t)
	decide(t, net, s, act.TypePromotion, act.Promotion{Node: "m4"}.Marshal())
	before, size, roster := s.Clone(), s.Tree.Size(), s.RosterVersion
	d := cut(t, s, "h1", "m4", "reader")
	d.Fenced = []string{"h3"}
	e := recoveryOf(t, net, s, d)
	accept(t, s, e.Marshal(), e.SignedAt)
	s = deepCopy(t, s)
	if s.LogEpoch != 2 || s.Origin() != "test.example/network/2" || s.RosterVersion != roster+1 || len(s.Candidates) != 0 {
		t.Errorf("epoch %d of %s, roster %d after %d, candidates %v", s.LogEpoch, s.Origin(), s.RosterVersion, roster, s.Candidates)
	}
	wantVoters(t, s, size, "h1", "h2", "h3")
	wantVoters(t, s, size+1, "h1", "m4", "reader")
	if kindOf(s, "h2") != act.Mirror || kindOf(s, "h3") != 0 {
		t.Errorf("h2 is a %s, h3 a %s", kindOf(s, "h2"), kindOf(s, "h3"))
	}
	if got := []string{s.OriginAt(size), s.OriginAt(size + 1)}; !slices.Equal(got, []string{"test.example/network/1", "test.example/network/2"}) {
		t.Errorf("origins at the cut and behind it: %v", got)
	}
	then, now := s.VotersAt(size)[0], s.VotersAt(size + 1)[0]
	if old, _ := before.Node("h1"); then.Log.ID() != old.Log.ID() || now.Log.ID() != d.Voters[0].Log.ID() {
		t.Error("a voter's log keys are not those of the epochs")
	}
	if _, gone, ok := s.EverNode("h3"); !ok || gone != d.Envelopes {
		t.Errorf("h3 is gone with envelope %d", gone)
	}
	if _, r := admit(s, e.Marshal(), e.SignedAt); r == nil {
		t.Error("the same recovery follows itself")
	}
	again := cut(t, s, "h1", "h2", "m4")
	next := recoveryOf(t, net, s, again)
	accept(t, s, next.Marshal(), next.SignedAt)
	s = deepCopy(t, s)
	if last := s.VotersAt(size + 2)[0]; s.LogEpoch != 3 || last.Log.ID() != again.Voters[0].Log.ID() || s.VotersAt(size + 1)[0].Log.ID() != d.Voters[0].Log.ID() ||
		s.VotersAt(size)[0].Log.ID() != then.Log.ID() {
		t.Errorf("epoch %d, and a voter's log keys are not those of the epochs", s.LogEpoch)
	}
}

func TestARecoveryThatDoesNotFitIsRefusedByName(t *testing.T) {
	net, s, _ := withMirror(t)
	s.Demo = false
	with := func(change func(*act.Recovery)) *act.Recovery {
		d := cut(t, s, "h1", "h2", "m4")
		change(d)
		return d
	}
	own, _ := s.Node("h2")
	for name, tc := range map[string]struct {
		d    *act.Recovery
		code state.Code
		says string
	}{
		"as it is":          {with(func(*act.Recovery) {}), "", ""},
		"an epoch too many": {with(func(d *act.Recovery) { d.Epoch = 3 }), state.CodeActPayload, "log epoch 3 after 1"},
		"this epoch":        {with(func(d *act.Recovery) { d.Epoch = 1 }), state.CodeActPayload, "log epoch"},
		"a longer copy's":   {with(func(d *act.Recovery) { d.Envelopes++ }), state.CodeActPayload, "the cut is at"},
		"a smaller tree's":  {with(func(d *act.Recovery) { d.Size-- }), state.CodeActPayload, "the cut is at"},
		"another root":      {with(func(d *act.Recovery) { d.Root[0] ^= 1 }), state.CodeActPayload, "the cut's root"},
		"two voters":        {with(func(d *act.Recovery) { d.Voters = d.Voters[:2] }), state.CodeVoters, "2 voters, at least 3"},
		"nobody":            {with(func(d *act.Recovery) { d.Voters = nil }), state.CodeActPayload, "nobody votes"},
		"out of order":      {with(func(d *act.Recovery) { slices.Reverse(d.Voters) }), state.CodeActPayload, "not ascending"},
		"a stranger":        {with(func(d *act.Recovery) { d.Voters[2].Node = "x9" }), state.CodeActPayload, `no node "x9"`},
		"a key in use":      {with(func(d *act.Recovery) { d.Voters[1].Log = own.Log }), state.CodeActPayload, "is or was in use"},
		"one key twice":     {with(func(d *act.Recovery) { d.Voters[1].Log = d.Voters[0].Log }), state.CodeActPayload, "the same log key"},
		"a fenced stranger": {with(func(d *act.Recovery) { d.Fenced = []string{"x9"} }), state.CodeActPayload, `no node "x9"`},
		"a fenced voter":    {with(func(d *act.Recovery) { d.Fenced = []string{"h1"} }), state.CodeActPayload, "votes and is fenced"},
		"no raft index":     {with(func(d *act.Recovery) { d.Index = 1 }), state.CodeActPayload, "raft's new log"},
	} {
		e := recoveryOf(t, net, s, tc.d)
		_, r := admit(s, e.Marshal(), e.SignedAt)
		refusedAs(t, name, r, tc.code, tc.says)
	}
}

func TestTwoVotersThatOnlyDialOutDoNotBeginAnEpoch(t *testing.T) {
	net, s, _ := withMirror(t)
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		s.Nodes[i].Addresses = nil
	}
	e := recoveryOf(t, net, s, cut(t, s, "h1", "h2", "m4"))
	_, r := admit(s, e.Marshal(), e.SignedAt)
	refusedAs(t, "two that dial out", r, state.CodeDialOnly, "only dials out")
}

func TestARecoveryHasTheLogTimeOfItsSigning(t *testing.T) {
	net, s, _ := withMirror(t)
	e := recoveryOf(t, net, s, cut(t, s, "h1", "h2", "m4"))
	_, r := admit(s, e.Marshal(), e.SignedAt+1)
	refusedAs(t, "a later log time", r, state.CodeActPayload, "the log time of its signing")
}

func TestARecoveryIsNotProposed(t *testing.T) {
	net, s, _ := withMirror(t)
	a := act.Act{Version: act.Version, Type: act.TypeRecovery, RosterVersion: s.RosterVersion, Expiry: now + act.MaxProposalLife/2,
		Payload: cut(t, s, "h1", "h2", "m4").Marshal()}
	_, r := admit(s, actOf(t, s, net.Hospitals[0], proposalOf(a, "why")).Marshal(), now)
	refusedAs(t, "a proposal", r, state.CodeActPayload, "is not approved, and not proposed")
}

// A node that was left behind knows from the act alone that it was, whatever its
// own copy holds beyond or short of the cut.
func TestWhoWasLeftBehindKnowsItFromTheAct(t *testing.T) {
	net, s, _ := withMirror(t)
	behind := s.Clone()
	accept(t, s, entries(t, s, net.Hospitals[1], 3).Marshal(), now)
	e := recoveryOf(t, net, s, cut(t, s, "h1", "m4", "reader"))
	for name, of := range map[string]*state.State{"at the cut": s, "behind it": behind} {
		if d, err := of.Succeeded(e); err != nil || d.Epoch != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	accept(t, s, e.Marshal(), e.SignedAt)
	if _, err := s.Succeeded(e); err == nil {
		t.Error("it follows the epoch that it began")
	}
	d := cut(t, behind, "h1", "m4", "reader")
	for name, one := range map[string]*envelope.Envelope{
		"one approval":    actOf(t, behind, net.Hospitals[0], decided(t, net, behind, act.TypeRecovery, d.Marshal(), 1)),
		"another act":     actOf(t, behind, net.Hospitals[0], decided(t, net, behind, act.TypePromotion, act.Promotion{Node: "m4"}.Marshal(), 1, 2)),
		"entries":         entries(t, behind, net.Hospitals[0], 1),
		"another network": foundingtest.New(t, 3).Genesis,
	} {
		if _, err := behind.Succeeded(one); err == nil {
			t.Errorf("%s shows that the network went on", name)
		}
	}
}

// A log in its first epoch is written as every release has written it.
func TestASnapshotOfTheFirstEpochKeepsItsFormat(t *testing.T) {
	net, s, _ := withMirror(t)
	if b := s.AppendCBOR(nil); b[1] != 32 || b[2] != 7 {
		t.Errorf("a snapshot begins with %x", b[:3])
	}
	e := recoveryOf(t, net, s, cut(t, s, "h1", "m4", "reader"))
	accept(t, s, e.Marshal(), e.SignedAt)
	b := s.AppendCBOR(nil)
	if b[1] != 33 || b[2] != 8 {
		t.Errorf("a snapshot of epoch 2 begins with %x", b[:3])
	}
	deepCopy(t, s)
	none := append(bytes.Clone(b[:len(b)-len(s.EncodedEpochs())]), 0x80)
	if _, err := state.Decode(cbor.NewDecoder(none)); err == nil {
		t.Error("a snapshot of epoch 2 without that epoch was read")
	}
}
