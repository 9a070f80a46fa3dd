package ristretto

import (
	"crypto"

	"filippo.io/edwards25519/field"
	"github.com/cloudflare/circl/expander"
)

// expand is expand_message_xmd of RFC 9380 section 5.3.1 with SHA-512.
func expand(msg, dst []byte) []byte {
	return expander.NewExpanderMD(crypto.SHA512, dst).Expand(msg, 64)
}

// HashToElement is hash_to_ristretto255 of RFC 9380 appendix B with SHA-512.
func HashToElement(msg, dst []byte) *Element {
	b := expand(msg, dst)
	e := mapToElement(b[:32])
	e.p.Add(&e.p, &mapToElement(b[32:]).p)
	return e
}

// HashToScalar is HashToScalar of RFC 9497 section 4.1.
func HashToScalar(msg, dst []byte) *Scalar {
	return uniformScalar(expand(msg, dst))
}

// mapToElement is MAP of RFC 9496 section 4.3.4, of 32 bytes.
func mapToElement(b []byte) *Element {
	t, err := new(field.Element).SetBytes(b) // ignores the highest bit, as the RFC does
	if err != nil {
		panic("ristretto: map: " + err.Error())
	}
	r := square(t)
	r.Multiply(r, sqrtM1)
	u := new(field.Element).Add(r, one)
	u.Multiply(u, oneMinusDSquared)
	v := new(field.Element).Multiply(r, d)
	v.Subtract(minusOne, v)
	v.Multiply(v, new(field.Element).Add(r, d))

	s, wasSquare := new(field.Element).SqrtRatio(u, v)
	sPrime := new(field.Element).Multiply(s, t)
	sPrime.Negate(sPrime.Absolute(sPrime))
	s.Select(s, sPrime, wasSquare)
	c := new(field.Element).Select(minusOne, r, wasSquare)

	n := new(field.Element).Subtract(r, one)
	n.Multiply(n, c)
	n.Multiply(n, dMinusOneSquared)
	n.Subtract(n, v)

	w0 := new(field.Element).Multiply(s, v)
	w0.Add(w0, w0)
	w1 := new(field.Element).Multiply(n, sqrtADMinusOne)
	ss := square(s)
	w2 := new(field.Element).Subtract(one, ss)
	w3 := new(field.Element).Add(one, ss)
	return fromCoordinates(
		new(field.Element).Multiply(w0, w3), new(field.Element).Multiply(w2, w1),
		new(field.Element).Multiply(w1, w3), new(field.Element).Multiply(w0, w2))
}
