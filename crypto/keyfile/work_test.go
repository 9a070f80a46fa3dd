//go:build !race

package keyfile_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/keyfile"
)

func TestPassphraseCopyCostsAttackersWork(t *testing.T) {
	file, err := keyfile.SealPassphrase(newBundle(t), "correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	header, _, _ := bytes.Cut(file, []byte("\n---"))
	if fields := strings.Fields(strings.Split(string(header), "\n")[1]); fields[1] != "scrypt" || fields[3] != "18" {
		t.Errorf("sealed with %q, want scrypt at 2^18", fields)
	}
	if _, err := keyfile.Open(file, newKey(t)); !errors.Is(err, keyfile.ErrWrongKey) {
		t.Errorf("opened with a key: got %v, want ErrWrongKey", err)
	}
}
