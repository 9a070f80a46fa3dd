package tlog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
)

// A KeyType says how a key signs checkpoints (C2SP signed-note, "Signature
// types").
type KeyType byte

// The types of keys raresync knows.
const (
	// LogEd25519 signs the note text.
	LogEd25519 KeyType = 0x01

	// CosignerEd25519 signs the note text and a time (C2SP tlog-cosignature).
	CosignerEd25519 KeyType = 0x04

	// CosignerMLDSA44 signs the checkpoint, a time and the cosigner's name
	// with ML-DSA-44, FIPS 204 (C2SP tlog-cosignature).
	CosignerMLDSA44 KeyType = 0x06
)

// maxVKeyBytes is the length of the longest vkey: a name, a key id in
// hexadecimal and an ML-DSA-44 public key in base64.
const maxVKeyBytes = MaxNameBytes + 1 + 8 + 1 + (1+mldsa44.PublicKeySize+2)/3*4

// A VKey is a public key that signs or cosigns checkpoints, under a name. It
// is read once and then verifies without parsing again. It does not change
// and may be shared between goroutines.
type VKey struct {
	name string
	id   uint32
	typ  KeyType
	raw  []byte // the public key as the vkey spells it
	ml   *mldsa44.PublicKey
}

// NewVKey returns the key of a type from its public key: 32 bytes of Ed25519
// (RFC 8032) or 1312 bytes of ML-DSA-44 (FIPS 204).
func NewVKey(name string, typ KeyType, public []byte) (*VKey, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	k := &VKey{name: name, id: keyID(name, typ, public), typ: typ, raw: bytes.Clone(public)}
	switch typ {
	case LogEd25519, CosignerEd25519:
		if len(public) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("verifier key: %w: Ed25519 key of %d bytes", ErrMalformed, len(public))
		}
	case CosignerMLDSA44:
		k.ml = new(mldsa44.PublicKey)
		if err := k.ml.UnmarshalBinary(public); err != nil {
			return nil, fmt.Errorf("verifier key: %w: ML-DSA-44 key of %d bytes", ErrMalformed, len(public))
		}
	default:
		return nil, fmt.Errorf("verifier key: %w: unknown type 0x%02x", ErrMalformed, byte(typ))
	}
	return k, nil
}

// keyID is the recommended key id of C2SP signed-note: the first four bytes
// of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
func keyID(name string, typ KeyType, public []byte) uint32 {
	preimage := append([]byte(name), '\n', byte(typ))
	sum := sha256.Sum256(append(preimage, public...))
	return binary.BigEndian.Uint32(sum[:])
}

// ParseVKey reads a vkey, "<name>+<key id>+<base64 of type ‖ public key>"
// (C2SP signed-note, "Verifier keys"), as [VKey.String] writes it.
func ParseVKey(s string) (*VKey, error) {
	if len(s) > maxVKeyBytes {
		return nil, fmt.Errorf("parse verifier key: %w: longer than %d bytes", ErrMalformed, maxVKeyBytes)
	}
	parts := strings.Split(s, "+") // base64 has plus signs too
	if len(parts) < 3 {
		return nil, fmt.Errorf("parse verifier key: %w: not name+id+key", ErrMalformed)
	}
	material, err := decodeBase64(strings.Join(parts[2:], "+"))
	if err != nil {
		return nil, fmt.Errorf("parse verifier key: %w", err)
	}
	if len(material) == 0 {
		return nil, fmt.Errorf("parse verifier key: %w: no key type", ErrMalformed)
	}
	k, err := NewVKey(parts[0], KeyType(material[0]), material[1:])
	if err != nil {
		return nil, fmt.Errorf("parse %w", err)
	}
	if parts[1] != fmt.Sprintf("%08x", k.id) {
		return nil, fmt.Errorf("parse verifier key: %w: key id does not fit the key", ErrMalformed)
	}
	return k, nil
}

// String returns the vkey.
func (k *VKey) String() string {
	material := append([]byte{byte(k.typ)}, k.raw...)
	return fmt.Sprintf("%s+%08x+%s", k.name, k.id, encodeBase64(material))
}

// Name returns the key's name: the origin for a log's key.
func (k *VKey) Name() string { return k.name }

// KeyID returns the number that signature lines carry beside the name.
func (k *VKey) KeyID() uint32 { return k.id }

// Type returns the key's type.
func (k *VKey) Type() KeyType { return k.typ }

// Public returns a copy of the public key, without the type.
func (k *VKey) Public() []byte { return bytes.Clone(k.raw) }

// Verify checks one signature line of a checkpoint: that it names this key
// and that this key signed. It returns the time of a cosignature in Unix
// seconds, 1 to 2^63 - 1, and 0 for a log's signature. A cosignature at time
// 0, which claims no time, is refused. A log's key refuses checkpoints of
// another origin. The error is [ErrSignature], or [ErrMalformed] for a
// checkpoint that [Checkpoint.Check] refuses.
func (k *VKey) Verify(c Checkpoint, sig NoteSignature) (unixSeconds uint64, err error) {
	if !k.names(sig) {
		return 0, fmt.Errorf("verify signature by %s: %w: made by another key", k.name, ErrSignature)
	}
	if err := c.Check(); err != nil {
		return 0, fmt.Errorf("verify signature by %s: %w", k.name, err)
	}
	var ok bool
	if k.typ == LogEd25519 {
		ok = k.name == c.Origin && ed25519.Verify(k.raw, c.Text(), sig.Blob)
	} else {
		unixSeconds, ok = k.verifyCosignature(c, sig.Blob)
	}
	if !ok {
		return 0, fmt.Errorf("verify signature by %s: %w: does not verify", k.name, ErrSignature)
	}
	return unixSeconds, nil
}

func (k *VKey) verifyCosignature(c Checkpoint, blob []byte) (unixSeconds uint64, ok bool) {
	if len(blob) <= timestampSize {
		return 0, false
	}
	unixSeconds = binary.BigEndian.Uint64(blob)
	if unixSeconds == 0 || unixSeconds > math.MaxInt64 {
		return 0, false
	}
	signature := blob[timestampSize:]
	if k.typ == CosignerMLDSA44 {
		ok = len(signature) == mldsa44.SignatureSize &&
			mldsa44.Verify(k.ml, mldsaMessage(k.name, unixSeconds, c), nil, signature)
	} else {
		ok = ed25519.Verify(k.raw, ed25519Message(unixSeconds, c), signature)
	}
	return unixSeconds, ok
}

func (k *VKey) names(sig NoteSignature) bool {
	return sig.Name == k.name && sig.KeyID == k.id
}

// find returns the key's signature line, if there is one.
func (k *VKey) find(sigs []NoteSignature) (NoteSignature, bool) {
	for _, sig := range sigs {
		if k.names(sig) {
			return sig, true
		}
	}
	return NoteSignature{}, false
}
