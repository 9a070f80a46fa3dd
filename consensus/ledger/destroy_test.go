package ledger

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A second name keeps hold of the blocks, as a search of the disk would.
func TestDestroyLeavesNothingOfAFile(t *testing.T) {
	for name, destroy := range map[string]func(path string) error{
		"a file":   Destroy,
		"a folder": func(path string) error { return DestroyFiles(filepath.Dir(path)) },
	} {
		dir := filepath.Join(t.TempDir(), "dir")
		path := filepath.Join(dir, "file")
		secret := bytes.Repeat([]byte("secret"), 1<<18) // more than is zeroed at once
		if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(path, secret, 0o600)); err != nil {
			t.Fatal(err)
		}
		held, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		if err := destroy(path); err != nil {
			t.Fatal(err)
		}
		left, err := io.ReadAll(held)
		if err != nil || len(left) != len(secret) {
			t.Fatalf("%s: %d bytes, %v", name, len(left), err)
		}
		if bytes.ContainsFunc(left, func(r rune) bool { return r != 0 }) {
			t.Errorf("%s: the disk still holds its bytes", name)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if err := destroy(path); err != nil {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}

func TestWhatACrashLeftOfAFileIsDestroyed(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "one.tmp"), []byte("half"), 0o600), os.WriteFile(filepath.Join(dir, "two"), []byte("whole"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := DestroyUnfinished(dir); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "two" {
		t.Errorf("left are %v, %v", files, err)
	}
}

func TestReplacedBytesAreGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fact")
	if err := ReplaceDurable(path, []byte("before")); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := ReplaceDurable(path, []byte("after")); err != nil {
		t.Fatal(err)
	}
	if left, err := io.ReadAll(held); err != nil || bytes.ContainsFunc(left, func(r rune) bool { return r != 0 }) {
		t.Errorf("the disk still holds %q, %v", left, err)
	}
	if got, err := ReadFileDurable(path); err != nil || string(got) != "after" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A crash leaves a file that is being replaced with two names, or both files.
func TestACrashWhileAFileIsReplacedLeavesNothingOfIt(t *testing.T) {
	for name, renamed := range map[string]bool{"before the new one has its name": false, "after that": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "fact")
			if err := errors.Join(WriteFileDurable(path, []byte("before")), KeepFormer(path)); err != nil {
				t.Fatal(err)
			}
			held, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer held.Close()
			want := "before"
			if renamed {
				want = "after"
				if err := WriteFileDurable(path, []byte(want)); err != nil {
					t.Fatal(err)
				}
			}
			if err := DestroyUnfinished(dir); err != nil {
				t.Fatal(err)
			}
			if got, err := ReadFileDurable(path); err != nil || string(got) != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			left, err := io.ReadAll(held)
			if gone := !bytes.ContainsFunc(left, func(r rune) bool { return r != 0 }); err != nil || gone != renamed {
				t.Errorf("the disk holds %q of what was before, %v", left, err)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
				t.Errorf("left are %v, %v", files, err)
			}
		})
	}
}
