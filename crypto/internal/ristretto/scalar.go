package ristretto

import (
	"crypto/rand"
	"errors"
	"math/big"
	"slices"

	"filippo.io/edwards25519"
)

// Scalar is an integer modulo the group's order. The zero Scalar is 0.
type Scalar = edwards25519.Scalar

var errScalar = errors.New("ristretto: scalar is not reduced")

// DecodeScalar reads 32 bytes, little endian, less than the order.
func DecodeScalar(b [32]byte) (*Scalar, error) {
	s, err := new(Scalar).SetCanonicalBytes(b[:])
	if err != nil {
		return nil, errScalar
	}
	return s, nil
}

// ScalarOf returns an integer of up to 512 bits modulo the order; the sign is
// not looked at. Time depends on the integer.
func ScalarOf(n *big.Int) *Scalar {
	b := n.FillBytes(make([]byte, 64))
	slices.Reverse(b)
	return uniformScalar(b)
}

// RandomScalar returns a scalar from crypto/rand that is not zero.
func RandomScalar() *Scalar {
	for {
		var b [64]byte
		_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
		if s := uniformScalar(b[:]); !IsZero(s) {
			return s
		}
	}
}

// IsZero tells whether s is 0.
func IsZero(s *Scalar) bool { return s.Equal(new(Scalar)) == 1 }

// Inverses returns the inverse of every scalar, none of which is zero, at the
// price of one inversion (Montgomery's trick).
func Inverses(scalars []*Scalar) []*Scalar {
	out := make([]*Scalar, len(scalars))
	product, err := new(Scalar).SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic("ristretto: one: " + err.Error())
	}
	for i, s := range scalars {
		out[i] = new(Scalar).Set(product) // of all before it
		product.Multiply(product, s)
	}
	rest := product.Invert(product) // of all up to the i-th
	for i := len(scalars) - 1; i >= 0; i-- {
		out[i].Multiply(out[i], rest)
		rest.Multiply(rest, scalars[i])
	}
	return out
}

// uniformScalar reduces 64 bytes.
func uniformScalar(b []byte) *Scalar {
	s, err := new(Scalar).SetUniformBytes(b)
	if err != nil {
		panic("ristretto: uniform scalar: " + err.Error())
	}
	return s
}
