package seal

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// A Part is one of the two kinds of entries of an envelope, which may have
// different readers.
type Part byte

// The parts, as numbered in the protocol.
const (
	Clinical Part = 0x63 // 'c'
	Genetic  Part = 0x67 // 'g'
)

// String returns the part as a word.
func (p Part) String() string {
	switch p {
	case Clinical:
		return "clinical"
	case Genetic:
		return "genetic"
	}
	return fmt.Sprintf("part 0x%02x", byte(p))
}

// A KEK is the 32-byte key of one part of one envelope. All zeros stand for no
// key and open nothing. It prints as "[sealing key]"; but fmt reaches no method
// of what lies in an unexported field, so a struct that keeps a KEK in one is
// not for printing.
type KEK [32]byte

// KEKs are the two keys of an envelope. They are drawn anew for every envelope
// and every attempt at one.
type KEKs struct{ Clinical, Genetic KEK }

// NewKEKs reads two keys, 64 bytes in all, from rand.
func NewKEKs(rand io.Reader) (KEKs, error) {
	var k KEKs
	for _, kek := range []*KEK{&k.Clinical, &k.Genetic} {
		if _, err := io.ReadFull(rand, kek[:]); err != nil {
			return KEKs{}, fmt.Errorf("draw envelope keys: %w", err)
		}
	}
	return k, nil
}

// Of returns the key of part p, or no key if p is not a part.
func (k KEKs) Of(p Part) KEK {
	switch p {
	case Clinical:
		return k.Clinical
	case Genetic:
		return k.Genetic
	}
	return KEK{}
}

// CommitKEK returns the commitment to the key k of part p that the header of
// the envelope carries.
func (c Context) CommitKEK(p Part, k KEK) [32]byte {
	b := c.labelled("raresync/v1/kek", 1+len(k))
	b = append(b, byte(p))
	return sha256.Sum256(append(b, k[:]...))
}

// matches reports whether k is a key and commit is its commitment.
func (c Context) matches(p Part, k KEK, commit [32]byte) bool {
	got := c.CommitKEK(p, k)
	return !k.none() && subtle.ConstantTimeCompare(got[:], commit[:]) == 1
}

func (k KEK) none() bool {
	var zero KEK
	return subtle.ConstantTimeCompare(k[:], zero[:]) == 1
}

const redacted = "[sealing key]"

// String returns a placeholder.
func (KEK) String() string { return redacted }

// GoString returns a placeholder.
func (KEK) GoString() string { return redacted }

// Format prints a placeholder whatever the verb.
func (KEK) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue returns a placeholder.
func (KEK) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (KEK) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
