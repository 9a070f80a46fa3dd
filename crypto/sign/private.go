package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// A PrivateKey is a pair of private keys with a purpose, made from two seeds.
// It is immutable, safe for concurrent use, and prints as "[private key]".
type PrivateKey struct {
	public *PublicKey

	// Behind a function: where a key lies in an unexported field, fmt does not
	// reach Format and follows pointers for some verbs, functions for none.
	secret func() *secret
}

type secret struct {
	seedEd, seedML [32]byte
	ed25519        ed25519.PrivateKey
	mldsa44        *mldsa44.PrivateKey
	mldsa65        *mldsa65.PrivateKey
}

// Generate makes a new key of purpose p from the system's randomness. It
// fails with ErrKey if p is not a purpose.
func Generate(p Purpose) (*PrivateKey, error) {
	if !p.Valid() {
		return nil, fmt.Errorf("generate: %w: %s", ErrKey, p)
	}
	var ed, mldsa [32]byte
	rand.Read(ed[:]) // never fails
	if p != PurposeLog && p != PurposeTLS {
		rand.Read(mldsa[:])
	}
	return NewFromSeeds(p, ed, mldsa), nil
}

// NewFromSeeds makes the key of purpose p that the seeds determine: an Ed25519
// seed (RFC 8032 section 5.1.5) and an ML-DSA seed ξ (FIPS 204 section 6.1).
// Log and TLS keys ignore the second. It panics if p is not a purpose.
func NewFromSeeds(p Purpose, ed, mldsa [32]byte) *PrivateKey {
	s := &secret{seedEd: ed, ed25519: ed25519.NewKeyFromSeed(ed[:])}
	spkiEd := joinSPKI(headEd25519, s.ed25519[32:])
	public, err := ParsePublicKey(p, spkiEd, s.expandMLDSA(p, mldsa))
	if err != nil {
		panic(fmt.Sprintf("sign: key from seeds: %v", err))
	}
	return &PrivateKey{public: public, secret: func() *secret { return s }}
}

// expandMLDSA sets the ML-DSA half for purpose p and returns its public key in
// SubjectPublicKeyInfo form, nil where p has none.
func (s *secret) expandMLDSA(p Purpose, seed [32]byte) []byte {
	switch p {
	case PurposeEnvelope, PurposeRequest, PurposeResponse:
		s.seedML = seed
		var pk *mldsa65.PublicKey
		pk, s.mldsa65 = mldsa65.NewKeyFromSeed(&s.seedML)
		return joinSPKI(headMLDSA65, pk.Bytes())
	case PurposeCosign:
		s.seedML = seed
		var pk *mldsa44.PublicKey
		pk, s.mldsa44 = mldsa44.NewKeyFromSeed(&s.seedML)
		return joinSPKI(headMLDSA44, pk.Bytes())
	}
	return nil
}

// Public returns the public key.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// Purpose returns what the key may be used for.
func (k *PrivateKey) Purpose() Purpose { return k.public.purpose }

// Seeds returns the two seeds; the second is zero for log and TLS keys. They
// are the key: they belong in a sealed key file and nowhere else.
func (k *PrivateKey) Seeds() (ed, mldsa [32]byte) { return k.secret().seedEd, k.secret().seedML }

// Ed25519 returns a copy of the Ed25519 half, for keys whose signatures
// another standard defines.
func (k *PrivateKey) Ed25519() ed25519.PrivateKey { return bytes.Clone(k.secret().ed25519) }

// MLDSA44 returns the ML-DSA half of a cosigning key, and nil for keys of
// other purposes. It must not be modified.
func (k *PrivateKey) MLDSA44() *mldsa44.PrivateKey { return k.secret().mldsa44 }

const redacted = "[private key]"

// String returns a placeholder.
func (PrivateKey) String() string { return redacted }

// GoString returns a placeholder.
func (PrivateKey) GoString() string { return redacted }

// Format prints a placeholder whatever the verb.
func (PrivateKey) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue returns a placeholder.
func (PrivateKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (PrivateKey) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
