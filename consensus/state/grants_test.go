package state_test

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// newReader is a reader that is not among the founders.
func newReader(t testing.TB, node string, number uint32, rights act.Rights, province string) *foundingtest.Member {
	t.Helper()
	m := foundingtest.Newcomer(t, node, number)
	i := &m.Card.Institution
	i.Role, i.Rights, i.Province = act.RoleReader, rights, province
	return m
}

func TestAnAdmittedReaderMakesAReaderSet(t *testing.T) {
	net, s := found(t)
	national := newReader(t, "r5", 5, act.RightNational, "")
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, national, 1, 2)).Marshal(), now) // envelope 1
	regional := newReader(t, "r6", 6, act.RightProvince|act.RightGenetics, "11")
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, regional, 1, 2)).Marshal(), now) // envelope 2
	s = deepCopy(t, s)
	set, _ := s.ReadersFor(1)
	if set.Number != 2 || len(set.National) != 2 || set.Province == nil || set.Province.Key.ID() != regional.Sealing.Public().ID() {
		t.Fatalf("the reader set is %+v", set)
	}
	i := slices.IndexFunc(set.KeyIDs(), func(id seal.KeyID) bool { return id == national.Sealing.Public().ID() })
	if i < 1 || set.National[i-1].Rights.Genetic {
		t.Error("the new national reader is not in the set, or has a right it was not given")
	}
	accept(t, s, entries(t, s, net.Hospitals[0], 1).Marshal(), now)
	_, r := admit(s, entries(t, s, national, 1).Marshal(), now)
	if r != nil {
		t.Errorf("a national reader's query: %v", r)
	}
	_, r = admit(s, entries(t, s, regional, 1).Marshal(), now)
	refusedFor(t, "entries of a reader", r, state.CodeRole, "sends no entries")
	for name, tc := range map[string]struct {
		set, institution, sender uint32
		want                     bool
	}{
		"a founder in the first set":       {0, 4, 1, true},
		"a newcomer in the first set":      {0, 5, 1, false},
		"a newcomer in its own set":        {1, 5, 1, true},
		"a province reader, before it":     {1, 6, 1, false},
		"a province reader, of a hospital": {2, 6, 1, true},
		"a hospital":                       {2, 2, 1, false},
	} {
		if got := s.WasReader(uint64(tc.set), tc.institution, tc.sender); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestReadersAreRefusedByName(t *testing.T) {
	net, s := found(t)
	regional := newReader(t, "r5", 5, act.RightProvince, "11")
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, regional, 1, 2)).Marshal(), now)
	holder := newReader(t, "r6", 6, act.RightNational, "")
	holder.Card.Institution.Entity = net.Hospitals[1].Card.Institution.Entity
	second := newReader(t, "r6", 6, act.RightProvince, "11")
	elsewhere := newReader(t, "r6", 6, act.RightProvince, "31")
	_, r := admit(s, actOf(t, s, net.Hospitals[0], admission(t, net, s, holder, 1, 2)).Marshal(), now)
	refusedFor(t, "who holds a share", r, state.CodeActPayload, "holds a share")
	_, r = admit(s, actOf(t, s, net.Hospitals[0], admission(t, net, s, second, 1, 2)).Marshal(), now)
	refusedFor(t, "a province's second", r, state.CodeActPayload, "province 11 has a reader")
	if _, r = admit(s, actOf(t, s, net.Hospitals[0], admission(t, net, s, elsewhere, 1, 2)).Marshal(), now); r != nil {
		t.Errorf("another province's first: %v", r)
	}
	for number := uint32(6); number < 6+15; number++ {
		m := newReader(t, "many", number, act.RightNational, "")
		m.Card.Nodes[0].ID = "n" + string(rune('a'+number))
		accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, m, 1, 2)).Marshal(), now)
	}
	_, r = admit(s, actOf(t, s, net.Hospitals[0], admission(t, net, s, newReader(t, "last", 21, act.RightNational, ""), 1, 2)).Marshal(), now)
	refusedFor(t, "the 17th national reader", r, state.CodeActPayload, "16 national readers")
	deepCopy(t, s)
}

