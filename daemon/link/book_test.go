package link

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

func key(t *testing.T) *seal.ReaderPrivate {
	t.Helper()
	k, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t *testing.T, path string, keys ...*seal.ReaderPrivate) *Book {
	t.Helper()
	b, err := Open(path, func() []*seal.ReaderPrivate { return keys })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestARecordNumberIsFoundByItsCaseAndTheReverse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links")
	k := key(t)
	b := open(t, path, k)
	must(t, b.Add(nil))
	if _, err := os.Stat(path); err == nil {
		t.Error("a file without links is written")
	}
	must(t, b.Add(map[string][]string{"A": {"B001", " B002 ", "B001", "", strings.Repeat("x", 300)}, "C": {"B001"}}))
	must(t, b.Add(map[string][]string{"A": {"B002"}}))
	b = open(t, path, k) // another process
	if got, err := b.Records("A"); err != nil || !slices.Equal(got, []string{"B001", "B002"}) {
		t.Errorf("records %q, %v", got, err)
	}
	if got, err := b.Cases("b 001"); err != nil || !slices.Equal(got, []string{"A", "C"}) {
		t.Errorf("cases %q, %v", got, err)
	}
	if got, err := b.Cases("B00"); err != nil || len(got) != 0 {
		t.Errorf("cases of a part of a number %q, %v", got, err)
	}
	raw, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(raw, []byte("B001")) {
		t.Error("a record number is on disk")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestWhatIsForgottenIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links")
	b := open(t, path, key(t))
	must(t, b.Add(map[string][]string{"A": {"B001"}, "C": {"B002"}}))
	must(t, b.Forget([]string{"A", "Z"}))
	all, err := b.All()
	must(t, err)
	if len(all) != 1 || !slices.Equal(all["C"], []string{"B002"}) {
		t.Errorf("left are %v", all)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("beside it: %v, %v", files, err)
	}
}

func TestALinkFileFollowsTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links")
	old, now := key(t), key(t)
	must(t, open(t, path, old).Add(map[string][]string{"A": {"B001"}}))
	open(t, path, now, old) // seals it anew
	if got, err := open(t, path, now).Records("A"); err != nil || len(got) != 1 {
		t.Errorf("with the present key alone: %q, %v", got, err)
	}
	if _, err := Open(path, func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{old} }); !errors.Is(err, ErrSealed) {
		t.Errorf("with the former key: %v", err)
	}
	as, err := SetAside(path)
	must(t, err)
	must(t, open(t, path, old).Add(map[string][]string{"A": {"B009"}}))
	if _, err := os.Stat(as); err != nil {
		t.Errorf("the one that does not open is gone: %v", err)
	}
}

func TestADamagedLinkFileIsNoEmptyOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links")
	k := key(t)
	b := open(t, path, k)
	must(t, b.Add(map[string][]string{"A": {"B001"}}))
	raw, err := os.ReadFile(path)
	must(t, err)
	raw[len(raw)/2] ^= 1
	must(t, os.WriteFile(path, raw, 0o600))
	for name, err := range map[string]error{"add": b.Add(map[string][]string{"A": {"B002"}}), "forget": b.Forget([]string{"A"})} {
		if !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Cases("B001"); !errors.Is(err, ErrSealed) {
		t.Errorf("look: %v", err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, raw) {
		t.Error("the damaged file was replaced")
	}
}
