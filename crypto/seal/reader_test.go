package seal_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

func TestReaderKeyIsThatOfItsSeed(t *testing.T) {
	r := newReader(t)
	again, err := seal.NewReaderFromSeed(r.Seed())
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := seal.ParseReaderPublic(r.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again.Public().ID() != r.Public().ID() || parsed.ID() != r.Public().ID() {
		t.Error("the same key has two ids")
	}
	if newReader(t).Public().ID() == r.Public().ID() {
		t.Error("two keys have the same id")
	}
}

func TestReaderKeyIsThatOfThePublishedVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/hpke-pq.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Keys []struct{ Seed, Public hexBytes }
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Keys) != 2 {
		t.Fatalf("got %d keys, want 2", len(vectors.Keys))
	}
	for i, v := range vectors.Keys {
		r, err := seal.NewReaderFromSeed([32]byte(v.Seed))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.Public().Bytes(), v.Public) {
			t.Errorf("key %d: public key differs", i+1)
		}
	}
}

func TestBytesThatAreNoReaderKeyAreRefused(t *testing.T) {
	good := newReader(t).Public().Bytes()
	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":                         nil,
		"a byte missing":                  good[:1215],
		"a byte more":                     append(bytes.Clone(good), 0),
		"a coefficient above the modulus": change(func(b []byte) { b[0], b[1] = 0xff, 0xff }),
		"an X25519 point of zeros":        change(func(b []byte) { clear(b[1184:]) }),
		"an X25519 point of order 1":      change(func(b []byte) { clear(b[1184:]); b[1184] = 1 }),
	} {
		if _, err := seal.ParseReaderPublic(b); !errors.Is(err, seal.ErrKey) {
			t.Errorf("%s: got %v, want ErrKey", name, err)
		}
	}
}

func FuzzParseReaderPublic(f *testing.F) {
	r, err := seal.NewReaderFromSeed([32]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Public().Bytes())
	f.Add(make([]byte, 1216))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := seal.ParseReaderPublic(in)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Bytes(), in) {
			t.Errorf("%x encodes back to other bytes", in)
		}
		if _, err := testContext.Wrap(r, seal.KEKs{}, bothRights, bytes.NewReader(make([]byte, 64))); err != nil {
			t.Errorf("a key that parses cannot be wrapped to: %v", err)
		}
	})
}

func TestSealingKeysDoNotPrint(t *testing.T) {
	var seed [32]byte
	copy(seed[:], "a sealing seed of 32 characters.")
	r, err := seal.NewReaderFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	keks := seal.KEKs{Clinical: seed, Genetic: seed}
	opened := seal.Opened{KEKs: keks, HasClinical: true}
	holder := struct{ key *seal.ReaderPrivate }{r}
	nested := struct{ key seal.ReaderPrivate }{*r}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b"} {
		for _, v := range []any{r, *r, keks, &keks, keks.Clinical, &keks.Genetic, opened, []seal.KEK{seed}, holder, nested, &nested} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("key", "reader", r, "keks", keks, "kek", keks.Clinical, "opened", opened, "holder", holder)
	}
	encoded, err := json.Marshal([]any{r, *r, keks, opened, holder})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	out.WriteString(r.String() + r.GoString() + keks.Clinical.String() + keks.Clinical.GoString())
	if !strings.Contains(out.String(), "[sealing key]") {
		t.Error("nothing says [sealing key]")
	}
	part := seed[3:11]
	for _, form := range []string{
		string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)),
		strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"),
	} {
		if strings.Contains(out.String(), form) {
			t.Errorf("a key is printed as %q", form)
		}
	}
}
