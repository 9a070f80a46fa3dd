package keyfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/sign"
)

func TestSecretIsFoundUnderItsNameAndKind(t *testing.T) {
	b := newBundle(t)
	if k, err := b.Sign("sign.tls"); err != nil || k.Purpose() != sign.PurposeTLS {
		t.Errorf("signing key: %v", err)
	}
	if seed, err := b.Seed("share-3"); err != nil || string(seed) != "a share" {
		t.Errorf("seed: %v", err)
	}
	for name, err := range map[string]error{
		"a signing key as a seed": second(b.Seed("sign.tls")),
		"a seed as a signing key": second(b.Sign("share-3")),
		"an unknown signing key":  second(b.Sign("other")),
		"an unknown seed":         second(b.Seed("other")),
	} {
		if !errors.Is(err, keyfile.ErrMissing) {
			t.Errorf("%s: got %v, want ErrMissing", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestSecretReplacesTheOneOfItsName(t *testing.T) {
	var b keyfile.Bundle
	for _, v := range []string{"one", "two"} {
		if err := b.PutSeed("name", []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := b.Seed("name"); err != nil || string(got) != "two" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := b.PutSign("name", sign.NewFromSeeds(sign.PurposeLog, [32]byte{1}, [32]byte{})); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Seed("name"); !errors.Is(err, keyfile.ErrMissing) {
		t.Errorf("the seed is still there: %v", err)
	}
	b.Delete("name")
	b.Delete("name")
	if names := b.Names(); len(names) != 0 {
		t.Errorf("deleted, yet there: %q", names)
	}
}

func TestNamesAreInOrder(t *testing.T) {
	var b keyfile.Bundle
	for _, name := range []string{"b", "a.z", "c", "a", "a-z", "0"} {
		if err := b.PutSeed(name, []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := b.Names(), []string{"0", "a", "a-z", "a.z", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatDoesNotFitABundleIsRefused(t *testing.T) {
	var b keyfile.Bundle
	seed := []byte{1}
	for name, err := range map[string]error{
		"an empty name":           b.PutSeed("", seed),
		"a name of 65 characters": b.PutSeed(strings.Repeat("a", 65), seed),
		"an upper-case name":      b.PutSeed("Name", seed),
		"a path as a name":        b.PutSeed("../name", seed),
		"a name with a line end":  b.PutSeed("name\n", seed),
		"a name with a space":     b.PutSeed("a b", seed),
		"an empty seed":           b.PutSeed("name", nil),
		"a seed above the limit":  b.PutSeed("name", make([]byte, keyfile.MaxSecretBytes+1)),
		"a signing key, bad name": b.PutSign("Name", sign.NewFromSeeds(sign.PurposeLog, [32]byte{1}, [32]byte{})),
	} {
		if !errors.Is(err, keyfile.ErrSecret) {
			t.Errorf("%s: got %v, want ErrSecret", name, err)
		}
	}
	for i := range keyfile.MaxSecrets {
		if err := b.PutSeed(fmt.Sprint("name-", i), seed); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.PutSeed("one-more", seed); !errors.Is(err, keyfile.ErrSecret) {
		t.Errorf("one secret too many: got %v, want ErrSecret", err)
	}
	if err := b.PutSeed("name-7", []byte{2}); err != nil {
		t.Errorf("replacing in a full bundle: %v", err)
	}
}

func TestBundleSharesNothingWithItsCaller(t *testing.T) {
	var b keyfile.Bundle
	seed := []byte("a share")
	if err := b.PutSeed("name", seed); err != nil {
		t.Fatal(err)
	}
	clear(seed)
	got, _ := b.Seed("name")
	clear(got)
	if again, _ := b.Seed("name"); string(again) != "a share" {
		t.Errorf("the secret became %q", again)
	}
}

func TestKeysAndBundlesDoNotPrint(t *testing.T) {
	b, k := newBundle(t), newKey(t)
	holder := struct {
		key    keyfile.Key
		bundle *keyfile.Bundle
	}{k, b}
	nested := struct{ bundle keyfile.Bundle }{*b}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{b, *b, k, &k, holder, &holder, nested, []any{b, k}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("keys", "bundle", b, "value", *b, "key", k, "holder", holder)
	}
	encoded, err := json.Marshal([]any{b, *b, k, holder})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	out.WriteString(b.String() + b.GoString() + k.String() + k.GoString())
	for _, want := range []string{"[file key]", "[key bundle]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing says %s", want)
		}
	}
	part := []byte("sealing seed")
	for _, form := range []string{
		k.Text()[19:40], string(part), fmt.Sprintf("%x", part), fmt.Sprintf("%X", part),
		strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"),
	} {
		if strings.Contains(out.String(), form) {
			t.Errorf("a secret is printed as %q", form)
		}
	}
}
