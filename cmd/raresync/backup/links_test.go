package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/backup"
)

const sealedLinks = "record numbers, sealed to the hospital's own key"

// linksSaved returns the path of a backup that holds a link file.
func linksSaved(t *testing.T) string {
	t.Helper()
	w := newWorld(t, 2)
	o := w.options()
	o.Links = filepath.Join(t.TempDir(), "links")
	put(t, o.Links, sealedLinks)
	path := filepath.Join(t.TempDir(), "b.tar")
	if _, err := backup.Save(t.Context(), path, o); err != nil {
		t.Fatal(err)
	}
	return path
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, path string) *backup.Backup {
	t.Helper()
	b, err := backup.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestALinkFileComesBackWholeAndNeverOverANewerOne(t *testing.T) {
	b := opened(t, linksSaved(t))
	path := filepath.Join(t.TempDir(), "links")
	put(t, path+".tmp", "what a crash left: "+strings.Repeat("x", 100))
	if done, err := b.RestoreLinks(path); !done || err != nil || string(readFile(t, path)) != sealedLinks {
		t.Fatalf("restored %v, %v: %q", done, err, readFile(t, path))
	}
	wantFiles(t, filepath.Dir(path), "links")
	put(t, path, "newer")
	if done, err := b.RestoreLinks(path); done || err != nil || string(readFile(t, path)) != "newer" {
		t.Errorf("over a newer one: %v, %v", done, err)
	}
	without := opened(t, newWorld(t, 2).saved(nil))
	if done, err := without.RestoreLinks(filepath.Join(t.TempDir(), "links")); done || err != nil {
		t.Errorf("from a backup without one: %v, %v", done, err)
	}
}

func TestALinkFileThatCannotBeRestoredLeavesNothing(t *testing.T) {
	saved := linksSaved(t)
	b := opened(t, saved)
	for name, path := range map[string]string{
		"into a folder that is not there": filepath.Join(t.TempDir(), "none", "links"),
		"where nothing can be put aside": func() string {
			path := filepath.Join(t.TempDir(), "links")
			if err := os.Mkdir(path+".tmp", 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		}(),
	} {
		if done, err := b.RestoreLinks(path); done || err == nil {
			t.Errorf("%s: restored %v, %v", name, done, err)
		}
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%s: there is a file, %v", name, err)
		}
	}
	raw := readFile(t, saved)
	at := bytes.Index(raw, []byte(sealedLinks))
	if at < 0 {
		t.Fatal("the backup has no link file")
	}
	raw[at+20] ^= 1
	put(t, saved, string(raw)) // the disk errs between verifying and restoring
	path := filepath.Join(t.TempDir(), "links")
	if done, err := b.RestoreLinks(path); done || err == nil {
		t.Errorf("of a file that reads differently: restored %v, %v", done, err)
	}
	wantFiles(t, filepath.Dir(path))
}
