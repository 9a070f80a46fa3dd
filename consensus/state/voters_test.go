package state_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// decide accepts an act that hospitals 1 and 2 approve.
func decide(t testing.TB, net *foundingtest.Network, s *state.State, kind act.Type, payload []byte) {
	t.Helper()
	accept(t, s, actOf(t, s, net.Hospitals[0], decided(t, net, s, kind, payload, 1, 2)).Marshal(), now)
}

// withMirror is a network with a fourth hospital, which has the mirror "m4".
func withMirror(t testing.TB) (*foundingtest.Network, *state.State, *foundingtest.Member) {
	t.Helper()
	net, s := found(t)
	m := foundingtest.Newcomer(t, "m4", 5)
	m.Card.Nodes[0].Addresses = []string{"127.0.0.1:8471"}
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, m, 1, 2)).Marshal(), now)
	return net, s, m
}

func kindOf(s *state.State, id string) act.NodeKind {
	n, ok := s.Node(id)
	if !ok {
		return 0
	}
	return n.Kind
}

func votersAt(s *state.State, size uint64) (ids []string) {
	for _, v := range s.VotersAt(size) {
		ids = append(ids, v.ID)
	}
	return ids
}

func wantVoters(t testing.TB, s *state.State, size uint64, want ...string) {
	t.Helper()
	if got := votersAt(s, size); !slices.Equal(got, want) {
		t.Errorf("voters at size %d of %d: %v, want %v", size, s.Tree.Size(), got, want)
	}
}

func TestAMirrorVotesFromItsOwnReadinessOn(t *testing.T) {
	net, s, m := withMirror(t)
	ready := plainAct(act.TypeReadiness, act.Readiness{Node: "m4"}.Marshal())
	_, r := admit(s, actOf(t, s, m, ready).Marshal(), now)
	refusedAs(t, "ready, not promoted", r, state.CodeActPayload, "was not promoted")
	decide(t, net, s, act.TypePromotion, act.Promotion{Node: "m4"}.Marshal())
	s = deepCopy(t, s)
	wantVoters(t, s, s.Tree.Size(), "h1", "h2", "h3")
	if kindOf(s, "m4") != act.NonVoter {
		t.Errorf("a promoted mirror is a %s", kindOf(s, "m4"))
	}
	_, r = admit(s, actOf(t, s, net.Hospitals[2], ready).Marshal(), now)
	refusedAs(t, "another's word for it", r, state.CodeActPayload, "is not the sender's")
	before, size := s.Clone(), s.Tree.Size()
	accept(t, s, actOf(t, s, m, ready).Marshal(), now)
	wantVoters(t, s, size, "h1", "h2", "h3")
	wantVoters(t, s, size+1, "h1", "h2", "h3", "m4")
	wantVoters(t, before, size+1, "h1", "h2", "h3")
	deepCopy(t, s)
	_, r = admit(s, actOf(t, s, m, ready).Marshal(), now)
	refusedAs(t, "ready again", r, state.CodeActPayload, "it is a voter")
}

func TestAVoterGivesWayWhenItsSuccessorIsReady(t *testing.T) {
	net, s, m := withMirror(t)
	decide(t, net, s, act.TypePromotion, act.Promotion{Node: "m4", InPlaceOf: "h3"}.Marshal())
	if kindOf(s, "h3") != act.Voter {
		t.Error("a voter went before its successor was ready")
	}
	_, r := admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypePromotion,
		act.Promotion{Node: "reader", InPlaceOf: "h3"}.Marshal(), 1, 2)).Marshal(), now)
	refusedAs(t, "a second in the same place", r, state.CodeActPayload, `"m4" takes the place of "h3" already`)
	version := s.RosterVersion
	accept(t, s, actOf(t, s, m, plainAct(act.TypeReadiness, act.Readiness{Node: "m4"}.Marshal())).Marshal(), now)
	s = deepCopy(t, s)
	wantVoters(t, s, s.Tree.Size(), "h1", "h2", "m4")
	if kindOf(s, "h3") != act.Mirror || len(s.Candidates) != 0 || s.RosterVersion != version {
		t.Errorf("h3 is a %s, candidates %v, roster %d after %d", kindOf(s, "h3"), s.Candidates, s.RosterVersion, version)
	}
	decide(t, net, s, act.TypePromotion, act.Promotion{Node: "h3"}.Marshal())
	decide(t, net, s, act.TypeDemotion, act.Demotion{Node: "h3"}.Marshal()) // of one that is not ready yet
	if kindOf(s, "h3") != act.Mirror || len(s.Candidates) != 0 {
		t.Errorf("h3 is a %s, candidates %v", kindOf(s, "h3"), s.Candidates)
	}
	wantVoters(t, s, 1, "h1", "h2", "h3")
}

