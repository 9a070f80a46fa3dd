package ristretto

import (
	"errors"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// ElementBytes is the size of an element's encoding.
const ElementBytes = 32

// ErrEncoding reports bytes that are no element's canonical encoding.
var ErrEncoding = errors.New("ristretto: not the canonical encoding of an element")

// Element is an element of the group. The zero Element is not valid; use
// Identity.
//
// Eight points of the curve stand for one element, so points are never
// compared: encodings are.
type Element struct{ p edwards25519.Point }

// Constants of RFC 9496 section 4.1, computed from the curve's d.
var (
	one              = new(field.Element).One()
	minusOne         = new(field.Element).Negate(one)
	d                = curveD()
	sqrtM1           = root(minusOne)
	onePlusD         = new(field.Element).Add(d, one)
	aMinusD          = new(field.Element).Negate(onePlusD) // and ad - 1, since a = -1
	invSqrtAMinusD   = inverseRoot(aMinusD)
	sqrtADMinusOne   = new(field.Element).Negate(root(aMinusD)) // the RFC takes the negative root
	oneMinusDSquared = new(field.Element).Subtract(one, square(d))
	dMinusOneSquared = square(new(field.Element).Subtract(d, one))
)

// curveD returns -121665/121666.
func curveD() *field.Element {
	x := new(field.Element).Mult32(one, 121666)
	x.Invert(x)
	return x.Negate(x.Mult32(x, 121665))
}

func square(x *field.Element) *field.Element { return new(field.Element).Square(x) }

// root returns the non-negative root of a square.
func root(x *field.Element) *field.Element {
	r, _ := new(field.Element).SqrtRatio(x, one)
	return r
}

// inverseRoot returns the non-negative root of a square's inverse.
func inverseRoot(x *field.Element) *field.Element {
	r, _ := new(field.Element).SqrtRatio(one, x)
	return r
}

// Identity returns the identity element.
func Identity() *Element { return &Element{*edwards25519.NewIdentityPoint()} }

// Generator returns the generator of RFC 9496.
func Generator() *Element { return &Element{*edwards25519.NewGeneratorPoint()} }

// IsIdentity tells whether e is the identity: whether x or y is zero (RFC 9496
// section 4.3.3 with the identity's coordinates).
func (e *Element) IsIdentity() bool {
	x, y, _, _ := e.p.ExtendedCoordinates()
	zero := new(field.Element)
	return x.Equal(zero)|y.Equal(zero) == 1
}

// Decode reads an encoding (RFC 9496 section 4.3.1) or returns ErrEncoding.
func Decode(b [ElementBytes]byte) (*Element, error) {
	s, err := new(field.Element).SetBytes(b[:])
	if err != nil || [ElementBytes]byte(s.Bytes()) != b || s.IsNegative() == 1 {
		return nil, ErrEncoding
	}
	ss := square(s)
	u1 := new(field.Element).Subtract(one, ss)
	u2 := new(field.Element).Add(one, ss)
	u2Squared := square(u2)
	v := square(u1)
	v.Multiply(v, d)
	v.Negate(v)
	v.Subtract(v, u2Squared)

	invSqrt, wasSquare := new(field.Element).SqrtRatio(one, new(field.Element).Multiply(v, u2Squared))
	denX := new(field.Element).Multiply(invSqrt, u2)
	denY := new(field.Element).Multiply(invSqrt, denX)
	denY.Multiply(denY, v)

	x := new(field.Element).Add(s, s)
	x.Multiply(x, denX)
	x.Absolute(x)
	y := new(field.Element).Multiply(u1, denY)
	t := new(field.Element).Multiply(x, y)
	if wasSquare == 0 || t.IsNegative() == 1 || y.Equal(new(field.Element)) == 1 {
		return nil, ErrEncoding
	}
	return fromCoordinates(x, y, one, t), nil
}

// Bytes returns the encoding (RFC 9496 section 4.3.2).
func (e *Element) Bytes() [ElementBytes]byte {
	x0, y0, z0, t0 := e.p.ExtendedCoordinates()
	u1 := new(field.Element).Add(z0, y0)
	u1.Multiply(u1, new(field.Element).Subtract(z0, y0))
	u2 := new(field.Element).Multiply(x0, y0)

	invSqrt, _ := new(field.Element).SqrtRatio(one, new(field.Element).Multiply(u1, square(u2)))
	den1 := new(field.Element).Multiply(invSqrt, u1)
	den2 := new(field.Element).Multiply(invSqrt, u2)
	zInv := new(field.Element).Multiply(den1, den2)
	zInv.Multiply(zInv, t0)

	rotate := new(field.Element).Multiply(t0, zInv).IsNegative()
	x := new(field.Element).Select(new(field.Element).Multiply(y0, sqrtM1), x0, rotate)
	y := new(field.Element).Select(new(field.Element).Multiply(x0, sqrtM1), y0, rotate)
	denInv := new(field.Element).Select(new(field.Element).Multiply(den1, invSqrtAMinusD), den2, rotate)

	y.Select(new(field.Element).Negate(y), y, new(field.Element).Multiply(x, zInv).IsNegative())
	s := new(field.Element).Subtract(z0, y)
	s.Multiply(s, denInv)
	return [ElementBytes]byte(s.Absolute(s).Bytes())
}

// fromCoordinates returns the element of a point computed here.
func fromCoordinates(x, y, z, t *field.Element) *Element {
	e := &Element{}
	if _, err := e.p.SetExtendedCoordinates(x, y, z, t); err != nil {
		panic("ristretto: a formula left the curve: " + err.Error())
	}
	return e
}
