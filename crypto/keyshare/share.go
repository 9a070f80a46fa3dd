package keyshare

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/cloudflare/circl/group"
)

const redacted = "scalar(redacted)"

// ErrShare reports a share that is not the one the record commits to. Its
// code is KS002.
var ErrShare = errors.New("KS002: share does not fit the key record")

var errScalar = errors.New("scalar is zero or not reduced")

// Share is one holder's part of the key in one epoch.
type Share struct {
	// KeyID and Epoch are those of the record the share belongs to. DealAll
	// leaves KeyID zero: the network id is not known yet.
	KeyID [32]byte
	Epoch uint32
	// Holder is the share's index, from 1.
	Holder uint16
	// Scalar is the secret.
	Scalar Scalar
}

// Scalar is a secret of 32 bytes that does not print itself. A function holds
// the bytes because fmt, meeting a Scalar in an unexported field of some other
// struct, calls no method of it, and would print an array or what a pointer
// points to; of a function it can only show the address.
//
// The zero Scalar holds no secret.
type Scalar struct{ reveal func() [32]byte }

// NewScalar returns the scalar with the given encoding: 32 bytes, little
// endian, less than the order of ristretto255 and not zero.
func NewScalar(b [32]byte) (Scalar, error) {
	s := group.Ristretto255.NewScalar()
	if err := s.UnmarshalBinary(b[:]); err != nil || s.IsZero() {
		return Scalar{}, errScalar
	}
	return Scalar{reveal: func() [32]byte { return b }}, nil
}

// Reveal returns the secret, or zeros for the zero Scalar.
func (s Scalar) Reveal() [32]byte {
	if s.reveal == nil {
		return [32]byte{}
	}
	return s.reveal()
}

// scalar returns the secret for the group library; the zero Scalar gives zero.
func (s Scalar) scalar() group.Scalar {
	raw := s.Reveal()
	k := group.Ristretto255.NewScalar()
	if err := k.UnmarshalBinary(raw[:]); err != nil {
		panic("keyshare: a Scalar that NewScalar did not make")
	}
	return k
}

// scalarOf is NewScalar for a scalar of the group library.
func scalarOf(k group.Scalar) (Scalar, error) { return NewScalar([32]byte(mustMarshal(k))) }

// mustMarshal encodes a scalar; the library has an encoding for every one.
func mustMarshal(k group.Scalar) []byte {
	b, err := k.MarshalBinary()
	if err != nil {
		panic("keyshare: encode scalar: " + err.Error())
	}
	return b
}

// String returns a placeholder.
func (s Scalar) String() string { return redacted }

// Format writes the placeholder whatever the verb.
func (s Scalar) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns the placeholder.
func (s Scalar) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns the placeholder; JSON and other encodings use it.
func (s Scalar) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// CheckShare returns nil if the share carries the record's key id and epoch,
// its holder exists, and its scalar times the generator is that holder's
// public key; otherwise ErrShare with the reason, or ErrRecord. A holder
// calls it each time it loads its share.
func CheckShare(r Record, s Share) error {
	switch {
	case s.KeyID != r.KeyID:
		return fmt.Errorf("%w: key id differs", ErrShare)
	case s.Epoch != r.Epoch:
		return fmt.Errorf("%w: epoch %d, want %d", ErrShare, s.Epoch, r.Epoch)
	}
	want, err := r.HolderKey(s.Holder)
	if err != nil {
		return fmt.Errorf("check share: %w", err)
	}
	raw := s.Scalar.Reveal()
	k := group.Ristretto255.NewScalar()
	if err := k.UnmarshalBinary(raw[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrShare, errScalar)
	}
	got, err := encodePoint(group.Ristretto255.NewElement().MulGen(k))
	if err != nil {
		return fmt.Errorf("check share: %w", err)
	}
	if got != want {
		return fmt.Errorf("%w: holder %d", ErrShare, s.Holder)
	}
	return nil
}
