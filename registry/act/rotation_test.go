package act_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

var anyNetwork = [32]byte{7}

// rotation brings every key that a rotation can bring, with its proof.
func rotation(t testing.TB) (*act.Rotation, *sign.PrivateKey) {
	t.Helper()
	key, err := sign.Generate(sign.PurposeEnvelope)
	if err != nil {
		t.Fatal(err)
	}
	sealing, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	r := &act.Rotation{
		Institution: 2, Envelope: key.Public(), Request: newKey(t, sign.PurposeRequest), Response: newKey(t, sign.PurposeResponse),
		Sealing: sealing.Public(), Nodes: []act.NodeKey{{ID: "h2", TLS: newKey(t, sign.PurposeTLS)}},
	}
	if err := r.Prove(anyNetwork, key); err != nil {
		t.Fatal(err)
	}
	return r, key
}

func TestARotationEncodesBackToTheSameBytes(t *testing.T) {
	r, _ := rotation(t)
	got, err := act.DecodeRotation(r.Marshal())
	if err != nil || !bytes.Equal(got.Marshal(), r.Marshal()) || len(got.KeyIDs()) != 5 || got.Validate() != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := got.VerifyPossession(anyNetwork); err != nil {
		t.Errorf("its proof: %v", err)
	}
	one := act.Rotation{Institution: 2, Response: newKey(t, sign.PurposeResponse)}
	if got, err := act.DecodeRotation(one.Marshal()); err != nil || got.Response.ID() != one.Response.ID() || got.Envelope != nil {
		t.Errorf("a rotation of one key: %+v, %v", got, err)
	}
}

func TestAProofOfPossessionIsOfThisKeyNetworkAndRotation(t *testing.T) {
	for name, change := range map[string]func(*act.Rotation, *[32]byte){
		"another network":      func(_ *act.Rotation, n *[32]byte) { n[0] ^= 1 },
		"another institution":  func(r *act.Rotation, _ *[32]byte) { r.Institution++ },
		"another envelope key": func(r *act.Rotation, _ *[32]byte) { r.Envelope = newKey(t, sign.PurposeEnvelope) },
		"another request key":  func(r *act.Rotation, _ *[32]byte) { r.Request = newKey(t, sign.PurposeRequest) },
		"without its node":     func(r *act.Rotation, _ *[32]byte) { r.Nodes = nil },
		"another signature":    func(r *act.Rotation, _ *[32]byte) { r.Possession.Ed25519[0] ^= 1 },
	} {
		r, _ := rotation(t)
		network := anyNetwork
		change(r, &network)
		if err := r.VerifyPossession(network); !errors.Is(err, sign.ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
	r, _ := rotation(t)
	_, other := rotation(t)
	if err := r.Prove(anyNetwork, other); err == nil {
		t.Error("another key proved possession")
	}
}

func TestRotationsThatCannotBe(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*act.Rotation)
		want   string // "" = valid
	}{
		"as it should be":       {func(*act.Rotation) {}, ""},
		"of nobody":             {func(r *act.Rotation) { r.Institution = 0 }, "names no institution"},
		"without a key":         {func(r *act.Rotation) { *r = act.Rotation{Institution: 1} }, "brings no key"},
		"of a node in capitals": {func(r *act.Rotation) { r.Nodes[0].ID = "H2" }, `node "H2": use`},
		"of a node twice": {func(r *act.Rotation) {
			r.Nodes = append(r.Nodes, act.NodeKey{ID: "h2", TLS: newKey(t, sign.PurposeTLS)})
		}, "each once"},
		"with a key twice": {func(r *act.Rotation) { r.Nodes = append(r.Nodes, act.NodeKey{ID: "h3", TLS: r.Nodes[0].TLS}) }, "is used twice"},
	} {
		r, _ := rotation(t)
		tc.change(r)
		err := r.Validate()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestRotationBytesOfAnotherFormAreRefused(t *testing.T) {
	r, key := rotation(t)
	good := r.Marshal()
	swapped := *r
	swapped.Request, swapped.Response = r.Response, r.Request // out of order by purpose
	unproven := *r
	unproven.Envelope = nil
	raw := unproven.Marshal()
	raw[len(raw)-1] = 0x82 // a proof is announced for no key
	log := *r
	log.Nodes = []act.NodeKey{{ID: "h2", TLS: newKey(t, sign.PurposeLog)}}
	if err := log.Prove(anyNetwork, key); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		in   []byte
		want string
	}{
		"purposes out of order":           {swapped.Marshal(), "ascend by purpose"},
		"a proof without a key":           {raw, "goes with a new envelope key"},
		"a log key in place of a TLS key": {log.Marshal(), "key where a"},
		"cut short":                       {good[:len(good)-1], "rotation"},
		"a byte too many":                 {append(bytes.Clone(good), 0), "rotation"},
	} {
		if _, err := act.DecodeRotation(tc.in); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func TestAGrantEncodesBackAndIsInOrder(t *testing.T) {
	g := act.Grant{Recipient: 5, From: seal.KeyID{1}, To: seal.KeyID{2}, Keys: []act.Granted{{Envelope: 3}, {Envelope: 4}}}
	got, err := act.DecodeGrant(g.Marshal())
	if err != nil || !bytes.Equal(got.Marshal(), g.Marshal()) || got.Validate() != nil {
		t.Errorf("got %+v, %v, %v", got, err, got.Validate())
	}
	full := act.Grant{Keys: make([]act.Granted, act.MaxGranted)}
	a := act.Act{Version: act.Version, Type: act.TypeGrant, Payload: full.Marshal()}
	if n := len(a.Marshal()); n > act.MaxBytes {
		t.Errorf("a full grant takes %d bytes, an act has %d", n, act.MaxBytes)
	}
	full.Keys = append(full.Keys, act.Granted{})
	if _, err := act.DecodeGrant(full.Marshal()); err == nil {
		t.Error("more keys than a grant holds were decoded")
	}
	for name, tc := range map[string]struct {
		keys []act.Granted
		want string
	}{
		"nothing":      {nil, "grants nothing"},
		"out of order": {[]act.Granted{{Envelope: 4}, {Envelope: 3}}, "ascend"},
		"one twice":    {[]act.Granted{{Envelope: 4}, {Envelope: 4}}, "each once"},
	} {
		g.Keys = tc.keys
		if err := g.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}
