package ristretto

import (
	"math/big"

	"filippo.io/edwards25519"
)

// Mul returns s times e.
func Mul(s *Scalar, e *Element) *Element {
	out := &Element{}
	out.p.ScalarMult(s, &e.p)
	return out
}

// MulGen returns s times the generator.
func MulGen(s *Scalar) *Element {
	out := &Element{}
	out.p.ScalarBaseMult(s)
	return out
}

// VarTimeSum returns the sum of every scalar times its element. The slices are
// of one length. Time depends on the scalars.
func VarTimeSum(scalars []*Scalar, elements []*Element) *Element {
	points := make([]*edwards25519.Point, len(elements))
	for i, e := range elements {
		points[i] = &e.p
	}
	out := &Element{}
	out.p.VarTimeMultiScalarMult(scalars, points)
	return out
}

// VarTimeSmallSum is VarTimeSum for integers of few bits, negative ones too:
// it takes as many doublings as the largest has bits, and an addition for each
// bit that is set. The slices are of one length.
func VarTimeSmallSum(factors []*big.Int, elements []*Element) *Element {
	longest := 0
	for _, f := range factors {
		longest = max(longest, f.BitLen())
	}
	out := Identity()
	magnitude := new(big.Int)
	for bit := longest - 1; bit >= 0; bit-- {
		out.p.Double(&out.p)
		for i, f := range factors {
			switch {
			case magnitude.Abs(f).Bit(bit) == 0:
			case f.Sign() < 0:
				out.p.Subtract(&out.p, &elements[i].p)
			default:
				out.p.Add(&out.p, &elements[i].p)
			}
		}
	}
	return out
}
