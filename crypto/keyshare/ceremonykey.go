package keyshare

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const (
	// CeremonyPublicBytes is the size of an X-Wing public key: ML-KEM-768's
	// 1,184 bytes and X25519's 32.
	CeremonyPublicBytes = 1184 + 32
	// SealedShareBytes is the size of a sealed share: an X-Wing encapsulation
	// of 1,120 bytes, the scalar and a GCM tag.
	SealedShareBytes = 1120 + 32 + 16

	ceremonyKeyLabel    = "raresync/v1/ceremony-key\x00"
	ceremonyShareLabel  = "raresync/v1/ceremony-share\x00"
	redactedCeremonyKey = "ceremony key(redacted)"
)

// ErrCeremonyKey reports ceremony keys that shares cannot be sealed to, or a
// seed that is not a published key's. Its code is KS005.
var ErrCeremonyKey = errors.New("KS005: not a ceremony key to use")

// CeremonyKey is what one new holder opens its sealed shares with. From one
// seed follow, for every run, as many X-Wing key pairs as the run has dealers:
// one dealer seals to one pair. A complaint can so give away what one dealer
// sealed and nothing else.
//
// It lives as long as its ceremony: the sealed shares stay on the log and in
// its copies, and are as safe as the seed is gone. It prints a placeholder.
type CeremonyKey struct{ reveal func() [32]byte }

// NewCeremonyKey returns a key from crypto/rand.
func NewCeremonyKey() (*CeremonyKey, error) {
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("make ceremony key: %w", err)
	}
	return CeremonyKeyFromSeed(seed)
}

// CeremonyKeyFromSeed returns the key that Seed gave away. It refuses a seed
// of zeros, which only a forgotten value can be, with ErrCeremonyKey.
func CeremonyKeyFromSeed(seed [32]byte) (*CeremonyKey, error) {
	if seed == [32]byte{} {
		return nil, fmt.Errorf("%w: a seed of zeros", ErrCeremonyKey)
	}
	return &CeremonyKey{reveal: func() [32]byte { return seed }}, nil
}

// Seed returns the secret from which everything follows, for storage that is
// wiped when the ceremony ends. A complaint publishes Reveal, never this.
func (k *CeremonyKey) Seed() [32]byte { return k.reveal() }

// Public returns the keys to publish for a run: one for each dealer, in order.
// It returns ErrRun for a run that is not valid.
func (k *CeremonyKey) Public(run Run) ([][CeremonyPublicBytes]byte, error) {
	if err := run.Validate(); err != nil {
		return nil, fmt.Errorf("ceremony keys: %w", err)
	}
	keys := make([][CeremonyPublicBytes]byte, run.Dealers)
	for i := range keys {
		pair, err := pairOf(k.Reveal(run, uint16(i+1)))
		if err != nil {
			return nil, fmt.Errorf("ceremony keys: %w", err)
		}
		keys[i] = [CeremonyPublicBytes]byte(pair.PublicKey().Bytes())
	}
	return keys, nil
}

// Reveal returns the seed of the one pair that the given dealer seals to. It
// opens this dealer's share to this holder, so it may be published when that
// dealer lied, and only then: see Judge. In a reshare the dealers' constant
// terms are shares in use, and t published evaluations of an honest dealer's
// polynomial would give its share away.
func (k *CeremonyKey) Reveal(run Run, dealer uint16) [32]byte {
	seed := k.reveal()
	info := binary.BigEndian.AppendUint16(run.appendTo([]byte(ceremonyKeyLabel)), dealer)
	b, err := hkdf.Expand(sha256.New, seed[:], string(info), 32)
	if err != nil {
		// 32 bytes are within the limit of RFC 5869 section 2.3.
		panic(fmt.Sprintf("keyshare: expand ceremony seed: %v", err))
	}
	return [32]byte(b)
}

// CheckCeremonyKeys returns ErrCeremonyKey with the reason unless keys are
// what a new holder publishes for the run: one for each dealer, each a key to
// which every dealer can seal. The answer is the same on all nodes.
func CheckCeremonyKeys(run Run, keys [][CeremonyPublicBytes]byte) error {
	if len(keys) != int(run.Dealers) {
		return fmt.Errorf("%w: %d keys, want %d, one for each dealer", ErrCeremonyKey, len(keys), run.Dealers)
	}
	for i := range keys {
		if _, err := parsePublic(keys[i]); err != nil {
			return fmt.Errorf("key for dealer %d: %w", i+1, err)
		}
	}
	return nil
}

// parsePublic decodes a key and refuses an X25519 part of low order, to which
// nothing can be sealed: decoding alone lets it through.
func parsePublic(b [CeremonyPublicBytes]byte) (hpke.PublicKey, error) {
	key, err := hpke.MLKEM768X25519().NewPublicKey(b[:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremonyKey, err)
	}
	point, err := ecdh.X25519().NewPublicKey(b[1184:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremonyKey, err)
	}
	// Every clamped scalar takes a point of low order, and no other, to zero.
	fixed, err := ecdh.X25519().NewPrivateKey(append(make([]byte, 31), 1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremonyKey, err)
	}
	if _, err := fixed.ECDH(point); err != nil {
		return nil, fmt.Errorf("%w: its X25519 part is of low order", ErrCeremonyKey)
	}
	return key, nil
}

// pairOf expands the seed of one pair.
func pairOf(seed [32]byte) (hpke.PrivateKey, error) {
	return hpke.MLKEM768X25519().NewPrivateKey(seed[:])
}

// sealInfo binds a sealed share to run, dealer and holder.
func sealInfo(run Run, dealer, holder uint16) []byte {
	b := run.appendTo([]byte(ceremonyShareLabel))
	b = binary.BigEndian.AppendUint16(b, dealer)
	return binary.BigEndian.AppendUint16(b, holder)
}

// String returns a placeholder.
func (k *CeremonyKey) String() string { return redactedCeremonyKey }

// Format writes the placeholder whatever the verb.
func (k *CeremonyKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedCeremonyKey) }

// LogValue returns the placeholder.
func (k *CeremonyKey) LogValue() slog.Value { return slog.StringValue(redactedCeremonyKey) }

// MarshalText returns the placeholder; JSON and other encodings use it.
func (k *CeremonyKey) MarshalText() ([]byte, error) { return []byte(redactedCeremonyKey), nil }
