package slot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/ledger"
)

const (
	blockBytes = 4096 // from one copy to the next
	slotBytes  = 2 * blockBytes
	fileBytes  = 2 * slotBytes
)

// A File is a value on disk. One goroutine at a time uses it.
type File struct {
	file    *os.File
	path    string
	counter uint64 // of the newest value; its slot is the counter's parity
	value   []byte
}

// Open opens the file at path, or creates it (mode 0600) without a value, and
// heals a damaged block. Errors are ledger.ErrDamaged and ledger.ErrStorage.
func Open(path string) (*File, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, ioError("open", path, err)
	}
	f := &File{file: file, path: path}
	if err := f.load(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

// Read returns the value in the file at path and changes nothing there.
func Read(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, ioError("read", path, err)
	}
	slots, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ledger.ErrDamaged, filepath.Base(path), err)
	}
	return slots.newest().value, nil
}

// create writes a file of two slots without a value, under another name until
// it is whole.
func create(path string) error {
	raw := make([]byte, fileBytes)
	for counter := range uint64(2) {
		put(raw, copyOf{counter: counter})
	}
	temp := path + ".tmp"
	if err := writeSynced(temp, raw); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return ioError("rename", path, err)
	}
	return syncDir(path)
}

func (f *File) load() error {
	raw := make([]byte, fileBytes+1)
	n, err := f.file.ReadAt(raw, 0)
	if err == nil || n != fileBytes {
		return fmt.Errorf("%w: %s has %d bytes, want %d", ledger.ErrDamaged, filepath.Base(f.path), n, fileBytes)
	}
	slots, err := parse(raw[:n])
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ledger.ErrDamaged, filepath.Base(f.path), err)
	}
	for _, s := range slots {
		if !s.whole {
			if err := f.write(s); err != nil {
				return err
			}
		}
	}
	newest := slots.newest()
	f.counter, f.value = newest.counter, newest.value
	return nil
}

// Value returns the newest value, nil if none was ever stored. The caller does
// not change it.
func (f *File) Value() []byte { return f.value }

// Store replaces the value, durably. After an error, which is
// ledger.ErrStorage, the file is not written again before it was opened anew.
func (f *File) Store(value []byte) error {
	if len(value) == 0 || len(value) > MaxValueBytes {
		return fmt.Errorf("%w: store %s: %d bytes, at most %d", ledger.ErrStorage, filepath.Base(f.path), len(value), MaxValueBytes)
	}
	next := copyOf{counter: f.counter + 1, value: append([]byte(nil), value...)}
	if err := f.write(next); err != nil {
		return err
	}
	f.counter, f.value = next.counter, next.value
	return nil
}

// write puts a value into both blocks of its slot and waits for the disk.
func (f *File) write(c copyOf) error {
	sector := c.sector()
	off := int64(c.counter%2) * slotBytes
	for _, at := range []int64{off, off + blockBytes} {
		if _, err := f.file.WriteAt(sector, at); err != nil {
			return ioError("write", f.path, err)
		}
	}
	if err := datasync(f.file); err != nil {
		return fsyncError(f.path, err)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
