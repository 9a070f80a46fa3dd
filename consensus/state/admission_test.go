package state_test

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// admission is the act that admits a newcomer, approved by hospitals of net.
func admission(t testing.TB, net *foundingtest.Network, s *state.State, m *foundingtest.Member, by ...int) act.Act {
	t.Helper()
	payload := act.Admission{Institution: m.Card.Institution, Nodes: m.Card.Nodes}
	return approve(t, net, act.Act{
		Version: act.Version, Type: act.TypeAdmission, RosterVersion: s.RosterVersion, Expiry: now + 60_000, Payload: payload.Marshal(),
	}, by...)
}

// approve gives an act the approvals of some of a network's hospitals.
func approve(t testing.TB, net *foundingtest.Network, a act.Act, by ...int) act.Act {
	t.Helper()
	a.Approvals = nil
	for _, n := range by {
		p, err := a.Approve(net.ID, uint32(n), net.Hospitals[n-1].Envelope)
		if err != nil {
			t.Fatal(err)
		}
		a.Approvals = append(a.Approvals, p)
	}
	return a
}

func TestAnAdmittedHospitalSendsWithTheNextEnvelope(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "a-newcomer", 5)
	before := s.Clone()
	accept(t, s, actOf(t, s, net.Hospitals[1], admission(t, net, s, m, 1, 2)).Marshal(), now)
	if len(before.Members) != 4 || before.RosterVersion != 1 {
		t.Error("a clone changed with its origin")
	}
	if s.RosterVersion != 2 {
		t.Errorf("roster version %d after one admission", s.RosterVersion)
	}
	ids := []string{}
	for _, n := range s.Nodes {
		ids = append(ids, n.ID)
	}
	if !slices.IsSorted(ids) || !slices.Contains(ids, "a-newcomer") {
		t.Errorf("nodes are %v", ids)
	}
	s = deepCopy(t, s)
	accept(t, s, entries(t, s, m, 3).Marshal(), now+1)
	got, _ := s.Member(5)
	if got.Chain.Sequence != 1 || got.Signing[0].From != 2 {
		t.Errorf("the newcomer's chain is at %d, its key is valid from %d", got.Chain.Sequence, got.Signing[0].From)
	}
}

func TestAnAdmissionIsRefusedOnceTheRosterHasChanged(t *testing.T) {
	net, s := found(t)
	first, second := foundingtest.Newcomer(t, "h5", 5), foundingtest.Newcomer(t, "h6", 5)
	late := admission(t, net, s, second, 1, 2)
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, first, 1, 2)).Marshal(), now)
	if _, r := admit(s, actOf(t, s, net.Hospitals[0], late).Marshal(), now); r == nil || r.Code != state.CodeActApproval {
		t.Errorf("approved for the roster before: %v", r)
	}
}

func TestAdmissionsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	m := foundingtest.Newcomer(t, "h5", 5)
	good := admission(t, net, s, m, 1, 2)
	changed := func(change func(*act.Admission)) act.Act {
		payload := act.Admission{Institution: m.Card.Institution, Nodes: slices.Clone(m.Card.Nodes)}
		change(&payload)
		a := good
		a.Payload = payload.Marshal()
		return approve(t, net, a, 1, 2)
	}
	with := func(change func(*act.Act)) act.Act {
		a := good
		change(&a)
		return approve(t, net, a, 1, 2)
	}
	stranger := good
	if p, err := good.Approve(net.ID, 4, net.Reader.Envelope); err == nil {
		stranger.Approvals = append(slices.Clone(good.Approvals), p)
	}
	forged := good
	forged.Approvals = slices.Clone(good.Approvals)
	forged.Approvals[1].Signature.Ed25519[0] ^= 1
	for name, tc := range map[string]struct {
		act  act.Act
		want state.Code // "" = accepted
	}{
		"approved by q lead hospitals":  {good, ""},
		"approved by all":               {approve(t, net, good, 1, 2, 3), ""},
		"approved by too few":           {approve(t, net, good, 2), state.CodeActApproval},
		"approved by nobody":            {approve(t, net, good), state.CodeActApproval},
		"approved by a reader too":      {stranger, state.CodeActApproval},
		"with a forged approval":        {forged, state.CodeActApproval},
		"for another roster":            {with(func(a *act.Act) { a.RosterVersion = 2 }), state.CodeActApproval},
		"that has expired":              {with(func(a *act.Act) { a.Expiry = now - 1 }), state.CodeActApproval},
		"at its last millisecond":       {with(func(a *act.Act) { a.Expiry = now }), ""},
		"without an expiry":             {with(func(a *act.Act) { a.Expiry = 0 }), state.CodeActApproval},
		"of something that is not CBOR": {with(func(a *act.Act) { a.Payload = []byte("?") }), state.CodeActPayload},
		"of a voter":                    {changed(func(a *act.Admission) { a.Nodes[0].Kind = act.Voter }), state.CodeActPayload},
		"of a node of another number":   {changed(func(a *act.Admission) { a.Nodes[0].Institution = 6 }), state.CodeActPayload},
		"of a node id that is taken":    {changed(func(a *act.Admission) { a.Nodes[0].ID = "h1" }), state.CodeActPayload},
		"with a founder's envelope key": {changed(func(a *act.Admission) {
			a.Institution.Envelope = net.Hospitals[0].Envelope.Public()
		}), state.CodeActPayload},
		"with a founder's TLS key": {changed(func(a *act.Admission) { a.Nodes[0].TLS = net.Hospitals[0].TLS.Public() }), state.CodeActPayload},
	} {
		_, r := admit(s, actOf(t, s, net.Hospitals[0], tc.act).Marshal(), now)
		switch {
		case tc.want == "" && r != nil:
			t.Errorf("%s: %v", name, r)
		case tc.want != "" && (r == nil || r.Code != tc.want):
			t.Errorf("%s: got %v, want %s", name, r, tc.want)
		}
	}
}
