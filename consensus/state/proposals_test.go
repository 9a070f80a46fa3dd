package state_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

const day = 24 * 60 * 60 * 1000

// proposalOf puts an act forward.
func proposalOf(a act.Act, reason string) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeProposal, Payload: act.Proposal{Core: a.Core(), Reason: reason}.Marshal()}
}

// approvalOf is a member's approval of a proposed act in a network.
func approvalOf(t testing.TB, network [32]byte, m *foundingtest.Member, a act.Act) act.Act {
	t.Helper()
	p, err := a.Approve(network, m.Number, m.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	return act.Act{Version: act.Version, Type: act.TypeApproval, Payload: act.ProposalApproval{
		Proposal: act.ProposalID(network, a.Core()), Approval: p,
	}.Marshal()}
}

// lasting is an admission of a newcomer to the roster of s, for two weeks.
func lasting(t testing.TB, net *foundingtest.Network, s *state.State, m *foundingtest.Member) act.Act {
	t.Helper()
	a := admission(t, net, s, m)
	a.Expiry = now + 14*day
	return a
}

// refusedAs checks a refusal's code and its words; without a code the envelope
// is accepted.
func refusedAs(t *testing.T, name string, r *state.Refusal, code state.Code, words string) {
	t.Helper()
	switch {
	case code == "" && r != nil:
		t.Errorf("%s: %v", name, r)
	case code != "" && (r == nil || r.Code != code || !strings.Contains(r.Detail, words)):
		t.Errorf("%s: got %v, want %s: %s", name, r, code, words)
	}
}

func TestQLeadHospitalsDecideOnAProposal(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "h5", 5)
	a := lasting(t, net, s, m)
	id := act.ProposalID(net.ID, a.Core())
	accept(t, s, actOf(t, s, net.Hospitals[2], proposalOf(a, "新医院")).Marshal(), now+5)
	p, open := s.Proposal(id, now+5)
	if !open || p.Proposer != 3 || p.Envelope != 1 || p.LogTime != now+5 || p.Reason != "新医院" || !bytes.Equal(p.Act.Core(), a.Core()) {
		t.Fatalf("got %+v, %v", p, open)
	}
	accept(t, s, actOf(t, s, net.Hospitals[1], approvalOf(t, net.ID, net.Hospitals[1], a)).Marshal(), now+6)
	s = deepCopy(t, s)
	p, _ = s.Proposal(id, now+6)
	if _, ok := s.Approved(p); ok || len(s.Standing(p)) != 1 {
		t.Fatalf("one approval of two is enough: %d", len(s.Standing(p)))
	}
	accept(t, s, actOf(t, s, net.Hospitals[0], approvalOf(t, net.ID, net.Hospitals[0], a)).Marshal(), now+7)
	p, _ = s.Proposal(id, now+7)
	decided, ok := s.Approved(p)
	if !ok || len(decided.Approvals) != 2 || decided.Approvals[0].Hospital != 1 || decided.Approvals[1].Hospital != 2 {
		t.Fatalf("approved by %+v, %v", decided.Approvals, ok)
	}
	if len(s.Members) != 4 {
		t.Error("approvals alone let somebody in")
	}
	short := decided
	short.Approvals = decided.Approvals[:1]
	_, r := admit(s, actOf(t, s, net.Hospitals[0], short).Marshal(), now+8)
	refusedAs(t, "with q-1 approvals", r, state.CodeActApproval, "1 approvals of 2")

	accept(t, s, actOf(t, s, net.Hospitals[0], decided).Marshal(), now+8)
	if len(s.Members) != 5 || len(s.Proposals) != 0 {
		t.Errorf("%d members, %d proposals; want 5 and none", len(s.Members), len(s.Proposals))
	}
	s = deepCopy(t, s)
	if end, found := s.EndOfProposal(id, now+9); !found || end != state.Fulfilled || s.Ended[0].At != 4 || s.Ended[0].Envelope != 1 {
		t.Errorf("it is %s, %+v", end, s.Ended)
	}
	_, r = admit(s, actOf(t, s, net.Hospitals[1], decided).Marshal(), now+9)
	refusedAs(t, "submitted again", r, state.CodeActApproval, "approved for roster 1, which is 2 now")
	_, r = admit(s, actOf(t, s, net.Hospitals[2], approvalOf(t, net.ID, net.Hospitals[2], a)).Marshal(), now+9)
	refusedAs(t, "approved after the fact", r, state.CodeActPayload, "is fulfilled")
	_, r = admit(s, actOf(t, s, net.Hospitals[2], proposalOf(a, "")).Marshal(), now+9)
	refusedAs(t, "proposed after the fact", r, state.CodeActApproval, "proposed for roster 1, which is 2 now")
}

func TestProposalsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "h5", 5)
	good := lasting(t, net, s, m)
	with := func(change func(*act.Act)) act.Act {
		a := good
		change(&a)
		return proposalOf(a, "")
	}
	taken := act.Admission{Institution: m.Card.Institution, Nodes: slices.Clone(m.Card.Nodes)}
	taken.Nodes[0].ID = "h1"
	approved := proposalOf(good, "")
	approved.Approvals = approve(t, net, approved, 1).Approvals
	unread := proposalOf(good, "")
	unread.Payload = []byte("?")
	cut := proposalOf(good, "")
	cut.Payload = act.Proposal{Core: good.Core()[1:]}.Marshal()
	for name, tc := range map[string]struct {
		by    *foundingtest.Member
		act   act.Act
		want  state.Code
		words string
	}{
		"by a hospital":         {net.Hospitals[0], proposalOf(good, "why"), "", ""},
		"by a reader":           {net.Reader, proposalOf(good, ""), state.CodeActPayload, "institution 4 is no hospital"},
		"with approvals":        {net.Hospitals[0], approved, state.CodeActApproval, "needs no approvals"},
		"that cannot be read":   {net.Hospitals[0], unread, state.CodeActPayload, "proposal:"},
		"of half an act":        {net.Hospitals[0], cut, state.CodeActPayload, "core of an act"},
		"of an act of tomorrow": {net.Hospitals[0], with(func(a *act.Act) { a.Version = 2 }), state.CodeActType, "act version 2"},
		"of an act without approvals": {net.Hospitals[0], with(func(a *act.Act) { a.Type = act.TypeSaltsBackup }),
			state.CodeActPayload, "salts backup is not approved"},
		"of another act's payload": {net.Hospitals[0], with(func(a *act.Act) { a.Type = act.TypeRevoke }),
			state.CodeActPayload, "revocation: ENC001"},
		"for another roster":         {net.Hospitals[0], with(func(a *act.Act) { a.RosterVersion++ }), state.CodeActApproval, "proposed for roster 2, which is 1 now"},
		"that has expired":           {net.Hospitals[0], with(func(a *act.Act) { a.Expiry = now - 1 }), state.CodeActApproval, "within the hour"},
		"a millisecond short":        {net.Hospitals[0], with(func(a *act.Act) { a.Expiry = now + act.MinProposalLife - 1 }), state.CodeActApproval, "within the hour"},
		"for an hour":                {net.Hospitals[0], with(func(a *act.Act) { a.Expiry = now + act.MinProposalLife }), "", ""},
		"for 90 days":                {net.Hospitals[0], with(func(a *act.Act) { a.Expiry = now + act.MaxProposalLife }), "", ""},
		"a millisecond long":         {net.Hospitals[0], with(func(a *act.Act) { a.Expiry = now + act.MaxProposalLife + 1 }), state.CodeActApproval, "longer than 90 days"},
		"until the end of time":      {net.Hospitals[0], with(func(a *act.Act) { a.Expiry = 1<<64 - 1 }), state.CodeActApproval, "longer than 90 days"},
		"of what can never be":       {net.Hospitals[0], with(func(a *act.Act) { a.Payload = taken.Marshal() }), state.CodeActPayload, `there is or was a node "h1"`},
		"of what nobody understands": {net.Hospitals[0], with(func(a *act.Act) { a.Payload = []byte("?") }), state.CodeActPayload, "admission:"},
	} {
		_, r := admit(s, actOf(t, s, tc.by, tc.act).Marshal(), now)
		refusedAs(t, name, r, tc.want, tc.words)
	}
}

func TestApprovalsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	a := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5))
	other := lasting(t, net, s, foundingtest.Newcomer(t, "h6", 5))
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), now)
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(other, "")).Marshal(), now)
	one, two := net.Hospitals[0], net.Hospitals[1]
	changed := func(change func(*act.ProposalApproval)) act.Act {
		out := approvalOf(t, net.ID, two, a)
		d, err := act.DecodeProposalApproval(out.Payload)
		if err != nil {
			t.Fatal(err)
		}
		d.Approval.Signature.MLDSA = bytes.Clone(d.Approval.Signature.MLDSA)
		change(&d)
		out.Payload = d.Marshal()
		return out
	}
	unread := approvalOf(t, net.ID, two, a)
	unread.Payload = unread.Payload[:9]
	approved := approvalOf(t, net.ID, two, a)
	approved.Expiry = now
	lay := deepCopy(t, s)
	lay.Members[1].Lead = false
	given := deepCopy(t, s)
	accept(t, given, actOf(t, given, two, approvalOf(t, net.ID, two, a)).Marshal(), now)
	full := deepCopy(t, given)
	accept(t, full, actOf(t, full, one, approvalOf(t, net.ID, one, a)).Marshal(), now)
	for name, tc := range map[string]struct {
		in    *state.State
		by    *foundingtest.Member
		act   act.Act
		want  state.Code
		words string
	}{
		"by a lead hospital":          {s, two, approvalOf(t, net.ID, two, a), "", ""},
		"by its proposer":             {s, one, approvalOf(t, net.ID, one, a), "", ""},
		"by a reader":                 {s, net.Reader, approvalOf(t, net.ID, net.Reader, a), state.CodeActApproval, "institution 4 is no lead hospital"},
		"by a hospital without lead":  {lay, two, approvalOf(t, net.ID, two, a), state.CodeActApproval, "institution 2 is no lead hospital"},
		"that cannot be read":         {s, two, unread, state.CodeActPayload, "approval:"},
		"with an expiry of its own":   {s, two, approved, state.CodeActApproval, "needs no approvals"},
		"for another network":         {s, two, changed(func(p *act.ProposalApproval) { resign(t, p, two, a, [32]byte{1}) }), state.CodeActApproval, "approval by 2"},
		"of another act":              {s, two, changed(func(p *act.ProposalApproval) { resign(t, p, two, other, net.ID) }), state.CodeActApproval, "approval by 2"},
		"of nothing that is open":     {s, two, changed(func(p *act.ProposalApproval) { p.Proposal[0] ^= 1 }), state.CodeActPayload, "there is no proposal"},
		"in another hospital's name":  {s, two, changed(func(p *act.ProposalApproval) { p.Approval.Hospital = 3 }), state.CodeActApproval, "by institution 3, sent by 2"},
		"taken from another hospital": {s, one, approvalOf(t, net.ID, two, a), state.CodeActApproval, "by institution 2, sent by 1"},
		"with a key of its own":       {s, two, changed(func(p *act.ProposalApproval) { p.Approval.KeyID[0] ^= 1 }), state.CodeActApproval, "another key"},
		"with half a signature":       {s, two, changed(func(p *act.ProposalApproval) { clear(p.Approval.Signature.MLDSA) }), state.CodeActApproval, "approval by 2"},
		"with the other half":         {s, two, changed(func(p *act.ProposalApproval) { p.Approval.Signature.Ed25519[0] ^= 1 }), state.CodeActApproval, "approval by 2"},
		"for the second time":         {given, two, approvalOf(t, net.ID, two, a), state.CodeActApproval, "institution 2 has approved"},
		"after q approvals":           {full, net.Hospitals[2], approvalOf(t, net.ID, net.Hospitals[2], a), state.CodeActApproval, "has the 2 approvals it needs"},
	} {
		_, r := admit(tc.in, actOf(t, tc.in, tc.by, tc.act).Marshal(), now)
		refusedAs(t, name, r, tc.want, tc.words)
	}
}

