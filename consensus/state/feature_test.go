package state_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// supports is what a node's institution says of its build.
func supports(node string, level uint64) act.Act {
	return plainAct(act.TypeSupport, act.Support{Node: node, Level: level}.Marshal())
}

// raised raises the feature level once every voter has said that it supports it.
func raised(t testing.TB, net *foundingtest.Network, s *state.State, level uint64) {
	t.Helper()
	for i, id := range []string{"h1", "h2", "h3"} {
		if known, said := s.Support(id); !said || known != level {
			accept(t, s, actOf(t, s, net.Hospitals[i], supports(id, level)).Marshal(), now)
		}
	}
	decide(t, net, s, act.TypeFeature, act.Feature{Level: level}.Marshal())
}

func TestTheFeatureLevelRisesOnceEveryVoterSupportsIt(t *testing.T) {
	net, s := found(t)
	raise := decided(t, net, s, act.TypeFeature, act.Feature{Level: 2}.Marshal(), 1, 2)
	for i, id := range []string{"h1", "h2", "h3"} {
		_, r := admit(s, actOf(t, s, net.Hospitals[0], raise).Marshal(), now)
		refusedAs(t, "before "+id+" supports it", r, state.CodeSupport, `voter "`+id+`" supports feature level 1, not 2`)
		accept(t, s, actOf(t, s, net.Hospitals[i], supports(id, 2)).Marshal(), now)
		s = deepCopy(t, s)
	}
	before := s.Clone()
	accept(t, s, actOf(t, s, net.Hospitals[2], supports("h3", 1)).Marshal(), now) // an older build again
	_, r := admit(s, actOf(t, s, net.Hospitals[0], raise).Marshal(), now)
	refusedAs(t, "after one went back", r, state.CodeSupport, `voter "h3" supports feature level 1`)
	if level, _ := before.Support("h3"); level != 2 {
		t.Error("a clone learned of what came later")
	}
	accept(t, s, actOf(t, s, net.Hospitals[2], supports("h3", 3)).Marshal(), now)
	version := s.RosterVersion
	accept(t, s, actOf(t, s, net.Hospitals[0], raise).Marshal(), now)
	s = deepCopy(t, s)
	if s.FeatureLevel != 2 || s.RosterVersion != version {
		t.Errorf("level %d, roster %d after %d", s.FeatureLevel, s.RosterVersion, version)
	}
	_, r = admit(s, actOf(t, s, net.Hospitals[0], raise).Marshal(), now)
	refusedAs(t, "raised again", r, state.CodeActPayload, "level 2 is in force, and never falls")
}

func TestAProposalToRaiseTheLevelAsksNodesWhatTheySupport(t *testing.T) {
	net, s := found(t)
	raise := plainAct(act.TypeFeature, act.Feature{Level: 2}.Marshal())
	raise.RosterVersion, raise.Expiry = s.RosterVersion, now+day
	due := func(want bool, node string, level uint64) {
		t.Helper()
		if s.SupportDue(node, level, now) != want {
			t.Errorf("%s is to say that it supports %d: %t", node, level, !want)
		}
	}
	due(false, "h1", 2)
	accept(t, s, actOf(t, s, net.Hospitals[2], proposalOf(raise, "")).Marshal(), now)
	due(true, "h1", 2)
	due(false, "h1", 1)
	due(false, "stranger", 2)
	_, r := admit(s, actOf(t, s, net.Hospitals[0], approvalOf(t, net.ID, net.Hospitals[0], raise)).Marshal(), now)
	refusedAs(t, "approved too early", r, state.CodeSupport, `voter "h1"`)
	for i, id := range []string{"h1", "h2", "h3"} {
		accept(t, s, actOf(t, s, net.Hospitals[i], supports(id, 2)).Marshal(), now)
		due(false, id, 2)
		due(true, id, 1)
	}
	for _, n := range []int{0, 1} {
		accept(t, s, actOf(t, s, net.Hospitals[n], approvalOf(t, net.ID, net.Hospitals[n], raise)).Marshal(), now)
	}
	again := raise
	again.Expiry += day
	accept(t, s, actOf(t, s, net.Hospitals[2], proposalOf(again, "")).Marshal(), now)
	id := act.ProposalID(net.ID, again.Core())
	p, _ := s.Proposal(act.ProposalID(net.ID, raise.Core()), now)
	done, ok := s.Approved(p)
	if !ok {
		t.Fatal("two approvals of two are not enough")
	}
	accept(t, s, actOf(t, s, net.Hospitals[0], done).Marshal(), now)
	if end, _ := s.EndOfProposal(id, now); end != state.Overtaken {
		t.Errorf("a second proposal of the same level is %s", end)
	}
	due(true, "reader", 2) // a level above the first is in force
}

