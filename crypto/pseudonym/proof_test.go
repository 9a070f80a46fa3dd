package pseudonym

import (
	"crypto"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/math/polynomial"
	"github.com/cloudflare/circl/zk/dleq"

	"github.com/raresync/raresync/crypto/internal/ristretto"
)

// theirs is a batch as the library takes it.
type theirs struct {
	params            dleq.Params
	key               group.Element
	blinded, products []group.Element
}

func theirsOf(t *testing.T, b batch) theirs {
	t.Helper()
	decode := func(in [32]byte) group.Element {
		e := circlGroup.NewElement()
		if err := e.UnmarshalBinary(in[:]); err != nil {
			t.Fatal(err)
		}
		return e
	}
	out := theirs{params: dleq.Params{G: circlGroup, H: crypto.SHA512, DST: b.dst}, key: decode(b.keyBytes)}
	for i := range b.blindedBytes {
		out.blinded = append(out.blinded, decode(b.blindedBytes[i]))
		out.products = append(out.products, decode(b.productsBytes[i]))
	}
	return out
}

func (b theirs) verify(t *testing.T, proof [64]byte) bool {
	t.Helper()
	var p dleq.Proof
	if err := p.UnmarshalBinary(circlGroup, proof[:]); err != nil {
		return false
	}
	return dleq.Verifier{Params: b.params}.VerifyBatch(circlGroup.Generator(), b.key, b.blinded, b.products, &p)
}

// proven returns a batch of n and the scalar behind it.
func proven(t *testing.T, n int) (batch, *ristretto.Scalar) {
	t.Helper()
	h := dealKey(t, testKey(), 3, 2, 1)
	_, elements := mustBlind(t, n)
	req := h.request(1, elements)
	evaluated, _, err := Evaluate(h.shares[0], req, elements)
	if err != nil {
		t.Fatal(err)
	}
	k, err := shareScalar(h.shares[0])
	if err != nil {
		t.Fatal(err)
	}
	blinded, err := decodeElements(elements)
	if err != nil {
		t.Fatal(err)
	}
	b := batchOf(k, req, blinded, elements, evaluated)
	if b.products, err = decodeElements(evaluated); err != nil {
		t.Fatal(err)
	}
	return b, k
}

// The library and this package make the same proofs, byte for byte, and
// accept and refuse the same ones.
func TestProofsAreTheLibrarys(t *testing.T) {
	for _, n := range []int{1, 2, 3, 17} {
		b, k := proven(t, n)
		random := [32]byte{byte(n)}
		proof := b.prove(k, random)
		their := theirsOf(t, b)
		p, err := dleq.Prover{Params: their.params}.ProveBatchWithRandomness(
			scalarOf(t, k.Bytes()), circlGroup.Generator(), their.key, their.blinded, their.products,
			scalarOf(t, proofNonce(k, b.dst, random).Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if proof != [64]byte(want) {
			t.Errorf("batch of %d: proof %x, want %x", n, proof, want)
		}
		if !b.verify(proof) || !their.verify(t, proof) {
			t.Errorf("batch of %d: accepted: here %v, by the library %v", n, b.verify(proof), their.verify(t, proof))
		}
	}
}

func TestVerifierRefusesWhatTheLibraryRefuses(t *testing.T) {
	good, k := proven(t, 3)
	proof := good.prove(k, [32]byte{1})
	other, otherKey := proven(t, 3)
	wrong := func(b *batch, i int, e *ristretto.Element) {
		b.products, b.productsBytes = slices.Clone(b.products), slices.Clone(b.productsBytes)
		b.products[i], b.productsBytes[i] = e, e.Bytes()
	}
	for name, spoil := range map[string]func(*batch, *[64]byte){
		"another key": func(b *batch, _ *[64]byte) {
			b.key = ristretto.MulGen(new(ristretto.Scalar).Add(k, k))
			b.keyBytes = b.key.Bytes()
		},
		"another tag":                 func(b *batch, _ *[64]byte) { b.dst = []byte("another") },
		"another batch's proof":       func(_ *batch, p *[64]byte) { *p = other.prove(otherKey, [32]byte{1}) },
		"a product replaced":          func(b *batch, _ *[64]byte) { wrong(b, 1, ristretto.Generator()) },
		"a product that is the input": func(b *batch, _ *[64]byte) { wrong(b, 0, b.blinded[0]) },
		"two products swapped": func(b *batch, _ *[64]byte) {
			first := b.products[0]
			wrong(b, 0, b.products[1])
			wrong(b, 1, first)
		},
		"a challenge of zero":     func(_ *batch, p *[64]byte) { clear(p[:32]) },
		"a response of zero":      func(_ *batch, p *[64]byte) { clear(p[32:]) },
		"a challenge not reduced": func(_ *batch, p *[64]byte) { p[31] |= 0xf0 },
		"a response not reduced":  func(_ *batch, p *[64]byte) { p[63] |= 0xf0 },
		"challenge and response swapped": func(_ *batch, p *[64]byte) {
			*p = [64]byte(slices.Concat(p[32:], p[:32]))
		},
	} {
		b, p := good, proof
		spoil(&b, &p)
		if b.verify(p) {
			t.Errorf("%s: accepted here", name)
		}
		if theirsOf(t, b).verify(t, p) {
			t.Errorf("%s: accepted by the library", name)
		}
	}
	if !good.verify(proof) {
		t.Error("untouched: refused")
	}
}

// The library's Lagrange coefficients are the second opinion.
func TestWeightsAreLagranges(t *testing.T) {
	every := func(n uint16) (out []uint16) {
		for i := range n {
			out = append(out, i+1)
		}
		return out
	}
	for _, ids := range [][]uint16{
		{1}, {7}, {1, 2}, {2, 1}, {1, 2, 3}, {5, 3, 4}, {9, 1, 5, 7, 3}, {32, 31, 30, 29}, every(17), every(32),
		{1, 2, 3, 5, 7, 11, 13, 16, 17, 19, 23, 25, 27, 29, 30, 31, 32},
	} {
		t.Run(fmt.Sprint(ids), func(t *testing.T) {
			var parts []Part
			var xs []group.Scalar
			for _, id := range ids {
				parts = append(parts, Part{holder: id})
				xs = append(xs, circlGroup.NewScalar().SetUint64(uint64(id)))
			}
			w := lagrange(parts)
			for j, f := range w.factors {
				got := ristretto.ScalarOf(new(big.Int).Abs(f))
				if f.Sign() < 0 {
					got.Negate(got)
				}
				got.Multiply(got, w.scale)
				if want := ours(t, polynomial.LagrangeBase(uint(j), xs, circlGroup.NewScalar())); got.Equal(want) != 1 {
					t.Errorf("weight %d: %x, want %x", j, got.Bytes(), want.Bytes())
				}
				if f.BitLen() >= 128 {
					t.Errorf("weight %d has %d bits", j, f.BitLen())
				}
			}
		})
	}
}
