package backup

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// failing reads some bytes and then fails.
type failing struct{ r io.Reader }

var errDisk = errors.New("the disk errs")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = errDisk
	}
	return n, err
}

func TestAFileIsPlacedWholeOrNotAtAll(t *testing.T) {
	const whole = "all of the bytes"
	for at := range len(whole) + 1 {
		path := filepath.Join(t.TempDir(), "links")
		if err := place(path, failing{strings.NewReader(whole[:at])}); !errors.Is(err, errDisk) {
			t.Fatalf("after %d bytes: %v", at, err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
			t.Errorf("after %d bytes %v is left, %v", at, left, err)
		}
	}
	path := filepath.Join(t.TempDir(), "links")
	if err := os.Mkdir(path, 0o700); err != nil { // the renaming fails
		t.Fatal(err)
	}
	if err := place(path, strings.NewReader(whole)); err == nil {
		t.Error("placed over a folder")
	}
	if _, err := os.Lstat(path + ".tmp"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was put aside is left: %v", err)
	}
}
