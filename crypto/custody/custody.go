package custody

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"

	"github.com/raresync/raresync/crypto/cbor"
)

// Parts is how many parts there are, and Needed how many give the secrets.
const (
	Parts  = 3
	Needed = 2
)

const (
	formatVersion  = 1
	label          = "raresync/v1/custody"
	maxSecrets     = 64
	maxSecretBytes = 1024
	maxSealedBytes = maxSecrets * (maxSecretBytes + 8)
	scalarBytes    = 32
)

// ErrParts reports parts that do not give secrets together: of two splittings,
// one twice, or damaged.
var ErrParts = errors.New("these parts do not belong together, or one of them is damaged")

// ErrFormat reports bytes that are no part of a format that this version knows.
var ErrFormat = errors.New("not a custody part that this version knows")

// A Part is what one person keeps. It prints as "[custody part]".
type Part struct {
	set   [16]byte // names the splitting
	index uint8    // 1 to Parts

	// Behind a function, which fmt does not look into.
	share  func() [scalarBytes]byte
	sealed []byte
}

// Index returns which part it is, 1 to [Parts].
func (p Part) Index() int { return int(p.index) }

// Split splits at most 64 secrets of at most 1024 bytes each.
func Split(secrets [][]byte) (parts [Parts]Part, err error) {
	plain := cbor.AppendArray(nil, len(secrets))
	for _, s := range secrets {
		if len(s) == 0 || len(s) > maxSecretBytes {
			return parts, fmt.Errorf("split: a secret of %d bytes, want 1 to %d", len(s), maxSecretBytes)
		}
		plain = cbor.AppendBytes(plain, s)
	}
	if len(secrets) == 0 || len(secrets) > maxSecrets {
		return parts, fmt.Errorf("split: %d secrets, want 1 to %d", len(secrets), maxSecrets)
	}
	var set [16]byte
	rand.Read(set[:]) // never fails
	secret := group.Ristretto255.RandomNonZeroScalar(rand.Reader)
	aead, err := aeadOf(secret, set)
	if err != nil {
		return parts, fmt.Errorf("split: %w", err)
	}
	// The key serves once, so the nonce is zeros.
	sealed := aead.Seal(nil, make([]byte, aead.NonceSize()), plain, set[:])
	for i, s := range secretsharing.New(rand.Reader, Needed-1, secret).Share(Parts) {
		raw, err := s.Value.MarshalBinary()
		if err != nil || len(raw) != scalarBytes {
			return parts, fmt.Errorf("split: share %d: %w", i+1, err)
		}
		share := [scalarBytes]byte(raw)
		parts[i] = Part{set: set, index: uint8(i + 1), share: func() [scalarBytes]byte { return share }, sealed: sealed}
	}
	return parts, nil
}

// Join returns the secrets that two parts of one splitting give, or ErrParts.
func Join(a, b Part) ([][]byte, error) {
	if a.share == nil || b.share == nil || a.set != b.set || a.index == b.index || !bytes.Equal(a.sealed, b.sealed) {
		return nil, ErrParts
	}
	var shares []secretsharing.Share
	for _, p := range []Part{a, b} {
		value := group.Ristretto255.NewScalar()
		raw := p.share()
		if value.UnmarshalBinary(raw[:]) != nil {
			return nil, ErrParts
		}
		shares = append(shares, secretsharing.Share{ID: group.Ristretto255.NewScalar().SetUint64(uint64(p.index)), Value: value})
	}
	secret, err := secretsharing.Recover(Needed-1, shares)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParts, err)
	}
	aead, err := aeadOf(secret, a.set)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), a.sealed, a.set[:])
	if err != nil {
		return nil, ErrParts
	}
	return decodeSecrets(plain)
}

func decodeSecrets(plain []byte) ([][]byte, error) {
	d := cbor.NewDecoder(plain)
	var out [][]byte
	for range d.ArrayMax(maxSecrets) {
		out = append(out, bytes.Clone(d.Bytes(maxSecretBytes)))
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrParts, err)
	}
	return out, nil
}

func aeadOf(secret group.Scalar, set [16]byte) (cipher.AEAD, error) {
	raw, err := secret.MarshalBinary()
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, raw, set[:], label, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Marshal returns the part's deterministic CBOR, [1, set, index, share, sealed
// secrets]. It is a secret.
func (p Part) Marshal() []byte {
	share := p.share()
	b := cbor.AppendArray(nil, 5)
	b = cbor.AppendUint(b, formatVersion)
	b = cbor.AppendBytes(b, p.set[:])
	b = cbor.AppendUint(b, uint64(p.index))
	b = cbor.AppendBytes(b, share[:])
	return cbor.AppendBytes(b, p.sealed)
}

// Parse reads what [Part.Marshal] writes. It fails with ErrFormat.
func Parse(raw []byte) (Part, error) {
	d := cbor.NewDecoder(raw)
	d.Array(5)
	if v := d.Uint(); d.Err() == nil && v != formatVersion {
		return Part{}, fmt.Errorf("%w: version %d", ErrFormat, v)
	}
	var p Part
	var share [scalarBytes]byte
	d.BytesInto(p.set[:])
	p.index = d.Uint8()
	d.BytesInto(share[:])
	p.sealed = bytes.Clone(d.Bytes(maxSealedBytes))
	if d.Err() == nil && (p.index == 0 || p.index > Parts) {
		d.Fail("part %d of %d", p.index, Parts)
	}
	if err := d.Done(); err != nil {
		return Part{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	p.share = func() [scalarBytes]byte { return share }
	return p, nil
}

const redacted = "[custody part]"

// String returns a fixed text.
func (Part) String() string { return redacted }

// GoString returns a fixed text.
func (Part) GoString() string { return redacted }

// Format prints a fixed text whatever the verb.
func (Part) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue returns a fixed text.
func (Part) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a fixed text.
func (Part) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
