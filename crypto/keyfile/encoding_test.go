package keyfile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"filippo.io/age"
	"github.com/cloudflare/circl/pki"
	circl "github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
)

func TestSeedsArePKCS8OfX509AndCircl(t *testing.T) {
	seed := [32]byte{1, 2, 3}
	want, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	if got := joinPKCS8(pkcs8Ed25519, seed); !bytes.Equal(got, want) {
		t.Errorf("Ed25519: %x, x509 says %x", got, want)
	}
	_, key44 := mldsa44.NewKeyFromSeed(&seed)
	_, key65 := mldsa65.NewKeyFromSeed(&seed)
	for name, tc := range map[string]struct {
		head []byte
		key  circl.PrivateKey
	}{
		"ML-DSA-44": {pkcs8MLDSA44, key44},
		"ML-DSA-65": {pkcs8MLDSA65, key65},
	} {
		want, err := pki.MarshalPKIXPrivateKey(tc.key)
		if err != nil {
			t.Fatal(err)
		}
		if got := joinPKCS8(tc.head, seed); !bytes.Equal(got, want) || len(got) != 54 {
			t.Errorf("%s: %x, circl says %x", name, got, want)
		}
	}
}

// plain encodes a bundle of one secret as the bytes of a file would hold it.
func plain(version uint64, name string, purpose uint64, first, second []byte) []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, version)
	b = cbor.AppendArray(b, 1)
	return append(b, plainSecret(name, purpose, first, second)...)
}

func plainSecret(name string, purpose uint64, first, second []byte) []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendText(b, name)
	b = cbor.AppendUint(b, purpose)
	b = cbor.AppendBytes(b, first)
	return cbor.AppendBytes(b, second)
}

func plainPair(first, second string) []byte {
	b := cbor.AppendArray(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), 2)
	b = append(b, plainSecret(first, 0, []byte{1}, nil)...)
	return append(b, plainSecret(second, 0, []byte{1}, nil)...)
}

func TestOnlyTheOneEncodingOfABundleIsRead(t *testing.T) {
	seed := [32]byte{1}
	ed, ml44, ml65 := joinPKCS8(pkcs8Ed25519, seed), joinPKCS8(pkcs8MLDSA44, seed), joinPKCS8(pkcs8MLDSA65, seed)
	for name, tc := range map[string]struct {
		in   []byte
		want error
	}{
		"a seed":                                {plain(1, "a", 0, []byte{1}, nil), nil},
		"an envelope key":                       {plain(1, "a", 1, ed, ml65), nil},
		"a cosigning key":                       {plain(1, "a", 4, ed, ml44), nil},
		"a log key":                             {plain(1, "a", 5, ed, nil), nil},
		"two secrets in order":                  {plainPair("a", "b"), nil},
		"a version of the future":               {plain(2, "a", 0, []byte{1}, nil), ErrFormat},
		"version 0":                             {plain(0, "a", 0, []byte{1}, nil), ErrFormat},
		"nothing":                               {nil, ErrDamaged},
		"bytes left over":                       {append(plain(1, "a", 5, ed, nil), 0), ErrDamaged},
		"an empty seed":                         {plain(1, "a", 0, nil, nil), ErrDamaged},
		"a seed in two parts":                   {plain(1, "a", 0, []byte{1}, []byte{1}), ErrDamaged},
		"an unknown purpose":                    {plain(1, "a", 7, ed, ml65), ErrDamaged},
		"a purpose above 8 bits":                {plain(1, "a", 257, ed, ml65), ErrDamaged},
		"an envelope key without ML-DSA half":   {plain(1, "a", 1, ed, nil), ErrDamaged},
		"an envelope key without Ed25519 half":  {plain(1, "a", 1, nil, ml65), ErrDamaged},
		"an envelope key of the wrong strength": {plain(1, "a", 1, ed, ml44), ErrDamaged},
		"a cosigning key of the wrong strength": {plain(1, "a", 4, ed, ml65), ErrDamaged},
		"a log key with an ML-DSA half":         {plain(1, "a", 5, ed, ml65), ErrDamaged},
		"a shortened half":                      {plain(1, "a", 5, ed[:47], nil), ErrDamaged},
		"a bare seed as a half":                 {plain(1, "a", 5, seed[:], nil), ErrDamaged},
		"an empty name":                         {plain(1, "", 0, []byte{1}, nil), ErrDamaged},
		"an upper-case name":                    {plain(1, "A", 0, []byte{1}, nil), ErrDamaged},
		"two secrets out of order":              {plainPair("b", "a"), ErrDamaged},
		"two secrets of one name":               {plainPair("a", "a"), ErrDamaged},
	} {
		b, err := decode(tc.in)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if tc.want == nil && err == nil && !bytes.Equal(b.encode(), tc.in) {
			t.Errorf("%s: encodes back to other bytes", name)
		}
	}
}

func TestBundleOfTooManySecretsIsDamaged(t *testing.T) {
	b := cbor.AppendArray(cbor.AppendUint(cbor.AppendArray(nil, 2), 1), MaxSecrets+1)
	for i := range MaxSecrets + 1 {
		b = append(b, plainSecret(fmt.Sprintf("name-%03d", i), 0, []byte{1}, nil)...)
	}
	if _, err := decode(b); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func TestFormatOfTheFutureIsNamedThroughAFile(t *testing.T) {
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := age.Encrypt(&file, k.identity().Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain(2, "a", 0, []byte{1}, nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file.Bytes(), k); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

func TestPassphraseCopyOpensUnderItsPassphraseOnly(t *testing.T) {
	var b Bundle
	if err := b.PutSign("envelope", sign.NewFromSeeds(sign.PurposeEnvelope, [32]byte{1}, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	const cheap = 10 // rounds, as a power of 2; what users get is tested apart
	file, err := sealScrypt(&b, "correct horse", cheap)
	if err != nil {
		t.Fatal(err)
	}
	for passphrase, want := range map[string]error{
		"correct horse":  nil,
		"correct horse ": ErrWrongKey,
		"wrong":          ErrWrongKey,
		"":               ErrPassphrase,
	} {
		got, err := OpenPassphrase(file, passphrase)
		if !errors.Is(err, want) {
			t.Errorf("passphrase %q: got %v, want %v", passphrase, err, want)
		}
		if want == nil && !bytes.Equal(got.encode(), b.encode()) {
			t.Errorf("passphrase %q: another bundle", passphrase)
		}
	}
	if _, err := SealPassphrase(&b, ""); !errors.Is(err, ErrPassphrase) {
		t.Errorf("seal under an empty passphrase: got %v, want ErrPassphrase", err)
	}
	dear := bytes.Replace(file, []byte(" 10\n"), []byte(" 30\n"), 1)
	if _, err := OpenPassphrase(dear, "correct horse"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a file that asks for 2^30 rounds: got %v, want ErrDamaged", err)
	}
}

func FuzzDecodeBundle(f *testing.F) {
	seed := [32]byte{1}
	f.Add(plain(1, "a", 0, []byte{1}, nil))
	f.Add(plain(1, "a", 1, joinPKCS8(pkcs8Ed25519, seed), joinPKCS8(pkcs8MLDSA65, seed)))
	f.Add(plain(1, "a", 5, joinPKCS8(pkcs8Ed25519, seed), nil))
	f.Add(plainPair("a", "b"))
	f.Add(plain(2, "a", 0, []byte{1}, nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := decode(in)
		if err != nil {
			return
		}
		if out := b.encode(); !bytes.Equal(out, in) {
			t.Errorf("%x encodes back to %x", in, out)
		}
	})
}
