package act_test

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// founded returns the genesis act of a network of three hospitals and one
// national reader, with the network.
func founded(t testing.TB) (*act.Act, *act.Genesis, *foundingtest.Network) {
	t.Helper()
	net := foundingtest.New(t, 3)
	a, err := act.Decode(net.Genesis.Bodies[0].Ciphertext)
	if err != nil {
		t.Fatal(err)
	}
	g, err := act.DecodeGenesis(a.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return a, g, net
}

// copyOf returns a genesis that may be changed without changing g.
func copyOf(g *act.Genesis) *act.Genesis {
	c := *g
	c.Institutions = slices.Clone(g.Institutions)
	c.Nodes = slices.Clone(g.Nodes)
	c.Holders = slices.Clone(g.Holders)
	return &c
}

func newKey(t testing.TB, p sign.Purpose) *sign.PublicKey {
	t.Helper()
	k, err := sign.Generate(p)
	if err != nil {
		t.Fatal(err)
	}
	return k.Public()
}

// reader returns an institution with fresh keys and the given rights.
func reader(t testing.TB, province string, rights act.Rights) act.Institution {
	t.Helper()
	k, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	return act.Institution{
		Role: act.RoleReader, Entity: "entity-" + k.Public().ID().String()[:8], NameEN: "Another reader",
		Province: province, Rights: rights,
		Envelope: newKey(t, sign.PurposeEnvelope), Request: newKey(t, sign.PurposeRequest),
		Response: newKey(t, sign.PurposeResponse), Sealing: k.Public(),
	}
}

// node returns a mirror with fresh keys.
func node(t testing.TB, id string, institution uint32) act.Node {
	t.Helper()
	return act.Node{
		ID: id, Institution: institution, Kind: act.Mirror,
		TLS: newKey(t, sign.PurposeTLS), Log: newKey(t, sign.PurposeLog), Cosign: newKey(t, sign.PurposeCosign),
	}
}
