package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// Sizes of the keys of a reader in bytes.
const (
	ReaderPublicBytes = 1216 // ML-KEM-768 encapsulation key ‖ X25519 public key
	ReaderSeedBytes   = 32
)

// A KeyID names a reader's public key.
type KeyID [32]byte

// String returns the id in lower-case hexadecimal, 64 characters.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// A ReaderPublic is a public key that envelopes are wrapped to: a national or
// province reader's, an addressee's, or the hospital's own. It is immutable
// and safe for concurrent use. The zero value is no key; obtain one from
// ParseReaderPublic or ReaderPrivate.Public.
type ReaderPublic struct {
	key hpke.PublicKey
	id  KeyID
}

// ParseReaderPublic reads the 1216 bytes of a public key. It fails with ErrKey
// if they are no key, or one that no wrap can be made for.
func ParseReaderPublic(b []byte) (ReaderPublic, error) {
	if len(b) != ReaderPublicBytes {
		return ReaderPublic{}, fmt.Errorf("%w: %d bytes, want %d", ErrKey, len(b), ReaderPublicBytes)
	}
	key, err := hpke.MLKEM768X25519().NewPublicKey(b)
	if err != nil {
		return ReaderPublic{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := checkX25519(b[ReaderPublicBytes-32:]); err != nil {
		return ReaderPublic{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return newReaderPublic(key), nil
}

// checkX25519 refuses points of small order. They parse, but every wrap to
// them fails, so one such key in the roster would stop all hospitals.
func checkX25519(b []byte) error {
	point, err := ecdh.X25519().NewPublicKey(b)
	if err != nil {
		return err
	}
	fixed, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		return err
	}
	_, err = fixed.ECDH(point)
	return err
}

func newReaderPublic(key hpke.PublicKey) ReaderPublic {
	b := append([]byte("raresync/v1/sealing-key\x00"), key.Bytes()...)
	return ReaderPublic{key: key, id: sha256.Sum256(b)}
}

// Bytes returns the key's 1216 bytes.
func (r ReaderPublic) Bytes() []byte { return r.key.Bytes() }

// ID returns the key's id.
func (r ReaderPublic) ID() KeyID { return r.id }

// A ReaderPrivate opens the wraps made for its public key. It is immutable,
// safe for concurrent use, and prints as "[sealing key]".
type ReaderPrivate struct {
	public ReaderPublic

	// Behind a function: where a key lies in an unexported field, fmt does not
	// reach Format and follows pointers for some verbs, functions for none.
	secret func() *readerSecret
}

type readerSecret struct {
	seed [ReaderSeedBytes]byte
	key  hpke.PrivateKey
}

// GenerateReader makes a new key from the system's randomness.
func GenerateReader() (*ReaderPrivate, error) {
	var seed [ReaderSeedBytes]byte
	rand.Read(seed[:]) // never fails
	return NewReaderFromSeed(seed)
}

// NewReaderFromSeed makes the key that a seed determines, the decapsulation
// key of X-Wing.
func NewReaderFromSeed(seed [ReaderSeedBytes]byte) (*ReaderPrivate, error) {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed[:])
	if err != nil {
		return nil, fmt.Errorf("sealing key from seed: %w", err)
	}
	s := &readerSecret{seed: seed, key: key}
	return &ReaderPrivate{
		public: newReaderPublic(key.PublicKey()),
		secret: func() *readerSecret { return s },
	}, nil
}

// Seed returns the seed. It is the key: it belongs in a sealed key file and
// nowhere else.
func (r *ReaderPrivate) Seed() [ReaderSeedBytes]byte { return r.secret().seed }

// Public returns the public key.
func (r *ReaderPrivate) Public() ReaderPublic { return r.public }

// String returns a placeholder.
func (ReaderPrivate) String() string { return redacted }

// GoString returns a placeholder.
func (ReaderPrivate) GoString() string { return redacted }

// Format prints a placeholder whatever the verb.
func (ReaderPrivate) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue returns a placeholder.
func (ReaderPrivate) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (ReaderPrivate) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
