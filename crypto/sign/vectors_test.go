package sign_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cloudflare/circl/pki"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"

	"github.com/raresync/raresync/crypto/sign"
)

// hexBytes is a byte string that JSON holds in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func TestEd25519HalfIsThatOfRFC8032(t *testing.T) {
	var vectors struct {
		Tests []struct{ Seed, Public, Message, Signature hexBytes }
	}
	readVectors(t, "ed25519-rfc8032.json", &vectors)
	if len(vectors.Tests) != 3 {
		t.Fatalf("got %d tests, want 3", len(vectors.Tests))
	}
	for i, v := range vectors.Tests {
		k := sign.NewFromSeeds(sign.PurposeLog, [32]byte(v.Seed), [32]byte{})
		if got := k.Public().Ed25519(); !bytes.Equal(got, v.Public) {
			t.Errorf("test %d: public key %x, want %x", i+1, got, []byte(v.Public))
		}
		if got := ed25519.Sign(k.Ed25519(), v.Message); !bytes.Equal(got, v.Signature) {
			t.Errorf("test %d: signature %x, want %x", i+1, got, []byte(v.Signature))
		}
	}
}

func TestMLDSAHalfIsThatOfFIPS204(t *testing.T) {
	type vector struct {
		Case         int
		Seed, Public hexBytes
	}
	var vectors struct{ MLDSA44, MLDSA65 []vector }
	readVectors(t, "mldsa-keygen.json", &vectors)
	for p, set := range map[sign.Purpose][]vector{
		sign.PurposeEnvelope: vectors.MLDSA65,
		sign.PurposeRequest:  vectors.MLDSA65,
		sign.PurposeResponse: vectors.MLDSA65,
		sign.PurposeCosign:   vectors.MLDSA44,
	} {
		if len(set) != 2 {
			t.Fatalf("got %d cases for %s, want 2", len(set), p)
		}
		for _, v := range set {
			k := sign.NewFromSeeds(p, [32]byte{1}, [32]byte(v.Seed))
			if got := k.Public().SPKIMLDSA(); !bytes.HasSuffix(got, v.Public) {
				t.Errorf("%s, case %d: public key differs", p, v.Case)
			}
		}
	}
}

func TestPublicKeysAreThoseOfX509AndCircl(t *testing.T) {
	k := newKey(t, sign.PurposeEnvelope).Public()
	want, err := x509.MarshalPKIXPublicKey(k.Ed25519())
	if err != nil {
		t.Fatal(err)
	}
	if got := k.SPKIEd25519(); !bytes.Equal(got, want) {
		t.Errorf("Ed25519 half is %x, x509 says %x", got, want)
	}
	parsed, err := pki.UnmarshalPKIXPublicKey(k.SPKIMLDSA())
	if err != nil {
		t.Fatalf("circl refuses the ML-DSA-65 half: %v", err)
	}
	if _, ok := parsed.(*mldsa65.PublicKey); !ok {
		t.Errorf("circl reads the ML-DSA half as %T", parsed)
	}
	c := newKey(t, sign.PurposeCosign).Public()
	want, err = pki.MarshalPKIXPublicKey(c.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	if got := c.SPKIMLDSA(); !bytes.Equal(got, want) {
		t.Errorf("ML-DSA-44 half differs from circl's")
	}
}

// The golden values were made by testdata/golden.py with another
// implementation of both algorithms.
type goldenFile struct {
	SeedEd25519 hexBytes            `json:"seed_ed25519"`
	SeedMLDSA   hexBytes            `json:"seed_mldsa"`
	KeyIDs      map[string]hexBytes `json:"key_ids"`
	Message     hexBytes
	Signatures  []struct {
		Label          sign.Label
		Purpose        sign.Purpose
		Ed25519, MLDSA hexBytes
	}
}

func TestKeyIDsAndSignaturesAreThoseOfAnotherImplementation(t *testing.T) {
	var golden goldenFile
	readVectors(t, "golden.json", &golden)
	key := func(p sign.Purpose) *sign.PrivateKey {
		return sign.NewFromSeeds(p, [32]byte(golden.SeedEd25519), [32]byte(golden.SeedMLDSA))
	}
	for p := sign.PurposeEnvelope; p <= sign.PurposeTLS; p++ {
		want := golden.KeyIDs[strconv.Itoa(int(p))]
		if got := key(p).Public().ID(); !bytes.Equal(got[:], want) {
			t.Errorf("%s key: id %s, want %x", p, got, []byte(want))
		}
	}
	if len(golden.Signatures) != 5 {
		t.Fatalf("got %d signatures, want one per label", len(golden.Signatures))
	}
	for _, s := range golden.Signatures {
		sig := sign.Signature{Ed25519: [64]byte(s.Ed25519), MLDSA: s.MLDSA}
		if err := key(s.Purpose).Public().Verify(s.Label, golden.Message, sig); err != nil {
			t.Errorf("%s: %v", s.Label, err)
		}
		ours, err := key(s.Purpose).Sign(s.Label, golden.Message)
		if err != nil {
			t.Fatal(err)
		}
		if ours.Ed25519 != sig.Ed25519 {
			t.Errorf("%s: Ed25519 half is %x, want %x", s.Label, ours.Ed25519, sig.Ed25519)
		}
	}
}