func TestASuccessorOfOneThatWentIsOneMore(t *testing.T) {
	net, s, m := withMirror(t)
	decide(t, net, s, act.TypePromotion, act.Promotion{Node: "m4", InPlaceOf: "h3"}.Marshal())
	decide(t, net, s, act.TypeRemoval, act.Removal{Institution: 3, Node: "h3"}.Marshal())
	accept(t, s, actOf(t, s, m, plainAct(act.TypeReadiness, act.Readiness{Node: "m4"}.Marshal())).Marshal(), now)
	wantVoters(t, s, s.Tree.Size(), "h1", "h2", "m4")
	deepCopy(t, s)
}

// grown is a copy of s with so many voters, which have addresses or not.
func grown(t testing.TB, s *state.State, voters int, addresses []string) *state.State {
	t.Helper()
	c := deepCopy(t, s)
	for n := len(c.Voters()); n < voters; n++ { // of a state that is not kept
		c.Nodes = append(c.Nodes, act.Node{ID: fmt.Sprintf("x%d", n), Institution: 1, Kind: act.Voter, Addresses: addresses,
			TLS: c.Nodes[0].TLS, Log: c.Nodes[0].Log, Cosign: c.Nodes[0].Cosign})
	}
	return c
}

func TestChangesOfTheVotersAreRefusedByName(t *testing.T) {
	net, s, m := withMirror(t)
	real := deepCopy(t, s)
	real.Demo = false
	four := grown(t, real, 4, []string{"127.0.0.1:1"})
	dialOnly := deepCopy(t, s)
	for i := range dialOnly.Nodes {
		if id := dialOnly.Nodes[i].ID; id == "m4" || id == "h3" {
			dialOnly.Nodes[i].Addresses = nil
		}
	}
	one := deepCopy(t, s)
	for i := range one.Nodes {
		if one.Nodes[i].Kind == act.Voter && one.Nodes[i].ID != "h1" {
			one.Nodes[i].Kind = act.Mirror
		}
	}
	promote := func(node, inPlaceOf string) []byte { return act.Promotion{Node: node, InPlaceOf: inPlaceOf}.Marshal() }
	for name, tc := range map[string]struct {
		in      *state.State
		kind    act.Type
		payload []byte
		want    state.Code
		words   string
	}{
		"a mirror":                             {s, act.TypePromotion, promote("m4", ""), "", ""},
		"a stranger":                           {s, act.TypePromotion, promote("m9", ""), state.CodeActPayload, `no node "m9"`},
		"a voter":                              {s, act.TypePromotion, promote("h1", ""), state.CodeActPayload, "is a voter, and only a mirror"},
		"in place of a mirror":                 {s, act.TypePromotion, promote("m4", "reader"), state.CodeActPayload, "is no voter whose place"},
		"in place of a stranger":               {s, act.TypePromotion, promote("m4", "x"), state.CodeActPayload, "is no voter whose place"},
		"bytes that are none":                  {s, act.TypePromotion, []byte{0x80}, state.CodeActPayload, "promotion: ENC001"},
		"a tenth voter":                        {grown(t, s, 9, []string{"127.0.0.1:1"}), act.TypePromotion, promote("m4", ""), state.CodeVoters, "10 voters, at most 9"},
		"one in place of nine":                 {grown(t, s, 9, []string{"127.0.0.1:1"}), act.TypePromotion, promote("m4", "h2"), "", ""},
		"a second that only dials out":         {dialOnly, act.TypePromotion, promote("m4", ""), state.CodeDialOnly, `"m4" only dials out, and so does "h3"`},
		"one that dials out for one that does": {dialOnly, act.TypePromotion, promote("m4", "h3"), "", ""},
		"to two of three in a demo":            {s, act.TypeDemotion, act.Demotion{Node: "h2"}.Marshal(), "", ""},
		"to two of three":                      {real, act.TypeDemotion, act.Demotion{Node: "h2"}.Marshal(), state.CodeVoters, "2 voters would be left, at least 3"},
		"to three of four":                     {four, act.TypeDemotion, act.Demotion{Node: "h2"}.Marshal(), "", ""},
		"the last of a demo":                   {one, act.TypeDemotion, act.Demotion{Node: "h1"}.Marshal(), state.CodeVoters, "0 voters would be left"},
		"a mirror demoted":                     {s, act.TypeDemotion, act.Demotion{Node: "m4"}.Marshal(), state.CodeActPayload, "is a mirror already"},
		"nobody demoted":                       {s, act.TypeDemotion, act.Demotion{Node: "x"}.Marshal(), state.CodeActPayload, "there is no node"},
		"a hospital with a voter":              {real, act.TypeRemoval, act.Removal{Institution: 3}.Marshal(), state.CodeVoters, "2 voters would be left"},
		"its voter alone":                      {real, act.TypeRemoval, act.Removal{Institution: 3, Node: "h3"}.Marshal(), state.CodeVoters, "2 voters would be left"},
		"another's node":                       {s, act.TypeRemoval, act.Removal{Institution: 3, Node: "h2"}.Marshal(), state.CodeActPayload, "is not of institution 3"},
		"a stranger removed":                   {s, act.TypeRemoval, act.Removal{Institution: 9}.Marshal(), state.CodeActPayload, "institution 9 is not a member"},
	} {
		_, r := admit(tc.in, actOf(t, tc.in, net.Hospitals[1], decided(t, net, tc.in, tc.kind, tc.payload, 1, 2)).Marshal(), now)
		refusedAs(t, name, r, tc.want, tc.words)
		bare := decided(t, net, tc.in, tc.kind, tc.payload, 1, 2)
		bare.Approvals = bare.Approvals[:1]
		if _, r = admit(tc.in, actOf(t, tc.in, m, bare).Marshal(), now); r == nil {
			t.Errorf("%s, with one approval of two: admitted", name)
		}
	}
}

