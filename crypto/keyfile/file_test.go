package keyfile_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/sign"
)

func newKey(t *testing.T) keyfile.Key {
	t.Helper()
	k, err := keyfile.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newBundle returns a bundle with a signing key of every purpose and two
// other secrets.
func newBundle(t *testing.T) *keyfile.Bundle {
	t.Helper()
	var b keyfile.Bundle
	for p := sign.PurposeEnvelope; p <= sign.PurposeTLS; p++ {
		if err := b.PutSign("sign."+p.String(), sign.NewFromSeeds(p, [32]byte{byte(p)}, [32]byte{0xff, byte(p)})); err != nil {
			t.Fatal(err)
		}
	}
	for name, seed := range map[string]string{"sealing": "a sealing seed of 32 characters.", "share-3": "a share"} {
		if err := b.PutSeed(name, []byte(seed)); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func mustSeal(t *testing.T, b *keyfile.Bundle, k keyfile.Key) []byte {
	t.Helper()
	file, err := keyfile.Seal(b, k)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// sameBundle reports the first difference between two bundles.
func sameBundle(t *testing.T, got, want *keyfile.Bundle) {
	t.Helper()
	if !slices.Equal(got.Names(), want.Names()) {
		t.Fatalf("names %q, want %q", got.Names(), want.Names())
	}
	for _, name := range want.Names() {
		if wantKey, err := want.Sign(name); err == nil {
			gotKey, err := got.Sign(name)
			if err != nil {
				t.Fatal(err)
			}
			if gotKey.Public().ID() != wantKey.Public().ID() {
				t.Errorf("%s: another key", name)
			}
			continue
		}
		wantSeed, _ := want.Seed(name)
		if gotSeed, err := got.Seed(name); err != nil || !bytes.Equal(gotSeed, wantSeed) {
			t.Errorf("%s: another secret, %v", name, err)
		}
	}
}

func TestFileOpensToTheBundleItWasSealedFrom(t *testing.T) {
	k := newKey(t)
	for name, b := range map[string]*keyfile.Bundle{"full": newBundle(t), "empty": {}} {
		got, err := keyfile.Open(mustSeal(t, b, k), k)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sameBundle(t, got, b)
	}
}

func TestKeyReadFromItsTextOpensTheSameFiles(t *testing.T) {
	k, b := newKey(t), newBundle(t)
	if len(k.Text()) != 77 || !strings.HasPrefix(k.Text(), "AGE-SECRET-KEY-PQ-1") {
		t.Errorf("key text has %d characters and no hybrid prefix", len(k.Text()))
	}
	again, err := keyfile.ParseKey("  " + k.Text() + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	got, err := keyfile.Open(mustSeal(t, b, k), again)
	if err != nil {
		t.Fatal(err)
	}
	sameBundle(t, got, b)
}

func TestTextThatIsNoKeyIsRefusedAndNotRepeated(t *testing.T) {
	k := newKey(t).Text()
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":                  "",
		"a character missing":      k[:76],
		"a character more":         k + "Q",
		"two keys":                 k + "\n" + k,
		"lower and upper case":     k[:76] + strings.ToLower(k[76:]) + "q",
		"a key that is no hybrid":  classic.String(),
		"a comment before the key": "# node\n" + k,
	} {
		_, err := keyfile.ParseKey(text)
		if !errors.Is(err, keyfile.ErrKey) {
			t.Errorf("%s: got %v, want ErrKey", name, err)
		}
		if len(text) > 30 && strings.Contains(err.Error(), text[20:30]) {
			t.Errorf("%s: the error repeats the key", name)
		}
	}
	for i := range k {
		changed := []byte(k)
		changed[i] = "AC"[b2i(k[i] == 'A')]
		if _, err := keyfile.ParseKey(string(changed)); !errors.Is(err, keyfile.ErrKey) {
			t.Errorf("character %d changed: got %v, want ErrKey", i, err)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestFileOpensUnderItsOwnKeyOnly(t *testing.T) {
	b, k := newBundle(t), newKey(t)
	file := mustSeal(t, b, k)
	if _, err := keyfile.Open(file, newKey(t)); !errors.Is(err, keyfile.ErrWrongKey) {
		t.Errorf("another key: got %v, want ErrWrongKey", err)
	}
	if _, err := keyfile.OpenPassphrase(file, "correct horse"); !errors.Is(err, keyfile.ErrWrongKey) {
		t.Errorf("a passphrase: got %v, want ErrWrongKey", err)
	}
}

func TestEveryChangedByteOfAFileIsRefused(t *testing.T) {
	k := newKey(t)
	file := mustSeal(t, newBundle(t), k)
	for i := range file {
		bad := bytes.Clone(file)
		bad[i] ^= 1
		if _, err := keyfile.Open(bad, k); !errors.Is(err, keyfile.ErrDamaged) && !errors.Is(err, keyfile.ErrWrongKey) {
			t.Fatalf("byte %d of %d: got %v, want ErrDamaged or ErrWrongKey", i, len(file), err)
		}
	}
}

func TestShortenedAndLengthenedFilesAreDamaged(t *testing.T) {
	k := newKey(t)
	file := mustSeal(t, newBundle(t), k)
	for n := range file {
		if _, err := keyfile.Open(file[:n], k); !errors.Is(err, keyfile.ErrDamaged) {
			t.Fatalf("%d of %d bytes: got %v, want ErrDamaged", n, len(file), err)
		}
	}
	for name, bad := range map[string][]byte{
		"a byte more":      append(bytes.Clone(file), 0),
		"the file twice":   append(bytes.Clone(file), file...),
		"something else":   []byte("-----BEGIN PRIVATE KEY-----\n"),
		"a byte before it": append([]byte{0}, file...),
		"bytes of zero":    make([]byte, keyfile.MaxFileBytes),
	} {
		if _, err := keyfile.Open(bad, k); !errors.Is(err, keyfile.ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDamaged", name, err)
		}
	}
}

func TestFileAboveTheLimitIsRefused(t *testing.T) {
	k := newKey(t)
	if _, err := keyfile.Open(make([]byte, keyfile.MaxFileBytes+1), k); !errors.Is(err, keyfile.ErrTooLarge) {
		t.Errorf("open: got %v, want ErrTooLarge", err)
	}
	var b keyfile.Bundle
	for name := range strings.SplitSeq("abcdefgh", "") {
		if err := b.PutSeed(name, make([]byte, keyfile.MaxSecretBytes)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keyfile.Seal(&b, k); !errors.Is(err, keyfile.ErrTooLarge) {
		t.Errorf("seal: got %v, want ErrTooLarge", err)
	}
	b.Delete("a")
	if file := mustSeal(t, &b, k); len(file) > keyfile.MaxFileBytes {
		t.Errorf("sealed %d bytes", len(file))
	}
}

func TestStockAgeReadsAKeyFile(t *testing.T) {
	k := newKey(t)
	identity, err := age.ParseHybridIdentity(k.Text())
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(mustSeal(t, newBundle(t), k)), identity)
	if err != nil {
		t.Fatal(err)
	}
	plaintext, err := io.ReadAll(r)
	if err != nil || !bytes.Contains(plaintext, []byte("a sealing seed of 32 characters.")) {
		t.Errorf("read %d bytes, %v", len(plaintext), err)
	}
}

func TestAFileThatIsSealedToTwoKeysOpensWithEither(t *testing.T) {
	var keys [3]keyfile.Key
	for i := range keys {
		var err error
		if keys[i], err = keyfile.NewKey(); err != nil {
			t.Fatal(err)
		}
	}
	var b keyfile.Bundle
	if err := b.PutSeed("local", []byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	file, err := keyfile.Seal(&b, keys[0], keys[1])
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, keyfile.ErrWrongKey} {
		if _, err := keyfile.Open(file, keys[i]); !errors.Is(err, want) {
			t.Errorf("key %d: %v, want %v", i, err, want)
		}
	}
}
