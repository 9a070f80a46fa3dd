package keyshare

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"github.com/cloudflare/circl/group"
)

// MaxHolders is the largest number of holders a record may name.
const MaxHolders = 32

// Suite is the one suite this package writes and reads: ristretto255 with
// SHA-512 (RFC 9497 section 4.1). Records and shares carry it.
const Suite uint16 = 1

const keyIDLabel = "raresync/v1/toprf-key\x00"

// ErrRecord reports a key record that no network may use. Its code is KS001.
var ErrRecord = errors.New("KS001: key record is not valid")

// Origin says how a key came to be.
type Origin uint8

const (
	// Dealt keys were made by one party, who then knew them. For networks
	// marked demo only.
	Dealt Origin = 1
	// DKG keys were made by the holders together; no party ever knew them.
	DKG Origin = 2
)

// String returns "dealt" or "dkg".
func (o Origin) String() string {
	switch o {
	case Dealt:
		return "dealt"
	case DKG:
		return "dkg"
	}
	return fmt.Sprintf("origin(%d)", uint8(o))
}

// Record is what everyone knows of the key in one epoch.
type Record struct {
	Origin Origin
	// KeyID names the key across epochs. It depends on the network id, which
	// depends on the genesis that contains the record: it is therefore not
	// encoded, and zero until Bind sets it.
	KeyID [32]byte
	// Epoch counts sharings of the key from 1; resharing adds one and leaves
	// the key and its pseudonyms as they are.
	Epoch uint32
	// Threshold is t, the number of shares needed: at least a majority.
	Threshold uint16
	// Holders is n, the number of shares, numbered from 1 to n.
	Holders uint16
	// Commitments are the t coefficients of the polynomial times the
	// generator, constant term first, as ristretto255 encodings.
	Commitments [][32]byte
}

// Threshold returns the number of shares needed when n holders keep one
// each: a majority, so 2 of 3, 3 of 5, 4 of 7, 5 of 9.
func Threshold(n int) int { return n/2 + 1 }

// KeyID returns the name of the key with the given public key in a network.
// Resharing leaves it unchanged.
func KeyID(network, publicKey [32]byte) [32]byte {
	b := make([]byte, 0, len(keyIDLabel)+64)
	b = append(b, keyIDLabel...)
	b = append(b, network[:]...)
	b = append(b, publicKey[:]...)
	return sha256.Sum256(b)
}

// Bind returns the record with its KeyID set for the given network.
func (r Record) Bind(network [32]byte) Record {
	r.KeyID = KeyID(network, r.PublicKey())
	return r
}

// PublicKey returns the encoding of k times the generator, or zeros if the
// record has no commitments.
func (r Record) PublicKey() [32]byte {
	if len(r.Commitments) == 0 {
		return [32]byte{}
	}
	return r.Commitments[0]
}

// Validate returns ErrRecord with the reason if the origin is unknown, the
// epoch is zero, there are no or too many holders, a minority of holders
// would be enough, the commitments are not one per needed share, or one of
// them is not the canonical encoding of an element other than the identity.
func (r Record) Validate() error {
	n, t := int(r.Holders), int(r.Threshold)
	switch {
	case r.Origin != Dealt && r.Origin != DKG:
		return fmt.Errorf("%w: %v", ErrRecord, r.Origin)
	case r.Epoch == 0:
		return fmt.Errorf("%w: epoch 0", ErrRecord)
	case n == 0 || n > MaxHolders:
		return fmt.Errorf("%w: %d holders, want 1 to %d", ErrRecord, n, MaxHolders)
	case t < Threshold(n) || t > n:
		// Below a majority, two disjoint sets of holders could each answer,
		// and a hospital would have its quota twice.
		return fmt.Errorf("%w: threshold %d of %d holders, want at least %d", ErrRecord, t, n, Threshold(n))
	case len(r.Commitments) != t:
		return fmt.Errorf("%w: %d commitments, want %d", ErrRecord, len(r.Commitments), t)
	}
	points, err := r.points()
	if err != nil {
		return err
	}
	return checkHolders(points, n)
}

// HolderKey returns the public key of holder i, counted from 1: f(i) times
// the generator, computed from the commitments. It returns ErrRecord if there
// is no such holder or a commitment does not decode.
func (r Record) HolderKey(i uint16) ([32]byte, error) {
	if i == 0 || i > r.Holders || len(r.Commitments) == 0 {
		return [32]byte{}, fmt.Errorf("%w: no holder %d of %d", ErrRecord, i, r.Holders)
	}
	points, err := r.points()
	if err != nil {
		return [32]byte{}, err
	}
	return encodePoint(holderPoint(points, i))
}

// points decodes the commitments.
func (r Record) points() ([]group.Element, error) {
	out := make([]group.Element, len(r.Commitments))
	for i, c := range r.Commitments {
		e := group.Ristretto255.NewElement()
		if err := e.UnmarshalBinary(c[:]); err != nil || e.IsIdentity() {
			return nil, fmt.Errorf("%w: commitment %d is no group element to use", ErrRecord, i)
		}
		out[i] = e
	}
	return out, nil
}

// holderPoint evaluates the committed polynomial at i (Horner's rule).
func holderPoint(commitments []group.Element, i uint16) group.Element {
	last := len(commitments) - 1
	v := commitments[last].Copy()
	for k := last - 1; k >= 0; k-- {
		v = times(i, v)
		v.Add(v, commitments[k])
	}
	return v
}

// times returns n·e in time that depends on n: a doubling for each of its few
// bits, and not for each of a scalar's 253. Holders' numbers are public.
func times(n uint16, e group.Element) group.Element {
	out := group.Ristretto255.Identity()
	for bit := bits.Len16(n) - 1; bit >= 0; bit-- {
		out.Dbl(out)
		if n>>bit&1 == 1 {
			out.Add(out, e)
		}
	}
	return out
}

// checkHolders refuses commitments under which a holder's share is zero: its
// public key would be the identity, and its evaluations too.
func checkHolders(commitments []group.Element, n int) error {
	for i := 1; i <= n; i++ {
		if holderPoint(commitments, uint16(i)).IsIdentity() {
			return fmt.Errorf("%w: holder %d has the identity as public key", ErrRecord, i)
		}
	}
	return nil
}

func encodePoint(e group.Element) (out [32]byte, err error) {
	b, err := e.MarshalBinaryCompress()
	copy(out[:], b)
	return out, err
}

// mustEncode is encodePoint for points computed here; the library has an
// encoding for every one.
func mustEncode(e group.Element) [32]byte {
	b, err := encodePoint(e)
	if err != nil {
		panic("keyshare: encode point: " + err.Error())
	}
	return b
}
