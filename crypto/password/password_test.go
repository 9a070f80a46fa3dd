package password

import (
	"errors"
	"strings"
	"testing"
)

func TestOnlyTheRightPasswordIsTheHashs(t *testing.T) {
	small := Params{Time: 1, MemoryKiB: 64, Threads: 1}
	stored, err := Hash("correct horse battery", small)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Hash("correct horse battery", small)
	if err != nil || again == stored || strings.Contains(stored, "horse") {
		t.Errorf("two hashes are %s and %s, %v", stored, again, err)
	}
	for typed, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
		if ok, err := Verify(stored, typed); ok != want || err != nil {
			t.Errorf("%q: %t, %v", typed, ok, err)
		}
	}
	for name, bad := range map[string]string{
		"empty":           "",
		"another kind":    strings.Replace(stored, "argon2id", "argon2i", 1),
		"much memory":     strings.Replace(stored, "m=64", "m=4194304", 1),
		"no pass":         strings.Replace(stored, "t=1", "t=0", 1),
		"a cut hash":      stored[:len(stored)-4],
		"another version": strings.Replace(stored, "v=19", "v=16", 1),
	} {
		if ok, err := Verify(bad, "correct horse battery"); ok || !errors.Is(err, ErrHash) {
			t.Errorf("%s: %t, %v", name, ok, err)
		}
	}
}

// TestAKnownHashIsRead reads a vector of the reference implementation's own test.
func TestAKnownHashIsRead(t *testing.T) {
	if ok, err := Verify("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"); !ok || err != nil {
		t.Errorf("got %t, %v", ok, err)
	}
}