// resign gives an approval the signature under another act or network.
func resign(t *testing.T, p *act.ProposalApproval, m *foundingtest.Member, a act.Act, network [32]byte) {
	t.Helper()
	var err error
	if p.Approval, err = a.Approve(network, m.Number, m.Envelope); err != nil {
		t.Fatal(err)
	}
}

func TestAProposalEndsWithItsExpiry(t *testing.T) {
	net, s := found(t)
	a := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5))
	id := act.ProposalID(net.ID, a.Core())
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), now)
	yes := approvalOf(t, net.ID, net.Hospitals[1], a)
	_, r := admit(s, actOf(t, s, net.Hospitals[1], yes).Marshal(), a.Expiry)
	refusedAs(t, "in its last millisecond", r, "", "")
	_, r = admit(s, actOf(t, s, net.Hospitals[1], yes).Marshal(), a.Expiry+1)
	refusedAs(t, "a millisecond late", r, state.CodeActPayload, "is expired")
	accept(t, s, entries(t, s, net.Hospitals[1], 1).Marshal(), a.Expiry+1)
	if len(s.Proposals) != 1 {
		t.Error("entries took a proposal from the list")
	}
	if end, found := s.EndOfProposal(id, a.Expiry+1); !found || end != state.Expired {
		t.Errorf("it is %s before an act took it from the list", end)
	}
	accept(t, s, actOf(t, s, net.Hospitals[2], unopenable(net.Hospitals[2], 1)).Marshal(), a.Expiry+1)
	if end, found := s.EndOfProposal(id, a.Expiry+1); len(s.Proposals) != 0 || !found || end != state.Expired {
		t.Errorf("%d in the list after an act; it is %s", len(s.Proposals), end)
	}
}

func TestAChangeOfTheRosterEndsEveryOtherProposal(t *testing.T) {
	net, s := found(t)
	first, second := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5)), lasting(t, net, s, foundingtest.Newcomer(t, "h6", 5))
	for _, a := range []act.Act{first, second} {
		accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), now)
	}
	yes := approvalOf(t, net.ID, net.Hospitals[2], second)
	before := s.Clone()
	accept(t, s, actOf(t, s, net.Hospitals[0], approve(t, net, first, 1, 2)).Marshal(), now)
	if len(s.Proposals) != 0 || len(s.Ended) != 2 || s.Ended[0].End != state.Fulfilled || s.Ended[1].End != state.Overtaken {
		t.Errorf("%d open, ended %+v", len(s.Proposals), s.Ended)
	}
	if len(before.Proposals) != 2 || len(before.Ended) != 0 {
		t.Error("a clone changed with its origin")
	}
	_, r := admit(s, actOf(t, s, net.Hospitals[2], yes).Marshal(), now)
	refusedAs(t, "approved for the roster before", r, state.CodeActPayload, "is overtaken")
}

func TestAnApprovalWithAKeyOfBeforeCountsNoMore(t *testing.T) {
	net, s := found(t)
	a := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5))
	id := act.ProposalID(net.ID, a.Core())
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), now)
	accept(t, s, actOf(t, s, net.Hospitals[0], approvalOf(t, net.ID, net.Hospitals[0], a)).Marshal(), now)
	accept(t, s, actOf(t, s, net.Hospitals[1], approvalOf(t, net.ID, net.Hospitals[1], a)).Marshal(), now)
	clone := s.Clone()
	renewed := foundingtest.Newcomer(t, "h1", 1)
	s.Members[0].Institution.Envelope = renewed.Envelope.Public()
	p, _ := s.Proposal(id, now)
	if _, ok := s.Approved(p); ok || len(s.Standing(p)) != 1 {
		t.Errorf("%d approvals stand after a key was replaced", len(s.Standing(p)))
	}
	s.Members[0].Signing = append(s.Members[0].Signing, state.SigningSpan{Key: renewed.Envelope.Public()})
	accept(t, s, actOf(t, s, renewed, approvalOf(t, net.ID, renewed, a)).Marshal(), now)
	if _, ok := s.Approved(p); !ok || len(p.Approvals) != 2 {
		t.Errorf("approved again: %d approvals, %v", len(p.Approvals), ok)
	}
	if old, _ := clone.Proposal(id, now); old.Approvals[0].KeyID != net.Hospitals[0].Envelope.Public().ID() {
		t.Error("a clone changed with its origin")
	}
}