func TestARemovedHospitalHasNoVoiceAndItsEntriesStay(t *testing.T) {
	net, s, m := withMirror(t)
	accept(t, s, entries(t, s, m, 2).Marshal(), now)
	late := entries(t, s, m, 1)
	decide(t, net, s, act.TypeRemoval, act.Removal{Institution: 5}.Marshal())
	s = deepCopy(t, s)
	_, r := admit(s, late.Marshal(), now)
	refusedAs(t, "what it sends", r, state.CodeRemoved, "institution 5 was removed with envelope 3")
	again := foundingtest.Newcomer(t, "m4", 6)
	_, r = admit(s, actOf(t, s, net.Hospitals[0], admission(t, net, s, again, 1, 2)).Marshal(), now)
	refusedAs(t, "its node's id for another", r, state.CodeActPayload, `there is or was a node "m4"`)
	again = foundingtest.Newcomer(t, "m6", 6)
	again.Card.Nodes[0].TLS = m.TLS.Public()
	_, r = admit(s, actOf(t, s, net.Hospitals[0], admission(t, net, s, again, 1, 2)).Marshal(), now)
	refusedAs(t, "its node's key for another", r, state.CodeActPayload, "is in use")
	if _, there := s.Node("m4"); there || s.Quota(5, 0) != 0 {
		t.Errorf("its node is there: %v, its quota %d", there, s.Quota(5, 0))
	}
	_, r = admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeRemoval, act.Removal{Institution: 5}.Marshal(), 1, 2)).Marshal(), now)
	refusedAs(t, "removed again", r, state.CodeRemoved, "was removed")
	if got, _ := s.Member(5); got.Chain.Sequence != 1 || got.Lead {
		t.Errorf("its chain ends at %d", got.Chain.Sequence)
	}
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, foundingtest.Newcomer(t, "m7", 6), 1, 2)).Marshal(), now)
}

func TestAHospitalLeavesByItselfAndSpeaksForNobodyElse(t *testing.T) {
	_, s, m := withMirror(t)
	_, r := admit(s, actOf(t, s, m, plainAct(act.TypeRemoval, act.Removal{Institution: 3}.Marshal())).Marshal(), now)
	refusedAs(t, "for another", r, state.CodeActApproval, "")
	accept(t, s, actOf(t, s, m, plainAct(act.TypeRemoval, act.Removal{Institution: 5}.Marshal())).Marshal(), now)
	if at, removed := s.RemovedAt(5); !removed || at != 2 {
		t.Errorf("removed %v with envelope %d", removed, at)
	}
}

