package home

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/raresync/raresync/crypto/custody"
	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/daemon/config"
)

// quickPassphrases lets passphrases cost nothing in this test.
func quickPassphrases(t *testing.T) {
	t.Helper()
	sealing, opening := sealPassphrase, openPassphrase
	t.Cleanup(func() { sealPassphrase, openPassphrase = sealing, opening })
	var mu sync.Mutex
	keys := map[string]keyfile.Key{}
	keyOf := func(passphrase string) keyfile.Key {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := keys[passphrase]; !ok {
			k, err := keyfile.NewKey()
			if err != nil {
				t.Fatal(err)
			}
			keys[passphrase] = k
		}
		return keys[passphrase]
	}
	sealPassphrase = func(b *keyfile.Bundle, p string) ([]byte, error) { return keyfile.Seal(b, keyOf(p)) }
	openPassphrase = func(file []byte, p string) (*keyfile.Bundle, error) { return keyfile.Open(file, keyOf(p)) }
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestResealChangesBothFilesAndNoKey(t *testing.T) {
	cfg := newHome(t)
	before, file, key := loaded(t, cfg), read(t, cfg.Keys.File), read(t, cfg.Keys.Key)
	if err := Reseal(cfg); err != nil {
		t.Fatal(err)
	}
	after := loaded(t, cfg)
	if after.Envelope.Public().ID() != before.Envelope.Public().ID() || after.Local != before.Local {
		t.Error("sealing the key file anew changed a key")
	}
	old, err := keyfile.ParseKey(string(key))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Open(read(t, cfg.Keys.File), old); !errors.Is(err, keyfile.ErrWrongKey) {
		t.Errorf("the old file key: %v, want ErrWrongKey", err)
	}
	if bytes.Equal(read(t, cfg.Keys.File), file) || bytes.Equal(read(t, cfg.Keys.Key), key) {
		t.Error("a file is what it was")
	}
}

func TestResealOutlivesACrashAfterEachStep(t *testing.T) {
	crash := errors.New("crash")
	for _, at := range []string{"both", "file key", "alone"} {
		t.Run(at, func(t *testing.T) {
			cfg := newHome(t)
			before := loaded(t, cfg)
			err := reseal(cfg, func(step string) error {
				if step == at {
					return crash
				}
				return nil
			})
			if !errors.Is(err, crash) {
				t.Fatalf("reseal: %v", err)
			}
			if k := loaded(t, cfg); k.Envelope.Public().ID() != before.Envelope.Public().ID() {
				t.Error("another key after the crash")
			}
			if err := Reseal(cfg); err != nil {
				t.Errorf("run again: %v", err)
			}
			loaded(t, cfg)
		})
	}
}

func TestACredentialIsNotChangedByTheNode(t *testing.T) {
	cfg := newHome(t)
	before := read(t, cfg.Keys.File)
	cfg.Keys.Key = "credential:raresync.key"
	if err := Reseal(cfg); !errors.Is(err, ErrCredential) {
		t.Errorf("reseal: %v, want ErrCredential", err)
	}
	if !bytes.Equal(read(t, cfg.Keys.File), before) {
		t.Error("the key file changed")
	}
}

func TestACopyOpensWithItsPassphraseAndOverwritesNothing(t *testing.T) {
	cfg := newHome(t)
	path := filepath.Join(t.TempDir(), "copy.age")
	if err := CopyKeys(cfg, path, "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	b, err := keyfile.OpenPassphrase(read(t, path), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if k, err := keysOf(b); err != nil || k.Envelope.Public().ID() != loaded(t, cfg).Envelope.Public().ID() {
		t.Errorf("the copy's keys are others (%v)", err)
	}
	if _, err := keyfile.OpenPassphrase(read(t, path), "another passphrase"); !errors.Is(err, keyfile.ErrWrongKey) {
		t.Errorf("another passphrase: %v, want ErrWrongKey", err)
	}
	quickPassphrases(t)
	if err := CopyKeys(cfg, path, "x"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v, want fs.ErrExist", err)
	}
}

func TestALostKeyFileComesBackFromItsCopy(t *testing.T) {
	quickPassphrases(t)
	cfg := rotatedHome(t)
	before := loaded(t, cfg)
	path := filepath.Join(t.TempDir(), "copy.age")
	if err := CopyKeys(cfg, path, "right"); err != nil {
		t.Fatal(err)
	}
	if err := PutBack(cfg, path, "right"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a key file: %v, want fs.ErrExist", err)
	}
	if err := os.Remove(cfg.Keys.File); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadKeys(cfg); !errors.Is(err, ErrKeys) || !errors.Is(err, ErrNoKeys) {
		t.Errorf("without a key file: %v, want ErrNoKeys", err)
	}
	if err := PutBack(cfg, path, "wrong"); !errors.Is(err, ErrPassphrase) || !isAbsent(cfg.Keys.File) {
		t.Errorf("another passphrase: %v, want ErrPassphrase and no file", err)
	}
	if err := PutBack(cfg, path, "right"); err != nil {
		t.Fatal(err)
	}
	after := loaded(t, cfg)
	if after.Envelope.Public().ID() != before.Envelope.Public().ID() || len(after.Former) != len(before.Former) || after.Local != before.Local {
		t.Error("the keys that came back are others")
	}
}

// rotatedHome is a node with two former sealing keys.
func rotatedHome(t *testing.T) config.Config {
	t.Helper()
	cfg := newHome(t)
	for range 2 {
		r := ring(t, cfg).generated(t, Choice{Sealing: true})
		settle(t, r, InForce{Sealing: r.Keys().Next.Sealing.Public().ID()}, true)
	}
	return cfg
}

func keepers(dir string) [custody.Parts]Keeper {
	return [custody.Parts]Keeper{
		{filepath.Join(dir, "a.age"), "first keeper"}, {filepath.Join(dir, "b.age"), "second keeper"}, {dir, "third keeper"},
	}
}

func TestKeysGoOfflineAndComeBackFromAnyTwoParts(t *testing.T) {
	quickPassphrases(t)
	cfg := rotatedHome(t)
	before, dir := loaded(t, cfg), t.TempDir()
	k := keepers(dir)
	if n, err := TakeOffline(cfg, k); err != nil || n != 2 {
		t.Fatalf("took %d keys offline, %v", n, err)
	}
	k[2].Path = filepath.Join(dir, "raresync-custody-3.age")
	if after := loaded(t, cfg); len(after.Former) != 0 || after.Sealing.Public().ID() != before.Sealing.Public().ID() {
		t.Error("former keys are still there, or the present one went")
	}
	for _, two := range [][custody.Needed]Keeper{{k[0], k[1]}, {k[2], k[0]}, {k[1], k[2]}} {
		cfg := cfg
		n, err := BringBack(cfg, two)
		if err != nil {
			t.Fatalf("from %s and %s: %v", two[0].Path, two[1].Path, err)
		}
		for _, f := range before.Former {
			if !loaded(t, cfg).Holds(f.Public().ID()) {
				t.Errorf("key %s is not back", f.Public().ID())
			}
		}
		if again, err := BringBack(cfg, two); err != nil || again != 0 || n != 2 {
			t.Errorf("back came %d, then %d, %v; want 2, then 0", n, again, err)
		}
		if _, err := TakeOffline(cfg, keepers(t.TempDir())); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeysStayWhereAPartCannotBeWritten(t *testing.T) {
	quickPassphrases(t)
	cfg := rotatedHome(t)
	before := read(t, cfg.Keys.File)
	for name, spoil := range map[string]func(dir string, k *[custody.Parts]Keeper) error{
		"no such folder": func(dir string, k *[custody.Parts]Keeper) error {
			k[2].Path = filepath.Join(dir, "no", "c.age")
			return nil
		},
		"a file is there": func(dir string, k *[custody.Parts]Keeper) error {
			return os.WriteFile(k[1].Path, []byte("mine"), 0o600)
		},
		"two to one place": func(_ string, k *[custody.Parts]Keeper) error { k[1].Path = k[0].Path; return nil },
	} {
		dir := t.TempDir()
		k := keepers(dir)
		if err := spoil(dir, &k); err != nil {
			t.Fatal(err)
		}
		if _, err := TakeOffline(cfg, k); err == nil {
			t.Errorf("%s: keys went offline", name)
		}
		if !bytes.Equal(read(t, cfg.Keys.File), before) {
			t.Errorf("%s: the key file changed", name)
		}
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if raw := read(t, filepath.Join(dir, e.Name())); string(raw) != "mine" {
				t.Errorf("%s: a part was left in %s", name, e.Name())
			}
		}
	}
	if _, err := TakeOffline(newHome(t), keepers(t.TempDir())); !errors.Is(err, ErrKeyring) {
		t.Errorf("nothing to take offline: %v, want ErrKeyring", err)
	}
}

func TestPartsThatDoNotGiveTheKeysAreRefusedByName(t *testing.T) {
	quickPassphrases(t)
	cfg := rotatedHome(t)
	dir, otherDir := t.TempDir(), t.TempDir()
	k, other := keepers(dir), keepers(otherDir)
	if _, err := TakeOffline(cfg, k); err != nil {
		t.Fatal(err)
	}
	if _, err := TakeOffline(rotatedHome(t), other); err != nil {
		t.Fatal(err)
	}
	wide, damaged := filepath.Join(dir, "wide.age"), filepath.Join(dir, "damaged.age")
	raw := read(t, k[0].Path)
	cut := bytes.Clone(raw)
	cut[len(cut)-1] ^= 1
	if err := errors.Join(os.WriteFile(wide, raw, 0o600), os.Chmod(wide, 0o644), os.WriteFile(damaged, cut, 0o600)); err != nil {
		t.Fatal(err)
	}
	before := read(t, cfg.Keys.File)
	for name, two := range map[string][custody.Needed]Keeper{
		"of two splittings":      {k[0], other[1]},
		"one twice":              {k[0], k[0]},
		"another passphrase":     {k[0], {k[1].Path, "first keeper"}},
		"readable by others":     {{wide, k[0].Passphrase}, k[1]},
		"damaged":                {{damaged, k[0].Passphrase}, k[1]},
		"missing":                {{filepath.Join(dir, "none"), "x"}, k[1]},
		"a key file, not a part": {{cfg.Keys.File, "x"}, k[1]},
		"a folder with no part":  {{t.TempDir(), "x"}, k[1]},
	} {
		if _, err := BringBack(cfg, two); !errors.Is(err, ErrParts) {
			t.Errorf("%s: %v, want ErrParts", name, err)
		}
		if !bytes.Equal(read(t, cfg.Keys.File), before) {
			t.Errorf("%s: the key file changed", name)
		}
	}
}
