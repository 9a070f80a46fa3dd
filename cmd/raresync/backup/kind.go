package backup

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/raresync/raresync/cmd/raresync/audit"
)

// ErrNotBackup reports a file that is something else altogether. It is an
// audit.ErrUnverified: a script that asks need not know the difference.
var ErrNotBackup error = notBackup{}

type notBackup struct{}

func (notBackup) Error() string { return "this is not a backup made by raresync backup save" }
func (notBackup) Unwrap() error { return audit.ErrUnverified }

func irregular(info fs.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%w: it is a directory", ErrNotBackup)
	}
	return fmt.Errorf("%w: it is not a regular file", ErrNotBackup)
}

const (
	tarNameBytes = 100 // of a header, which begins with the part's name
	damagedBytes = 3   // of them that may differ in a damaged backup
)

// checkKind tells what never was a backup from a damaged one, by the name of
// the first part.
func checkKind(f io.ReaderAt, size int64) error {
	block := make([]byte, blockBytes)
	n, err := f.ReadAt(block, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var want [tarNameBytes]byte
	copy(want[:], genesisPart)
	differ := 0
	for i := range want { // what a short file lacks, too
		if block[i] != want[i] {
			differ++
		}
	}
	switch {
	case n == 0:
		return fmt.Errorf("%w: it is empty", ErrNotBackup)
	case differ <= damagedBytes:
		return nil
	case bytes.HasPrefix(block, []byte{0x1f, 0x8b}):
		return fmt.Errorf("%w: it is compressed: unpack it with gunzip first", ErrNotBackup)
	case n < blockBytes:
		return fmt.Errorf("%w: it has %d bytes, a backup's first header has %d", ErrNotBackup, size, blockBytes)
	}
	h, err := tar.NewReader(bytes.NewReader(block)).Next()
	if err != nil {
		return fmt.Errorf("%w: byte 0: %w", ErrNotBackup, err)
	}
	return fmt.Errorf("%w: its first part is %q, a backup's is %s", ErrNotBackup, h.Name, genesisPart)
}