func TestWhoIsNeededIsNotRemoved(t *testing.T) {
	net, s := found(t)
	all := deepCopy(t, s)
	all.Quorum = 3
	_, r := admit(all, actOf(t, all, net.Hospitals[2], plainAct(act.TypeRemoval, act.Removal{Institution: 3}.Marshal())).Marshal(), now)
	refusedAs(t, "a lead hospital that q needs", r, state.CodeNeeded, "2 lead hospitals would be left, and q is 3")
	_, r = admit(s, actOf(t, s, net.Reader, plainAct(act.TypeRemoval, act.Removal{Institution: 4}.Marshal())).Marshal(), now)
	refusedAs(t, "the last national reader", r, state.CodeNeeded, "0 national readers would be left")
	decide(t, net, s, act.TypeRemoval, act.Removal{Institution: 3}.Marshal())
	if !s.ReshareDue() {
		t.Error("a holder has left, and no reshare is due")
	}
	s.Quorum = 1 // so that only the shares stand in the way
	_, r = admit(s, actOf(t, s, net.Hospitals[1], plainAct(act.TypeRemoval, act.Removal{Institution: 2}.Marshal())).Marshal(), now)
	refusedAs(t, "a holder of the last two", r, state.CodeNeeded, "1 share holders would be left, and 2")
}

func TestAnInstitutionGetsAnotherNode(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "h1-new", 1)
	node := m.Card.Nodes[0]
	enrol := func(change func(*act.Node)) []byte {
		n := node
		change(&n)
		return act.Enrolment{Node: n}.Marshal()
	}
	full := deepCopy(t, s)
	for i := range 3 {
		full.Nodes = append(full.Nodes, act.Node{ID: fmt.Sprintf("y%d", i), Institution: 1, Kind: act.Mirror,
			TLS: full.Nodes[0].TLS, Log: full.Nodes[0].Log, Cosign: full.Nodes[0].Cosign})
	}
	for name, tc := range map[string]struct {
		in    *state.State
		by    int
		raw   []byte
		want  state.Code
		words string
	}{
		"its own":           {s, 0, enrol(func(*act.Node) {}), "", ""},
		"by another":        {s, 1, enrol(func(*act.Node) {}), state.CodeActApproval, ""},
		"a voter at once":   {s, 0, enrol(func(n *act.Node) { n.Kind = act.Voter }), state.CodeActPayload, "comes as a mirror"},
		"an id in use":      {s, 0, enrol(func(n *act.Node) { n.ID = "h2" }), state.CodeActPayload, `there is or was a node "h2"`},
		"an id that is bad": {s, 0, enrol(func(n *act.Node) { n.ID = "H 2" }), state.CodeActPayload, "use 1 to 32"},
		"a key in use":      {s, 0, enrol(func(n *act.Node) { n.TLS = net.Hospitals[1].TLS.Public() }), state.CodeActPayload, "is or was in use"},
		"a fifth":           {full, 0, enrol(func(*act.Node) {}), state.CodeActPayload, "has 4 nodes"},
	} {
		_, r := admit(tc.in, actOf(t, tc.in, net.Hospitals[tc.by], plainAct(act.TypeEnrolment, tc.raw)).Marshal(), now)
		refusedAs(t, name, r, tc.want, tc.words)
	}
	decide(t, net, s, act.TypeEnrolment, enrol(func(*act.Node) {})) // lead hospitals may as well
	if s = deepCopy(t, s); kindOf(s, "h1-new") != act.Mirror || s.RosterVersion != 2 {
		t.Errorf("the new node is a %s in roster %d", kindOf(s, "h1-new"), s.RosterVersion)
	}
}

