package offline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/raresync/raresync/crypto/offline"
)

func sealed(t *testing.T, plain []byte) (file []byte, key offline.Key) {
	t.Helper()
	key, err := offline.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	to, err := offline.ParseRecipient(" " + key.Recipient().String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := offline.Seal(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), key
}

func open(file []byte, key offline.Key) ([]byte, error) {
	r, err := offline.Open(bytes.NewReader(file), key)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestWhatWasSealedOpensWithTheKeyAsItWasWritten(t *testing.T) {
	plain := bytes.Repeat([]byte{1, 2, 3}, 50_000)
	file, key := sealed(t, plain)
	again, err := offline.ParseKey("# made for a backup\n" + key.Text() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open(file, again); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%d bytes of %d, %v", len(got), len(plain), err)
	}
	stock, err := age.ParseHybridIdentity(key.Text())
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(file), stock)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("a stock age reads %d bytes of %d, %v", len(got), len(plain), err)
	}
}

func TestEveryChangeOfAStreamIsSeen(t *testing.T) {
	file, key := sealed(t, bytes.Repeat([]byte{7}, 200_000))
	for at := 0; at < len(file); at += 1 + len(file)/60 {
		changed := bytes.Clone(file)
		changed[at] ^= 4
		if _, err := open(changed, key); err == nil {
			t.Errorf("byte %d of %d changed: it opened", at, len(file))
		}
		if _, err := open(file[:at], key); !errors.Is(err, offline.ErrDamaged) {
			t.Errorf("cut after %d bytes of %d: %v, want ErrDamaged", at, len(file), err)
		}
	}
	_, other := sealed(t, nil)
	if _, err := open(file, other); !errors.Is(err, offline.ErrWrongKey) {
		t.Errorf("another key: %v, want ErrWrongKey", err)
	}
}

func TestOnlyPostQuantumKeysAreTaken(t *testing.T) {
	classical, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "age1", classical.Recipient().String(), classical.String()} {
		if _, err := offline.ParseRecipient(text); !errors.Is(err, offline.ErrRecipient) {
			t.Errorf("recipient %q: %v, want ErrRecipient", text, err)
		}
		if _, err := offline.ParseKey(text); !errors.Is(err, offline.ErrKey) {
			t.Errorf("key %q: %v, want ErrKey", text, err)
		}
	}
	_, key := sealed(t, nil)
	if _, err := offline.ParseKey(key.Text() + "\n" + key.Text()); !errors.Is(err, offline.ErrKey) {
		t.Errorf("two keys: %v, want ErrKey", err)
	}
}

func TestAKeyDoesNotShowItself(t *testing.T) {
	_, key := sealed(t, nil)
	raw, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %d", key, key, key, key, key, key, key) + string(raw) + key.LogValue().String()
	if strings.Contains(shown, "AGE-SECRET") || strings.Count(shown, "[offline key]") != 9 {
		t.Errorf("a key shows as %s", shown)
	}
}