func TestWhatNodesSayOfTheirBuildsIsRefusedByName(t *testing.T) {
	net, s := found(t)
	accept(t, s, actOf(t, s, net.Hospitals[0], supports("h1", 2)).Marshal(), now)
	approved := decided(t, net, s, act.TypeSupport, act.Support{Node: "h1", Level: 3}.Marshal(), 1, 2)
	raise := func(level uint64, by ...int) act.Act {
		return decided(t, net, s, act.TypeFeature, act.Feature{Level: level}.Marshal(), by...)
	}
	unknown := plainAct(77, nil)
	newer := supports("h1", 3)
	newer.Version = 2
	for name, tc := range map[string]struct {
		a    act.Act
		code state.Code
		why  string
	}{
		"of another's node":   {supports("h2", 2), state.CodeActPayload, `node "h2" is not the sender's`},
		"of no node":          {supports("h9", 2), state.CodeActPayload, `node "h9" is not`},
		"what is known":       {supports("h1", 2), state.CodeActPayload, "has said that it supports level 2"},
		"level 0":             {supports("h1", 0), state.CodeActPayload, "levels count from 1"},
		"a level out of all":  {supports("h1", act.MaxLevel+1), state.CodeActPayload, "support: "},
		"with approvals":      {approved, state.CodeActApproval, "needs no approvals"},
		"a raise to no level": {raise(0, 1, 2), state.CodeActPayload, "level 1 is in force"},
		"a raise by one":      {raise(2, 1), state.CodeActApproval, "1 approvals of 2"},
		"a raise of nothing":  {raise(1, 1, 2), state.CodeActPayload, "level 1 is in force"},
		"a type of no level":  {unknown, state.CodeActType, "act type 77 is above feature level 1"},
		"another act version": {newer, state.CodeActType, "act version 2 is above feature level 1"},
	} {
		_, r := admit(s, actOf(t, s, net.Hospitals[0], tc.a).Marshal(), now)
		refusedAs(t, name, r, tc.code, tc.why)
	}
	decide(t, net, s, act.TypeRemoval, act.Removal{Institution: 1, Node: "h1"}.Marshal())
	if _, said := s.Support("h1"); said {
		t.Error("what a removed node said is kept")
	}
}

func TestABuildThatDoesNotKnowALevelStopsAtTheActThatRaisesIt(t *testing.T) {
	net, s := found(t)
	const beyond = act.SupportedLevel + 1
	for i, id := range []string{"h1", "h2", "h3"} {
		e := actOf(t, s, net.Hospitals[i], supports(id, beyond))
		if err := s.Follow(e); err != nil {
			t.Errorf("stops too early: %v", err)
		}
		accept(t, s, e.Marshal(), now)
	}
	raw := actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeFeature, act.Feature{Level: beyond}.Marshal(), 1, 2)).Marshal()
	if _, r := admit(s, raw, now); r != nil {
		t.Fatalf("a node must not refuse what others accept: %v", r)
	}
	e, err := envelope.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Follow(e); !errors.Is(err, state.ErrTooOld) {
		t.Errorf("it goes on: %v", err)
	}
	accept(t, s, raw, now) // as a newer build does
	snapshot := s.AppendCBOR(nil)
	if _, err := state.Decode(cbor.NewDecoder(snapshot)); !errors.Is(err, state.ErrTooOld) {
		t.Errorf("a snapshot of that level: %v", err)
	}
	_, s = found(t)
	newer := bytes.Clone(s.AppendCBOR(nil))
	newer[2] = state.Format + 1
	if _, err := state.Decode(cbor.NewDecoder(newer)); !errors.Is(err, state.ErrTooOld) {
		t.Errorf("a snapshot of a later format: %v", err)
	}
}
