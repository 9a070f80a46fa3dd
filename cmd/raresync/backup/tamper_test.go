package backup_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/backup"
)

// TestEveryChangedByteIsSeen flips bytes all over a file: in every header, in
// every part, in the paddings and in the end.
func TestEveryChangedByteIsSeen(t *testing.T) {
	w := newWorld(t, 2, 1)
	_, salts := sealedTo(t)
	path := w.saved(salts)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tried, others := 0, 0
	seen := func(what string, changed []byte) {
		t.Helper()
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := verify(path, backup.VerifyOptions{})
		if !errors.Is(err, audit.ErrUnverified) {
			t.Errorf("%s of %d: %v, want ErrUnverified", what, len(raw), err)
		}
		if errors.Is(err, backup.ErrNotBackup) {
			others++
		}
		tried++
	}
	for at := 0; at < len(raw); at += 211 { // a prime: all places of a block come up
		changed := bytes.Clone(raw)
		changed[at] ^= byte(1 << (tried % 8))
		seen(fmt.Sprintf("byte %d changed", at), changed)
	}
	for at := 0; at < len(raw); at += 4093 {
		seen(fmt.Sprintf("cut after byte %d", at), raw[:at])
	}
	seen("a block longer", append(bytes.Clone(raw), make([]byte, 512)...))
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(path, backup.VerifyOptions{}); err != nil || tried < 300 {
		t.Errorf("put right again after %d changes: %v", tried, err)
	}
	if others != 1 { // nothing is left of it
		t.Errorf("%d damaged backups are said to be none, want 1", others)
	}
}

func TestWhatNeverWasABackupIsToldFromADamagedOne(t *testing.T) {
	tarOf := func(name string) string {
		var b strings.Builder
		w := tar.NewWriter(&b)
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Size: 700}), w.Flush()); err == nil {
			t.Fatal("700 bytes are missing, and nobody says so")
		}
		return b.String() + strings.Repeat("x", 2048)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for name, tc := range map[string]struct{ content, want string }{
		"nothing":         {"", "it is empty"},
		"a line of text":  {"host-1\n", "it has 7 bytes"},
		"a word":          {"vm\n", "it has 3 bytes"},
		"a long text":     {strings.Repeat("text ", 200), "byte 0: archive/tar: invalid tar header"},
		"another archive": {tarOf("photos/1.jpg"), `its first part is "photos/1.jpg"`},
		"a packed backup": {"\x1f\x8b\x08\x00" + strings.Repeat("?", 600), "unpack it with gunzip"},
	} {
		if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Open(path, nil); !errors.Is(err, backup.ErrNotBackup) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	if _, err := backup.Open(dir, nil); !errors.Is(err, backup.ErrNotBackup) || !strings.Contains(err.Error(), "it is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

// forged returns a file like another in which a part was changed, with sums
// that fit.
func forged(t *testing.T, path, part string, change func([]byte) []byte) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var lines strings.Builder
	w := tar.NewWriter(&out)
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == part {
			content = change(content)
		}
		if h.Name == "SHA256SUMS" {
			content = []byte(lines.String())
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), h.Name)
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: h.Name, Size: int64(len(content)), Mode: 0o600, Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "forged.tar")
	if err := os.WriteFile(to, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[at] ^= 1
		return b
	}
}

func TestAForgedBackupWithFittingSumsIsSeen(t *testing.T) {
	w := newWorld(t, 2, 300)
	key, salts := sealedTo(t)
	path := w.saved(salts)
	same := forged(t, path, "", nil)
	if a, b := readFile(t, path), readFile(t, same); !bytes.Equal(a, b) {
		t.Fatal("an unchanged file is packed differently")
	}
	replace := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(with), 1) }
	}
	for name, tc := range map[string]struct {
		part   string
		change func([]byte) []byte
	}{
		"a leaf's commitment":         {"ledger/leaves", flip(92 + 70)},
		"a leaf's log time":           {"ledger/leaves", flip(92 + 25)},
		"a stored hash":               {"ledger/hashes.8", flip(5)},
		"a header":                    {"ledger/envelopes", flip(10_000)},
		"a log time":                  {"ledger/envelopes", func(b []byte) []byte { return flip(len(b) - 1)(b) }},
		"a line of the index":         {"ledger/envelopes.idx", flip(76 + 30)},
		"a body's end":                {"ledger/bodies.idx", flip(15)},
		"the genesis":                 {"genesis.pem", flip(3000)},
		"a cosignature":               {"checkpoint", func(b []byte) []byte { return flip(len(b) - 200)(b) }},
		"entries left out at the end": {"ledger/leaves", func(b []byte) []byte { return b[:len(b)-92] }},
		"the number of entries":       {"manifest.json", replace(`"entries": 304`, `"entries": 303`)},
		"the state":                   {"manifest.json", replace(`"state_sha256": "`, `"state_sha256": "00`)},
		"the network":                 {"manifest.json", replace(`"network": "test`, `"network": "best`)},
		"an expiry that is none":      {"manifest.json", replace(`"salts_expire": "2026`, `"salts_expire": "when`)},
		"an unknown field":            {"manifest.json", replace(`"node"`, `"mode"`)},
		"a newer format":              {"manifest.json", replace(`backup 1`, `backup 2`)},
		"salts without an expiry":     {"manifest.json", replace(",\n \"salts_expire\": \"2026-12-20T14:16:40Z\"", "")},
	} {
		t.Run(name, func(t *testing.T) {
			to := forged(t, path, tc.part, tc.change)
			if bytes.Equal(readFile(t, path), readFile(t, to)) {
				t.Fatal("nothing was changed")
			}
			if _, err := verify(to, backup.VerifyOptions{}); !errors.Is(err, audit.ErrUnverified) {
				t.Errorf("got %v, want ErrUnverified", err)
			}
		})
	}
	// What only the salts can show, they show.
	for _, part := range []string{"ledger/bodies", "salts.age"} {
		to := forged(t, path, part, func(b []byte) []byte { return flip(len(b) - 700)(b) })
		if _, err := verify(to, backup.VerifyOptions{}); err != nil {
			t.Errorf("%s, without the key: %v", part, err)
		}
		if _, err := verify(to, backup.VerifyOptions{Key: &key}); !errors.Is(err, audit.ErrUnverified) {
			t.Errorf("%s, with the key: %v, want ErrUnverified", part, err)
		}
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