func TestTheListOfProposalsIsBounded(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "h5", 5)
	numbered := func(n int) act.Act {
		a := lasting(t, net, s, m)
		a.Expiry = now + act.MinProposalLife + uint64(n)
		return a
	}
	one := func(by *foundingtest.Member, n int) *state.Refusal {
		_, r := admit(s, actOf(t, s, by, proposalOf(numbered(n), "")).Marshal(), now)
		return r
	}
	for n := range state.MaxProposalsOfOne {
		accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(numbered(n), "")).Marshal(), now)
	}
	refusedAs(t, "again", one(net.Hospitals[1], 0), state.CodeActPayload, "is open already")
	refusedAs(t, "a ninth", one(net.Hospitals[0], 90), state.CodeActPayload, "institution 1 has 8 open proposals")
	refusedAs(t, "another hospital's first", one(net.Hospitals[1], 90), "", "")

	for n := len(s.Proposals); n < state.MaxProposals; n++ { // of institutions that are not there
		p := s.Proposals[0]
		p.Act = numbered(n)
		p.ID, p.Proposer = act.ProposalID(net.ID, p.Act.Core()), 100+uint32(n/8)
		s.Proposals = append(s.Proposals, p)
	}
	refusedAs(t, "one more than all", one(net.Hospitals[1], 90), state.CodeActPayload, "64 proposals are open")
	deepCopy(t, s)
	late := now + act.MinProposalLife + uint64(10)
	a := numbered(0)
	a.Expiry = late + act.MinProposalLife
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), late)
	if n := len(s.Proposals); n != state.MaxProposals-10+1 {
		t.Errorf("%d are in the list after 10 have expired", n)
	}
}

func TestHospitalsThatDoNotLeadCannotFillTheList(t *testing.T) {
	net, s := found(t)
	a := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5))
	s.Members[1].Lead, s.Members[2].Lead = false, false
	for n := range state.MaxProposalsByOther {
		p := state.Proposal{Proposer: 2, Act: a}
		p.Act.Expiry = a.Expiry + 1 + uint64(n)
		p.ID = act.ProposalID(net.ID, p.Act.Core())
		s.Proposals = append(s.Proposals, p)
	}
	_, r := admit(s, actOf(t, s, net.Hospitals[2], proposalOf(a, "")).Marshal(), now)
	refusedAs(t, "by one that does not lead", r, state.CodeActPayload, "32 proposals by hospitals that do not lead")
	_, r = admit(s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), now)
	refusedAs(t, "by a lead hospital", r, "", "")
}

func TestTheMemoryOfEndedProposalsIsBounded(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "h5", 5)
	at := uint64(now)
	var last [32]byte
	for range 70 {
		a := lasting(t, net, s, m)
		a.Expiry = at + act.MinProposalLife
		last = act.ProposalID(net.ID, a.Core())
		accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "")).Marshal(), at)
		at = a.Expiry + 1
	}
	accept(t, s, actOf(t, s, net.Hospitals[0], unopenable(net.Hospitals[0], 1)).Marshal(), at)
	if n := len(s.Ended); n != 64 || s.Ended[63].ID != last {
		t.Errorf("%d are remembered, want the newest 64", n)
	}
	deepCopy(t, s)
}

func decodeState(raw []byte) (*state.State, error) { return state.Decode(cbor.NewDecoder(raw)) }

func TestSnapshotsWithDamagedProposalsAreNotRead(t *testing.T) {
	net, s := found(t)
	a := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5))
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(a, "why")).Marshal(), now)
	raw := s.AppendCBOR(nil)
	at := bytes.Index(raw, a.Core())
	if at < 0 {
		t.Fatal("no core in the snapshot")
	}
	if _, err := decodeState(raw); err != nil {
		t.Fatal(err)
	}
	raw[at] ^= 1 // an array of 4
	if _, err := decodeState(raw); err == nil || !strings.Contains(err.Error(), "core of an act") {
		t.Errorf("got %v", err)
	}
}
