package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// A Body is one sealed entry, or what is left of one: of an erased entry salt,
// tag and ciphertext are zeros, the ciphertext as long as it was.
type Body struct {
	Salt       [32]byte // random, drawn by the sender, first to be erased
	Tag        [16]byte // tells holders of the KEK which part it is
	Ciphertext []byte   // AES-256-GCM of the padded entry, a size class + 16 bytes

	Erased *[32]byte // commitment of what was erased; nil: nothing was
}

// Erase returns what is left of the body at a place once it is erased.
func (b Body) Erase(c Context, place uint32) Body {
	if b.Erased != nil {
		return b
	}
	sum := c.Commitment(place, b.Salt, b.Tag, b.Ciphertext)
	return Body{Ciphertext: make([]byte, len(b.Ciphertext)), Erased: &sum}
}

// Seal seals plaintext, the CBOR of an entry, as part p at a place of the
// envelope under that part's key. Salt is 32 fresh random bytes: with the same
// salt, place and key a second plaintext would give both away. It fails with
// ErrTooLarge if plaintext has more than MaxPlaintextBytes.
func (c Context) Seal(place uint32, p Part, k KEK, salt [32]byte, plaintext []byte) (Body, error) {
	if len(plaintext) > MaxPlaintextBytes {
		return Body{}, fmt.Errorf("seal place %d: %w: %d bytes, at most %d",
			place, ErrTooLarge, len(plaintext), MaxPlaintextBytes)
	}
	if (p != Clinical && p != Genetic) || k.none() {
		return Body{}, fmt.Errorf("seal place %d: no key for %s", place, p)
	}
	aead, err := c.aead(place, p, k, salt)
	if err != nil {
		return Body{}, fmt.Errorf("seal place %d: %w", place, err)
	}
	tag, err := partTag(k, salt)
	if err != nil {
		return Body{}, fmt.Errorf("seal place %d: %w", place, err)
	}
	padded := pad(plaintext)
	sealed := aead.Seal(padded[:0], zeroNonce, padded, c.additional(place, p))
	return Body{Salt: salt, Tag: tag, Ciphertext: sealed}, nil
}

// Open opens the body at a place of the envelope with whichever of the keys it
// was sealed under, and returns its part and plaintext. A zero KEK is no key.
// It fails with ErrErased if the body was erased, with ErrLength if the
// ciphertext's length is no size class, and with ErrBody if it does not open.
func (c Context) Open(place uint32, k KEKs, b Body) (Part, []byte, error) {
	if b.Erased != nil {
		return 0, nil, fmt.Errorf("open place %d: %w", place, ErrErased)
	}
	if err := CheckCiphertextLen(len(b.Ciphertext)); err != nil {
		return 0, nil, fmt.Errorf("open place %d: %w", place, err)
	}
	p, err := k.partOf(b)
	if err != nil {
		return 0, nil, fmt.Errorf("open place %d: %w", place, err)
	}
	aead, err := c.aead(place, p, k.Of(p), b.Salt)
	if err != nil {
		return 0, nil, fmt.Errorf("open place %d: %w", place, err)
	}
	padded, err := aead.Open(nil, zeroNonce, b.Ciphertext, c.additional(place, p))
	if err != nil {
		return 0, nil, fmt.Errorf("open place %d as %s: %w", place, p, ErrBody)
	}
	plaintext, err := unpad(padded)
	if err != nil {
		return 0, nil, fmt.Errorf("open place %d as %s: %w", place, p, err)
	}
	return p, plaintext, nil
}

// partOf tells from the body's tag which part it is. A tag that fits both keys
// is refused: a sender could only arrange that to show holders of one key a
// different entry than holders of the other.
func (k KEKs) partOf(b Body) (Part, error) {
	var found []Part
	for _, p := range []Part{Clinical, Genetic} {
		kek := k.Of(p)
		tag, err := partTag(kek, b.Salt)
		if err != nil {
			return 0, err
		}
		if !kek.none() && subtle.ConstantTimeCompare(tag[:], b.Tag[:]) == 1 {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%w: %w", ErrBody, ErrPart)
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("%w: its tag fits both keys", ErrBody)
}

// partTag returns the tag of bodies with the given salt under k.
func partTag(k KEK, salt [32]byte) (tag [16]byte, err error) {
	out, err := hkdf.Expand(sha256.New, k[:], "raresync/v1/tag\x00"+string(salt[:]), len(tag))
	if err != nil {
		return tag, fmt.Errorf("derive tag: %w", err)
	}
	return [16]byte(out), nil
}

// zeroNonce serves every body, since each has a key of its own.
var zeroNonce = make([]byte, 12)

// aead returns AES-256-GCM under the key of one body.
func (c Context) aead(place uint32, p Part, k KEK, salt [32]byte) (cipher.AEAD, error) {
	info := c.labelled("raresync/v1/dek", 4+1+len(salt))
	info = binary.BigEndian.AppendUint32(info, place)
	info = append(info, byte(p))
	info = append(info, salt[:]...)
	dek, err := hkdf.Expand(sha256.New, k[:], string(info), 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(dek)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCM(block)
}

// additional returns the data a body is authenticated with.
func (c Context) additional(place uint32, p Part) []byte {
	b := c.Append(make([]byte, 0, contextBytes+4+1))
	b = binary.BigEndian.AppendUint32(b, place)
	return append(b, byte(p))
}
