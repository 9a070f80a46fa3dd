package sign

import (
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// Sizes of the two halves of a signature in bytes.
const (
	Ed25519SignatureSize = ed25519.SignatureSize // 64
	MLDSA65SignatureSize = mldsa65.SignatureSize // 3309
)

// Why a signature is refused or cannot be made. ErrEd25519, ErrMLDSA and
// ErrPurpose each wrap ErrSignature, so a caller that needs no detail tests
// for that one.
var (
	ErrSignature = errors.New("signature refused")
	ErrEd25519   = fmt.Errorf("%w: Ed25519 half does not verify", ErrSignature)
	ErrMLDSA     = fmt.Errorf("%w: ML-DSA half does not verify", ErrSignature)
	ErrPurpose   = fmt.Errorf("%w: key serves another purpose", ErrSignature)
)

// A Signature is the pair of an Ed25519 and an ML-DSA-65 signature over the
// same message under the same label. It does not name its key.
type Signature struct {
	Ed25519 [Ed25519SignatureSize]byte
	MLDSA   []byte // MLDSA65SignatureSize bytes
}

// Sign signs message of any length under label. It fails with ErrPurpose
// unless label belongs to the key's purpose. Two signatures of one message
// differ: the ML-DSA half is hedged (FIPS 204 section 3.4).
func (k *PrivateKey) Sign(label Label, message []byte) (Signature, error) {
	if err := checkPurpose(k.Purpose(), label); err != nil {
		return Signature{}, err
	}
	digest := sha512.Sum512(message)
	sig := Signature{MLDSA: make([]byte, MLDSA65SignatureSize)}
	copy(sig.Ed25519[:], ed25519.Sign(k.secret().ed25519, prefixed(label, digest)))
	if err := mldsa65.SignTo(k.secret().mldsa65, digest[:], []byte(label), true, sig.MLDSA); err != nil {
		return Signature{}, fmt.Errorf("sign under %s: %w", label, err)
	}
	return sig, nil
}

// Verify checks both halves of sig over message under label, and returns nil
// only if both verify. It fails with ErrPurpose unless label belongs to the
// key's purpose. It is safe for concurrent use.
func (k *PublicKey) Verify(label Label, message []byte, sig Signature) error {
	if err := checkPurpose(k.purpose, label); err != nil {
		return err
	}
	digest := sha512.Sum512(message)
	if !mldsa65.Verify(k.expandMLDSA65(), digest[:], []byte(label), sig.MLDSA) {
		return ErrMLDSA
	}
	if !ed25519.Verify(k.ed25519, prefixed(label, digest), sig.Ed25519[:]) {
		return ErrEd25519
	}
	return nil
}

func checkPurpose(p Purpose, label Label) error {
	if p != label.purpose() {
		return fmt.Errorf("%w: %s key, label %q", ErrPurpose, p, label)
	}
	return nil
}

// prefixed returns what Ed25519 signs. Pure Ed25519 has no context string; the
// zero byte ends the label, so no label is a prefix of another's input.
func prefixed(label Label, digest [sha512.Size]byte) []byte {
	b := make([]byte, 0, len(label)+1+len(digest))
	b = append(b, label...)
	b = append(b, 0)
	return append(b, digest[:]...)
}
