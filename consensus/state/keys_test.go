package state_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func freshKey(t testing.TB, p sign.Purpose) *sign.PrivateKey {
	t.Helper()
	k, err := sign.Generate(p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func freshSealing(t testing.TB) *seal.ReaderPrivate {
	t.Helper()
	k, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newKeys makes a member with new keys, and the rotation that brings them.
func newKeys(t testing.TB, net *foundingtest.Network, m *foundingtest.Member) (*foundingtest.Member, *act.Rotation) {
	t.Helper()
	n := *m
	n.Envelope, n.Request, n.Response = freshKey(t, sign.PurposeEnvelope), freshKey(t, sign.PurposeRequest), freshKey(t, sign.PurposeResponse)
	n.Sealing, n.TLS = freshSealing(t), freshKey(t, sign.PurposeTLS)
	r := &act.Rotation{
		Institution: m.Number, Envelope: n.Envelope.Public(), Request: n.Request.Public(), Response: n.Response.Public(),
		Sealing: n.Sealing.Public(), Nodes: []act.NodeKey{{ID: m.Node, TLS: n.TLS.Public()}},
	}
	if err := r.Prove(net.ID, n.Envelope); err != nil {
		t.Fatal(err)
	}
	return &n, r
}

func plainAct(kind act.Type, payload []byte) act.Act {
	return act.Act{Version: act.Version, Type: kind, Payload: payload}
}

// decided is an act that hospitals of a network approve.
func decided(t testing.TB, net *foundingtest.Network, s *state.State, kind act.Type, payload []byte, by ...int) act.Act {
	t.Helper()
	a := plainAct(kind, payload)
	a.RosterVersion, a.Expiry = s.RosterVersion, now+60_000
	return approve(t, net, a, by...)
}

// refusedFor checks that an envelope is refused with this code, for this
// reason.
func refusedFor(t testing.TB, name string, r *state.Refusal, code state.Code, why string) {
	t.Helper()
	if r == nil || r.Code != code || !strings.Contains(r.Detail, why) {
		t.Errorf("%s: got %v, want %s: ... %s ...", name, r, code, why)
	}
}

func TestARotationPutsNewKeysInForceWithTheNextEnvelope(t *testing.T) {
	net, s := found(t)
	old := net.Hospitals[0]
	fresh, r := newKeys(t, net, old)
	before := s.Clone()
	snapshot := before.AppendCBOR(nil)
	accept(t, s, actOf(t, s, old, plainAct(act.TypeRotation, r.Marshal())).Marshal(), now) // envelope 1
	if !bytes.Equal(before.AppendCBOR(nil), snapshot) {
		t.Error("a clone changed with its origin")
	}
	if s.RosterVersion != 2 {
		t.Errorf("roster version %d after a rotation", s.RosterVersion)
	}
	s = deepCopy(t, s)
	_, refusal := admit(s, entries(t, s, old, 1).Marshal(), now)
	refusedFor(t, "the old key", refusal, state.CodeKeySpan, "not valid at envelope 2")
	accept(t, s, entries(t, s, fresh, 1).Marshal(), now)
	m, _ := s.Member(1)
	node, _ := s.Node("h1")
	switch {
	case m.Signing[0].To != 2 || m.Signing[1].From != 2 || m.Signing[1].To != 0:
		t.Errorf("envelope keys are valid for %+v", m.Signing)
	case m.Sealing[0].To != 2 || m.Institution.Sealing.ID() != fresh.Sealing.Public().ID():
		t.Errorf("sealing keys are current for %+v", m.Sealing)
	case m.Request.ID() != fresh.Request.Public().ID() || m.Response.ID() != fresh.Response.Public().ID() || node.TLS.ID() != fresh.TLS.Public().ID():
		t.Error("request, response and TLS keys are the old ones")
	case len(m.Former) != 3:
		t.Errorf("%d former keys are remembered, want 3", len(m.Former))
	}
	if len(s.ReaderSets) != 1 {
		t.Error("a hospital's sealing key made a reader set")
	}
}

func TestAReadersNewSealingKeyMakesAReaderSet(t *testing.T) {
	net, s := found(t)
	s.Policy.ReaderOverlap = 2
	sealed := entries(t, s, net.Hospitals[0], 1).Marshal()
	key := freshSealing(t)
	r := act.Rotation{Institution: 4, Sealing: key.Public()}
	accept(t, s, actOf(t, s, net.Reader, plainAct(act.TypeRotation, r.Marshal())).Marshal(), now) // envelope 1
	set, _ := s.ReadersFor(1)
	if set.Number != 1 || set.National[0].Key.ID() != key.Public().ID() || !set.National[0].Rights.Genetic {
		t.Fatalf("the current reader set is %+v", set)
	}
	if _, refusal := admit(s, sealed, now); refusal != nil {
		t.Errorf("sealed to the set before, within the overlap: %v", refusal)
	}
	accept(t, s, entries(t, s, net.Hospitals[1], 1).Marshal(), now) // envelope 2
	_, refusal := admit(s, sealed, now)
	refusedFor(t, "after the overlap", refusal, state.CodeReaderSet, "reader set 0")
	deepCopy(t, s)
}

func TestRotationsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	old := net.Hospitals[0]
	fresh, good := newKeys(t, net, old)
	with := func(change func(*act.Rotation)) act.Act {
		r := *good
		r.Nodes = append([]act.NodeKey(nil), good.Nodes...)
		change(&r)
		if r.Envelope != nil && r.Envelope.ID() == fresh.Envelope.Public().ID() {
			if err := r.Prove(net.ID, fresh.Envelope); err != nil {
				t.Fatal(err)
			}
		}
		return plainAct(act.TypeRotation, r.Marshal())
	}
	unproven := *good
	unproven.Possession.Ed25519[0] ^= 1
	for name, tc := range map[string]struct {
		act  act.Act
		code state.Code // "" = accepted
		why  string
	}{
		"all keys at once":        {with(func(*act.Rotation) {}), "", ""},
		"another's keys":          {with(func(r *act.Rotation) { r.Institution = 2 }), state.CodeActPayload, "rotates its own keys"},
		"another's node":          {with(func(r *act.Rotation) { r.Nodes[0].ID = "h2" }), state.CodeActPayload, "is not of institution 1"},
		"an unknown node":         {with(func(r *act.Rotation) { r.Nodes[0].ID = "h9" }), state.CodeActPayload, "is not of institution 1"},
		"a key it has":            {with(func(r *act.Rotation) { r.Request = old.Request.Public() }), state.CodeActPayload, "is or was in use"},
		"a key another has":       {with(func(r *act.Rotation) { r.Sealing = net.Reader.Sealing.Public() }), state.CodeActPayload, "is or was in use"},
		"a key without its proof": {plainAct(act.TypeRotation, unproven.Marshal()), state.CodeActPayload, "proof that the sender holds"},
		"nothing":                 {plainAct(act.TypeRotation, (&act.Rotation{Institution: 1}).Marshal()), state.CodeActPayload, "brings no key"},
		"something else":          {plainAct(act.TypeRotation, []byte("?")), state.CodeActPayload, "rotation"},
		"with approvals":          {decided(t, net, s, act.TypeRotation, good.Marshal(), 1, 2), state.CodeActApproval, "needs no approvals"},
	} {
		_, r := admit(s, actOf(t, s, old, tc.act).Marshal(), now)
		if tc.code == "" {
			if r != nil {
				t.Errorf("%s: %v", name, r)
			}
			continue
		}
		refusedFor(t, name, r, tc.code, tc.why)
	}
}

func TestNoKeyComesBack(t *testing.T) {
	net, s := found(t)
	old := net.Hospitals[0]
	fresh, r := newKeys(t, net, old)
	accept(t, s, actOf(t, s, old, plainAct(act.TypeRotation, r.Marshal())).Marshal(), now)
	envelopeBack := &act.Rotation{Institution: 1, Envelope: old.Envelope.Public()}
	if err := envelopeBack.Prove(net.ID, old.Envelope); err != nil {
		t.Fatal(err)
	}
	for name, back := range map[string]*act.Rotation{
		"envelope key": envelopeBack,
		"request key":  {Institution: 1, Request: old.Request.Public()},
		"response key": {Institution: 1, Response: old.Response.Public()},
		"sealing key":  {Institution: 1, Sealing: old.Sealing.Public()},
		"TLS key":      {Institution: 1, Nodes: []act.NodeKey{{ID: "h1", TLS: old.TLS.Public()}}},
	} {
		_, refusal := admit(s, actOf(t, s, fresh, plainAct(act.TypeRotation, back.Marshal())).Marshal(), now)
		refusedFor(t, name, refusal, state.CodeActPayload, "is or was in use")
	}
}

func TestLostKeysAreReplacedByQLeadHospitals(t *testing.T) {
	net, s := found(t)
	lost := net.Hospitals[2]
	accept(t, s, entries(t, s, lost, 1).Marshal(), now)
	fresh, r := newKeys(t, net, lost)
	_, refusal := admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeReplace, r.Marshal(), 1)).Marshal(), now)
	refusedFor(t, "approved by too few", refusal, state.CodeActApproval, "1 approvals of 2")
	accept(t, s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeReplace, r.Marshal(), 1, 2)).Marshal(), now)
	e := entries(t, s, fresh, 1)
	if e.Sequence != 2 {
		t.Errorf("the chain goes on with sequence %d, want 2", e.Sequence)
	}
	accept(t, s, e.Marshal(), now)
	_, refusal = admit(s, entries(t, s, lost, 1).Marshal(), now)
	refusedFor(t, "the lost key", refusal, state.CodeKeySpan, "not valid at envelope")
}