// grantOf is a grant of envelopes to a newcomer by a member.
func grantOf(by, to *foundingtest.Member, numbers ...uint64) act.Grant {
	g := act.Grant{Recipient: to.Number, From: by.Sealing.Public().ID(), To: to.Sealing.Public().ID()}
	for _, n := range numbers {
		g.Keys = append(g.Keys, act.Granted{Envelope: n})
	}
	return g
}

func TestGrantsAreFoundByTheirRecipient(t *testing.T) {
	net, s := found(t)
	for range 3 {
		accept(t, s, entries(t, s, net.Hospitals[0], 1).Marshal(), now) // envelopes 1, 2, 3
	}
	to := newReader(t, "r5", 5, act.RightNational, "")
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, to, 1, 2)).Marshal(), now) // 4
	for _, g := range []act.Grant{grantOf(net.Reader, to, 1, 3), grantOf(net.Reader, to, 2)} {
		accept(t, s, actOf(t, s, net.Reader, plainAct(act.TypeGrant, g.Marshal())).Marshal(), now) // 5, 6
	}
	s = deepCopy(t, s)
	if got := s.GrantsFor(5, 2); len(got) != 2 || got[0].Number != 6 || got[1] != (state.Grant{Recipient: 5, Number: 5, First: 1, Last: 3}) {
		t.Errorf("grants of envelope 2 to 5: %+v", got)
	}
	if got := s.GrantsFor(5, 4); got != nil {
		t.Errorf("grants of envelope 4 to 5: %+v", got)
	}
	if got := s.GrantsFor(4, 2); got != nil {
		t.Errorf("grants of envelope 2 to 4: %+v", got)
	}
}

func TestGrantsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	accept(t, s, entries(t, s, net.Hospitals[0], 1).Marshal(), now) // 1
	to := newReader(t, "r5", 5, act.RightProvince, "11")
	accept(t, s, actOf(t, s, net.Hospitals[0], admission(t, net, s, to, 1, 2)).Marshal(), now) // 2
	hospital := net.Hospitals[0]
	with := func(change func(*act.Grant)) act.Act {
		g := grantOf(net.Reader, to, 1)
		change(&g)
		return plainAct(act.TypeGrant, g.Marshal())
	}
	for name, tc := range map[string]struct {
		by  *foundingtest.Member
		act act.Act
		why string // "" = accepted
	}{
		"by a national reader":   {net.Reader, with(func(*act.Grant) {}), ""},
		"by a hospital":          {hospital, plainAct(act.TypeGrant, new(grantOf(hospital, to, 1)).Marshal()), ""},
		"by a province reader":   {to, with(func(g *act.Grant) { g.From = to.Sealing.Public().ID() }), "neither a hospital nor a national reader"},
		"with another's key":     {hospital, with(func(*act.Grant) {}), "is not the sender's"},
		"to a hospital":          {net.Reader, with(func(g *act.Grant) { g.Recipient = 2 }), "is no reader"},
		"to nobody":              {net.Reader, with(func(g *act.Grant) { g.Recipient = 77 }), "is no reader"},
		"to a key it has not":    {net.Reader, with(func(g *act.Grant) { g.To[0] ^= 1 }), "is not the current sealing key"},
		"of an envelope to come": {net.Reader, with(func(g *act.Grant) { g.Keys[0].Envelope = 3 }), "is not in the log"},
		"of the genesis":         {net.Reader, with(func(g *act.Grant) { g.Keys[0].Envelope = 0 }), "is the genesis"},
		"of nothing":             {net.Reader, with(func(g *act.Grant) { g.Keys = nil }), "grants nothing"},
		"something else":         {net.Reader, plainAct(act.TypeGrant, []byte("?")), "grant"},
	} {
		_, r := admit(s, actOf(t, s, tc.by, tc.act).Marshal(), now)
		if tc.why == "" {
			if r != nil {
				t.Errorf("%s: %v", name, r)
			}
			continue
		}
		refusedFor(t, name, r, state.CodeActPayload, tc.why)
	}
}
