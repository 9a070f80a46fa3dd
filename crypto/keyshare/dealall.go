package keyshare

import (
	"fmt"
	"io"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/math/polynomial"
)

const dealLabel = "raresync/v1/deal"

// DealAll makes a key and splits it among n holders so that t of them are
// needed: the record of epoch 1, and the shares in the order of the holders.
// The caller knows the key until it forgets the shares; see [Dealt].
//
// It reads 64 bytes of random per coefficient, t in all; a real key needs
// crypto/rand's Reader. It returns random's error, or ErrRecord if n and t
// make no valid record. Record and shares have no key id yet.
func DealAll(n, t int, random io.Reader) (Record, []Share, error) {
	if n < 1 || n > MaxHolders || t < Threshold(n) || t > n {
		return Record{}, nil, fmt.Errorf("deal %d of %d: %w", t, n, ErrRecord)
	}
	coefficients := make([]group.Scalar, t)
	for i := range coefficients {
		c, err := randomScalar(random)
		if err != nil {
			return Record{}, nil, fmt.Errorf("deal: %w", err)
		}
		coefficients[i] = c
	}
	r := Record{Origin: Dealt, Epoch: 1, Threshold: uint16(t), Holders: uint16(n)}
	for _, c := range coefficients {
		a, err := encodePoint(group.Ristretto255.NewElement().MulGen(c))
		if err != nil {
			return Record{}, nil, fmt.Errorf("deal: %w", err)
		}
		r.Commitments = append(r.Commitments, a)
	}
	shares, err := split(coefficients, r)
	if err != nil {
		return Record{}, nil, fmt.Errorf("deal: %w", err)
	}
	if err := r.Validate(); err != nil {
		return Record{}, nil, fmt.Errorf("deal: %w", err)
	}
	return r, shares, nil
}

// split evaluates the polynomial at every holder's index.
func split(coefficients []group.Scalar, r Record) ([]Share, error) {
	f := polynomial.New(coefficients)
	shares := make([]Share, r.Holders)
	for i := range shares {
		holder := uint16(i + 1)
		y := f.Evaluate(group.Ristretto255.NewScalar().SetUint64(uint64(holder)))
		b, err := y.MarshalBinary()
		if err != nil {
			return nil, err
		}
		scalar, err := NewScalar([32]byte(b))
		if err != nil {
			return nil, fmt.Errorf("holder %d: %w", holder, err)
		}
		shares[i] = Share{Epoch: r.Epoch, Holder: holder, Scalar: scalar}
	}
	return shares, nil
}

// randomScalar reads a scalar from random. The group's own RandomScalar does
// not use the reader it is given, so a test could not fix its value.
func randomScalar(random io.Reader) (group.Scalar, error) {
	var seed [64]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, err
	}
	return group.Ristretto255.HashToScalar(seed[:], []byte(dealLabel)), nil
}