// revocation is the act's payload.
func revocation(institution uint32, key [32]byte, since uint64) []byte {
	return act.Revocation{Institution: institution, Key: key, Since: since}.Marshal()
}

func TestARevokedKeyHoldsNoLongerAndItsEntriesAreFlagged(t *testing.T) {
	net, s := found(t)
	m := net.Hospitals[0]
	id := m.Envelope.Public().ID()
	for range 3 {
		accept(t, s, entries(t, s, m, 1).Marshal(), now) // envelopes 1, 2, 3
	}
	size := s.Tree.Size()
	accept(t, s, actOf(t, s, m, plainAct(act.TypeRevoke, revocation(1, id, 2))).Marshal(), now) // 4
	s = deepCopy(t, s)
	if got, found := s.Revocation(id); !found || got != (state.Revocation{Institution: 1, Key: id, Since: 2, At: 4}) {
		t.Errorf("the state keeps %+v, %t", got, found)
	}
	for number, want := range map[uint64]bool{1: false, 2: true, 3: true} {
		if s.Doubtful(number, id) != want {
			t.Errorf("envelope %d is doubtful: %t", number, !want)
		}
	}
	if s.Doubtful(3, net.Hospitals[1].Envelope.Public().ID()) || s.Tree.Size() != size+1 {
		t.Error("another key is doubtful, or entries went")
	}
	_, r := admit(s, entries(t, s, m, 1).Marshal(), now)
	refusedFor(t, "the revoked key", r, state.CodeKeySpan, "not valid at envelope 5")
	rotated, rotation := newKeys(t, net, m)
	_, r = admit(s, actOf(t, s, m, plainAct(act.TypeRotation, rotation.Marshal())).Marshal(), now)
	refusedFor(t, "a rotation with the revoked key", r, state.CodeKeySpan, "not valid at envelope 5")
	_, r = admit(s, actOf(t, s, net.Hospitals[1], decided(t, net, s, act.TypeReplace, rotation.Marshal(), 1, 2)).Marshal(), now)
	refusedFor(t, "an approval with the revoked key", r, state.CodeActApproval, "its key was revoked")
	accept(t, s, actOf(t, s, net.Hospitals[1], decided(t, net, s, act.TypeReplace, rotation.Marshal(), 2, 3)).Marshal(), now)
	accept(t, s, entries(t, s, rotated, 1).Marshal(), now)
}

func TestRevocationsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	one, two := net.Hospitals[0], net.Hospitals[1]
	accept(t, s, entries(t, s, one, 1).Marshal(), now)
	own := func(key [32]byte, since uint64) act.Act { return plainAct(act.TypeRevoke, revocation(1, key, since)) }
	request := one.Request.Public().ID()
	for name, tc := range map[string]struct {
		act  act.Act
		code state.Code // "" = accepted
		why  string
	}{
		"its own request key":           {own(request, 0), "", ""},
		"its own TLS key":               {own(one.TLS.Public().ID(), 1), "", ""},
		"its own, up to now":            {own(request, 2), "", ""},
		"from a number to come":         {own(request, 3), state.CodeActPayload, "since envelope 3, the next is 2"},
		"another's, alone":              {plainAct(act.TypeRevoke, revocation(2, two.Request.Public().ID(), 0)), state.CodeActApproval, "approved for roster 0"},
		"another's, approved":           {decided(t, net, s, act.TypeRevoke, revocation(2, two.Request.Public().ID(), 0), 1, 3), "", ""},
		"a key of nobody":               {own([32]byte{1}, 0), state.CodeActPayload, "is not of institution 1"},
		"a key of another":              {own(two.Request.Public().ID(), 0), state.CodeActPayload, "is not of institution 1"},
		"the current sealing key":       {own(one.Sealing.Public().ID(), 0), state.CodeActPayload, "put another in its place first"},
		"a cosigning key":               {own(one.Cosign.Public().ID(), 0), state.CodeActPayload, "one with a new id"},
		"of an institution that is not": {decided(t, net, s, act.TypeRevoke, revocation(9, request, 0), 1, 2), state.CodeActPayload, "is not a member"},
		"something else":                {plainAct(act.TypeRevoke, []byte("?")), state.CodeActPayload, "revocation"},
	} {
		_, r := admit(s, actOf(t, s, one, tc.act).Marshal(), now)
		if tc.code == "" {
			if r != nil {
				t.Errorf("%s: %v", name, r)
			}
			continue
		}
		refusedFor(t, name, r, tc.code, tc.why)
	}
	accept(t, s, actOf(t, s, one, own(request, 1)).Marshal(), now)
	_, r := admit(s, actOf(t, s, one, own(request, 1)).Marshal(), now)
	refusedFor(t, "a second time", r, state.CodeActPayload, "is revoked since envelope 1")
	accept(t, s, actOf(t, s, one, own(request, 0)).Marshal(), now)
	if got, _ := s.Revocation(request); got.Since != 0 || got.At != 2 || len(s.Revocations) != 1 {
		t.Errorf("revoked from earlier on: %+v", s.Revocations)
	}
}

