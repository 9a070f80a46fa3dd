package seal_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

func TestAGrantOpensForItsRecipientAndEnvelopeAlone(t *testing.T) {
	keys := make([]*seal.ReaderPrivate, 3)
	for i := range keys {
		var err error
		if keys[i], err = seal.GenerateReader(); err != nil {
			t.Fatal(err)
		}
	}
	giver, taker, other := keys[0], keys[1], keys[2]
	keks, err := seal.NewKEKs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ctx := seal.Context{Network: [32]byte{1}, Hospital: 2, Sequence: 3, Attempt: 1}
	grant := seal.Grant{
		Context: ctx, Envelope: [32]byte{9}, From: giver.Public().ID(),
		CommitC: ctx.CommitKEK(seal.Clinical, keks.Clinical), CommitG: ctx.CommitKEK(seal.Genetic, keks.Genetic),
	}
	both := seal.Opened{KEKs: keks, HasClinical: true, HasGenetic: true}
	data, err := grant.Wrap(taker.Public(), both, seal.Rights{Clinical: true}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	got, err := grant.Unwrap(taker, data)
	if err != nil || got.Clinical != keks.Clinical || !got.HasClinical || got.HasGenetic {
		t.Errorf("the recipient, without the genetics right, got clinical %t, genetic %t, %v", got.HasClinical, got.HasGenetic, err)
	}
	wrong := both
	wrong.Clinical[0] ^= 1
	if data, err := grant.Wrap(taker.Public(), wrong, seal.Rights{Clinical: true}, rand.Reader); err != nil {
		t.Error(err)
	} else if got, err := grant.Unwrap(taker, data); err != nil || !errors.Is(got.CheckRights(seal.Rights{Clinical: true}), seal.ErrCommitment) {
		t.Errorf("a wrong key: %v, %v, want ErrCommitment", err, got.CheckRights(seal.Rights{Clinical: true}))
	}
	for name, change := range map[string]func(*seal.Grant){
		"another envelope":     func(g *seal.Grant) { g.Envelope[0] ^= 1 },
		"another giver":        func(g *seal.Grant) { g.From[0] ^= 1 },
		"another sequence":     func(g *seal.Grant) { g.Sequence++ },
		"another network":      func(g *seal.Grant) { g.Network[0] ^= 1 },
		"another commitment":   func(g *seal.Grant) { g.CommitC[0] ^= 1 },
		"another commitment g": func(g *seal.Grant) { g.CommitG[0] ^= 1 },
	} {
		moved := grant
		change(&moved)
		if _, err := moved.Unwrap(taker, data); !errors.Is(err, seal.ErrWrap) {
			t.Errorf("%s: %v, want ErrWrap", name, err)
		}
	}
	if _, err := grant.Unwrap(other, data); !errors.Is(err, seal.ErrWrap) {
		t.Errorf("another reader: %v, want ErrWrap", err)
	}
}