func TestSettingsAndRightsChangeByAct(t *testing.T) {
	net, s := found(t)
	now1 := act.Settings{Quorum: s.Quorum, Policy: s.Policy}
	with := func(change func(*act.Settings)) []byte { d := now1; change(&d); return d.Marshal() }
	rights := func(n uint32, r act.Rights) []byte { return act.RightsChange{Institution: n, Rights: r}.Marshal() }
	regional := deepCopy(t, s)
	regional.Members[3].Province = "11"
	two := deepCopy(t, s)
	second := foundingtest.Newcomer(t, "r2", 5)
	second.Card.Institution.Role, second.Card.Institution.Rights, second.Card.Institution.Province = act.RoleReader, act.RightNational, "51"
	accept(t, two, actOf(t, two, net.Hospitals[0], admission(t, net, two, second, 1, 2)).Marshal(), now)
	for name, tc := range map[string]struct {
		in    *state.State
		kind  act.Type
		raw   []byte
		want  state.Code
		words string
	}{
		"another min_cell":       {s, act.TypeSettings, with(func(d *act.Settings) { d.Policy.MinCell = 20 }), "", ""},
		"a min_cell of 2":        {s, act.TypeSettings, with(func(d *act.Settings) { d.Policy.MinCell = 2 }), state.CodeActPayload, "min_cell 2"},
		"a quota for all":        {s, act.TypeSettings, with(func(d *act.Settings) { d.Policy.QuotaFloor = 1_000_001 }), state.CodeActPayload, "quota floor 1000001"},
		"no overlap":             {s, act.TypeSettings, with(func(d *act.Settings) { d.Policy.ReaderOverlap = 0 }), state.CodeActPayload, "reader overlap 0"},
		"q above the leads":      {s, act.TypeSettings, with(func(d *act.Settings) { d.Quorum = 4 }), state.CodeActPayload, "q = 4 of 3"},
		"q of nobody":            {s, act.TypeSettings, with(func(d *act.Settings) { d.Quorum = 0 }), state.CodeActPayload, "q = 0"},
		"as they are":            {s, act.TypeSettings, with(func(*act.Settings) {}), state.CodeActPayload, "in force already"},
		"a hospital's rights":    {s, act.TypeRights, rights(1, act.RightNational), state.CodeActPayload, "only a reader"},
		"the last reader's":      {s, act.TypeRights, rights(4, 0), state.CodeNeeded, "0 national readers"},
		"genetics alone":         {s, act.TypeRights, rights(4, act.RightGenetics), state.CodeActPayload, "or nothing"},
		"nation and province":    {regional, act.TypeRights, rights(4, act.RightNational|act.RightProvince), state.CodeActPayload, "or nothing"},
		"without genetics":       {s, act.TypeRights, rights(4, act.RightNational), "", ""},
		"the same":               {s, act.TypeRights, rights(4, act.RightNational|act.RightGenetics), state.CodeActPayload, "these rights already"},
		"one of two to province": {two, act.TypeRights, rights(5, act.RightProvince), "", ""},
		"one of two to nothing":  {two, act.TypeRights, rights(5, 0), "", ""},
	} {
		_, r := admit(tc.in, actOf(t, tc.in, net.Hospitals[0], decided(t, net, tc.in, tc.kind, tc.raw, 1, 2)).Marshal(), now)
		refusedAs(t, name, r, tc.want, tc.words)
	}
	decide(t, net, s, act.TypeSettings, with(func(d *act.Settings) { d.Quorum = 3 }))
	_, r := admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeRights, rights(4, act.RightNational), 1, 2)).Marshal(), now)
	refusedAs(t, "with as many approvals as before", r, state.CodeActApproval, "2 approvals of 3")
	decide(t, net, two, act.TypeRights, rights(5, 0))
	if set, _ := two.ReadersFor(1); len(set.National) != 1 || set.Number != two.Envelopes-1 {
		t.Errorf("after a reader lost its rights, set %d has %d national readers", set.Number, len(set.National))
	}
	deepCopy(t, two)
}

func TestASnapshotWhoseVotersContradictItsRosterIsNotRead(t *testing.T) {
	_, s := found(t)
	s.VoterSets[0].Nodes = s.VoterSets[0].Nodes[:2]
	if _, err := state.Decode(cbor.NewDecoder(s.AppendCBOR(nil))); err == nil {
		t.Error("read")
	}
	s.VoterSets = nil
	if _, err := state.Decode(cbor.NewDecoder(s.AppendCBOR(nil))); err == nil {
		t.Error("read without voters")
	}
}

// TestASnapshotBeforeVotersChangedOpens makes those of formats 5 and 6 as the
// releases that wrote them did: the same fields without the last ones.
func TestASnapshotBeforeVotersChangedOpens(t *testing.T) {
	_, s := found(t)
	now, features := s.AppendCBOR(nil), len(s.EncodedFeatures())
	for format, tail := range map[byte]int{5: len(s.EncodedMembership()) + features, 6: features} {
		before := bytes.Clone(now[:len(now)-tail])
		before[1], before[2] = 25+format, format
		d := cbor.NewDecoder(before)
		got, err := state.Decode(d)
		if err != nil || d.Done() != nil {
			t.Fatalf("format %d: %v, %v", format, err, d.Done())
		}
		if !bytes.Equal(got.AppendCBOR(nil), now) {
			t.Errorf("a state read from format %d is not the one that was written", format)
		}
	}
}
