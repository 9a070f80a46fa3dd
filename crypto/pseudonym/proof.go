package pseudonym

import (
	"crypto/sha512"
	"encoding/binary"

	"github.com/raresync/raresync/crypto/internal/ristretto"
)

// The proof that one share multiplied a whole batch: the batched proof of
// equal discrete logarithms of RFC 9497 section 2.2, with the generator among
// what the challenge covers and a tag that binds the batch (see transcript).
// These are the bytes of ProveBatch and VerifyBatch of circl's zk/dleq, which
// the tests hold against this; its own code takes one multiplication in
// constant time where a term of a sum in variable time is enough.

const (
	proofNonceLabel  = "raresync/toprf/v1/nonce"
	seedLabel        = "Seed-"
	scalarLabel      = "HashToScalar-"
	compositeLabel   = "Composite"
	challengeLabel   = "Challenge"
	compositeBytes   = 2 + sha512.Size + 2 + 2*(2+ristretto.ElementBytes) + len(compositeLabel)
	challengeEntries = 6
)

// batch is what a proof is about: products = k·blinded, with key = k·G. Each
// element comes with its encoding.
type batch struct {
	key                         *ristretto.Element
	keyBytes                    [32]byte
	blinded, products           []*ristretto.Element
	blindedBytes, productsBytes [][32]byte
	dst                         []byte
}

// prove returns the proof for share k. Of the batch's products it needs the
// bytes only.
func (b batch) prove(k *ristretto.Scalar, random [32]byte) (proof [64]byte) {
	// Weights and blinded elements are known to the hospital, so this sum may
	// take variable time. What follows has k or the nonce in it and does not.
	m := ristretto.VarTimeSum(b.weights(), b.blinded)
	z := ristretto.Mul(k, m)
	nonce := proofNonce(k, b.dst, random)
	c := b.challenge(m, z, ristretto.MulGen(nonce), ristretto.Mul(nonce, m))
	s := new(ristretto.Scalar).Multiply(c, k)
	s.Subtract(nonce, s)
	copy(proof[:32], c.Bytes())
	copy(proof[32:], s.Bytes())
	return proof
}

// proofNonce mixes the share and the transcript into the random bytes, as
// RFC 9591 section 4.1 does for its nonces: two different proofs with one
// nonce would give the share away, and a virtual machine resumed twice from
// one snapshot may well draw the same random bytes.
func proofNonce(k *ristretto.Scalar, dst []byte, random [32]byte) *ristretto.Scalar {
	msg := append(append(random[:], k.Bytes()...), dst...)
	return ristretto.HashToScalar(msg, []byte(proofNonceLabel))
}

// verify tells whether the proof holds. All it works on is known to holder and
// hospital alike, and to whoever sees their messages: variable time is safe.
func (b batch) verify(proof [64]byte) bool {
	c, err := ristretto.DecodeScalar([32]byte(proof[:32]))
	if err != nil {
		return false
	}
	s, err := ristretto.DecodeScalar([32]byte(proof[32:]))
	if err != nil {
		return false
	}
	weights := b.weights()
	m := ristretto.VarTimeSum(weights, b.blinded)
	z := ristretto.VarTimeSum(weights, b.products)
	both := []*ristretto.Scalar{s, c}
	t2 := ristretto.VarTimeSum(both, []*ristretto.Element{ristretto.Generator(), b.key})
	t3 := ristretto.VarTimeSum(both, []*ristretto.Element{m, z})
	return b.challenge(m, z, t2, t3).Equal(c) == 1
}

// weights returns by what each pair goes into the sums (ComputeComposites).
func (b batch) weights() []*ristretto.Scalar {
	h := sha512.New()
	h.Write(appendPrefixed(nil, b.keyBytes[:]))
	h.Write(appendPrefixed(nil, append([]byte(seedLabel), b.dst...)))
	seed := h.Sum(nil)
	dst := append([]byte(scalarLabel), b.dst...)
	out := make([]*ristretto.Scalar, len(b.blindedBytes))
	msg := make([]byte, 0, compositeBytes)
	for i := range out {
		msg = appendPrefixed(msg[:0], seed)
		msg = binary.BigEndian.AppendUint16(msg, uint16(i))
		msg = appendPrefixed(msg, b.blindedBytes[i][:])
		msg = appendPrefixed(msg, b.productsBytes[i][:])
		msg = append(msg, compositeLabel...)
		out[i] = ristretto.HashToScalar(msg, dst)
	}
	return out
}

func (b batch) challenge(m, z, t2, t3 *ristretto.Element) *ristretto.Scalar {
	msg := make([]byte, 0, challengeEntries*(2+ristretto.ElementBytes)+len(challengeLabel))
	for _, e := range [challengeEntries][32]byte{
		ristretto.Generator().Bytes(), b.keyBytes, m.Bytes(), z.Bytes(), t2.Bytes(), t3.Bytes(),
	} {
		msg = appendPrefixed(msg, e[:])
	}
	return ristretto.HashToScalar(append(msg, challengeLabel...), append([]byte(scalarLabel), b.dst...))
}

// appendPrefixed appends v after its length in two bytes.
func appendPrefixed(b, v []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(v))), v...)
}