func TestARevokedSealingKeyLosesItsOverlap(t *testing.T) {
	net, s := found(t)
	sealed := entries(t, s, net.Hospitals[0], 1).Marshal()
	rotate := act.Rotation{Institution: 4, Sealing: freshSealing(t).Public()}
	accept(t, s, actOf(t, s, net.Reader, plainAct(act.TypeRotation, rotate.Marshal())).Marshal(), now)
	if _, r := admit(s, sealed, now); r != nil {
		t.Fatalf("before the revocation: %v", r)
	}
	accept(t, s, actOf(t, s, net.Reader, plainAct(act.TypeRevoke, revocation(4, net.Reader.Sealing.Public().ID(), 0))).Marshal(), now)
	_, r := admit(s, sealed, now)
	refusedFor(t, "sealed to a revoked reader key", r, state.CodeReaderSet, "reader set 0")

	own := entries(t, s, net.Hospitals[1], 1).Marshal()
	h := act.Rotation{Institution: 2, Sealing: freshSealing(t).Public()}
	resealed := actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeReplace, h.Marshal(), 1, 2)).Marshal()
	accept(t, s, resealed, now)
	if _, r := admit(s, own, now); r != nil {
		t.Fatalf("the hospital's own key before, within the overlap: %v", r)
	}
	gone := decided(t, net, s, act.TypeRevoke, revocation(2, net.Hospitals[1].Sealing.Public().ID(), 0), 1, 3)
	accept(t, s, actOf(t, s, net.Hospitals[0], gone).Marshal(), now)
	_, r = admit(s, own, now)
	refusedFor(t, "sealed to the hospital's revoked key", r, state.CodeWraps, "wraps are not those")
}
