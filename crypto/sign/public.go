package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"

	"github.com/raresync/raresync/crypto/cbor"
)

// ErrKey reports bytes that are not a public key of the purpose asked for.
var ErrKey = errors.New("not a public key")

// A KeyID names a public key: SHA-256 of its purpose and both its halves.
type KeyID [32]byte

// String returns the id in lower-case hexadecimal, 64 characters.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// A PublicKey is a verified pair of public keys with a purpose. It is
// immutable and safe for concurrent use. Its ML-DSA half is expanded when it is
// first needed, and once: it takes 36 KB then, and most keys of a roster of
// hundreds are never used by most nodes.
// Two public keys are the same if their ids are.
type PublicKey struct {
	purpose Purpose
	id      KeyID
	spkiEd  []byte
	spkiML  []byte // empty for log and TLS keys
	ed25519 ed25519.PublicKey
	mldsa44 atomic.Pointer[mldsa44.PublicKey] // cosigning keys; nil until it is needed, as the next
	mldsa65 atomic.Pointer[mldsa65.PublicKey] // envelope, request and response keys
}

// ParsePublicKey reads a key of purpose p from the DER SubjectPublicKeyInfo of
// its halves. The ML-DSA half is ML-DSA-65 for envelope, request and response
// keys, ML-DSA-44 for cosigning keys, and empty for log and TLS keys. Any
// other encoding, and an Ed25519 key of small order, is refused with ErrKey.
// The slices are copied.
func ParsePublicKey(p Purpose, spkiEd25519, spkiMLDSA []byte) (*PublicKey, error) {
	if !p.Valid() {
		return nil, fmt.Errorf("%w: %s", ErrKey, p)
	}
	k := &PublicKey{purpose: p, spkiEd: bytes.Clone(spkiEd25519), spkiML: bytes.Clone(spkiMLDSA)}
	if err := k.parseEd25519(); err != nil {
		return nil, fmt.Errorf("%w: Ed25519 half: %w", ErrKey, err)
	}
	if err := k.parseMLDSA(); err != nil {
		return nil, fmt.Errorf("%w: ML-DSA half: %w", ErrKey, err)
	}
	k.id = k.hash()
	return k, nil
}

func (k *PublicKey) parseEd25519() error {
	raw, err := splitSPKI(k.spkiEd, headEd25519, Ed25519SPKISize)
	if err != nil {
		return err
	}
	if weakPoint(raw) {
		return errors.New("point of small order or not canonical")
	}
	k.ed25519 = raw
	return nil
}

func (k *PublicKey) parseMLDSA() error {
	switch k.purpose {
	case PurposeLog, PurposeTLS:
		if len(k.spkiML) != 0 {
			return fmt.Errorf("a %s key has none", k.purpose)
		}
		return nil
	case PurposeCosign:
		_, err := splitSPKI(k.spkiML, headMLDSA44, MLDSA44SPKISize)
		return err
	default:
		_, err := splitSPKI(k.spkiML, headMLDSA65, MLDSA65SPKISize)
		return err
	}
}

// expanded returns what is kept in p, and puts the key there that raw stands for
// if nothing is. Any bytes of the right length are an ML-DSA key. Two that expand
// it at once get the same.
func expanded[K any, P interface {
	*K
	UnmarshalBinary([]byte) error
}](p *atomic.Pointer[K], raw []byte) *K {
	if k := p.Load(); k != nil {
		return k
	}
	k := new(K)
	if err := P(k).UnmarshalBinary(raw); err != nil {
		panic(fmt.Sprintf("sign: ML-DSA key of %d bytes: %v", len(raw), err)) // its length was checked
	}
	p.CompareAndSwap(nil, k)
	return p.Load()
}

// hash returns the key id. The halves need no lengths between them: the
// purpose fixes both.
func (k *PublicKey) hash() (id KeyID) {
	h := sha256.New()
	h.Write([]byte("raresync/v1/key-id\x00"))
	h.Write([]byte{byte(k.purpose)})
	h.Write(k.spkiEd)
	h.Write(k.spkiML)
	h.Sum(id[:0])
	return id
}

// String returns the key's purpose and id.
func (k *PublicKey) String() string { return k.purpose.String() + " key " + k.id.String() }

// ID returns the key's id.
func (k *PublicKey) ID() KeyID { return k.id }

// Purpose returns what the key may be used for.
func (k *PublicKey) Purpose() Purpose { return k.purpose }

// Ed25519 returns a copy of the Ed25519 half.
func (k *PublicKey) Ed25519() ed25519.PublicKey { return bytes.Clone(k.ed25519) }

// MLDSA44 returns the ML-DSA half of a cosigning key, and nil for keys of
// other purposes. It must not be modified.
func (k *PublicKey) MLDSA44() *mldsa44.PublicKey {
	if k.purpose != PurposeCosign {
		return nil
	}
	return expanded(&k.mldsa44, k.spkiML[len(k.spkiML)-mldsa44.PublicKeySize:])
}

// expandMLDSA65 returns the ML-DSA half of an envelope, request or response key.
func (k *PublicKey) expandMLDSA65() *mldsa65.PublicKey {
	return expanded(&k.mldsa65, k.spkiML[len(k.spkiML)-mldsa65.PublicKeySize:])
}

// SPKIEd25519 returns a copy of the Ed25519 half as SubjectPublicKeyInfo.
func (k *PublicKey) SPKIEd25519() []byte { return bytes.Clone(k.spkiEd) }

// SPKIMLDSA returns a copy of the ML-DSA half as SubjectPublicKeyInfo; it is
// empty for log and TLS keys.
func (k *PublicKey) SPKIMLDSA() []byte { return bytes.Clone(k.spkiML) }

// AppendCBOR appends the key as an array of 3: purpose, Ed25519 and ML-DSA
// SubjectPublicKeyInfo, the last an empty byte string where there is none.
func (k *PublicKey) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 3)
	b = cbor.AppendUint(b, uint64(k.purpose))
	b = cbor.AppendBytes(b, k.spkiEd)
	return cbor.AppendBytes(b, k.spkiML)
}

// DecodePublicKey reads what [PublicKey.AppendCBOR] writes. On any fault it
// makes d fail and returns nil.
func DecodePublicKey(d *cbor.Decoder) *PublicKey {
	d.Array(3)
	p := Purpose(d.Uint8())
	spkiEd, spkiML := d.Bytes(Ed25519SPKISize), d.Bytes(MLDSA65SPKISize)
	if d.Err() != nil {
		return nil
	}
	k, err := ParsePublicKey(p, spkiEd, spkiML)
	if err != nil {
		d.Fail("%v", err)
		return nil
	}
	return k
}
