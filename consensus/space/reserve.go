package space

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// reserveFile is the name of the reserve in its directory.
const reserveFile = "reserve"

// A reserve is a file of allocated blocks that hold nothing.
type reserve struct {
	path  string
	bytes uint64
	held  bool
}

// openReserve takes over the file of an earlier run if it is whole.
func openReserve(dir string, bytes uint64) *reserve {
	r := &reserve{path: filepath.Join(dir, reserveFile), bytes: bytes}
	info, err := os.Stat(r.path)
	r.held = err == nil && uint64(info.Size()) == bytes && bytes > 0
	return r
}

// missing returns how many bytes the reserve would take.
func (r *reserve) missing() uint64 {
	if r.held {
		return 0
	}
	return r.bytes
}

// release gives the blocks back.
func (r *reserve) release() error {
	r.held = false
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("give up the reserve: %w", err)
	}
	return nil
}

// hold takes the blocks, all or none.
func (r *reserve) hold() error {
	if r.held || r.bytes == 0 {
		return nil
	}
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make the reserve: %w", err)
	}
	if err := errors.Join(allocate(f, int64(r.bytes)), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("make the reserve: %w", err), r.release())
	}
	r.held = true
	return nil
}

// zeros takes blocks by writing them, where they cannot be asked for.
func zeros(f *os.File, bytes int64) error {
	block := make([]byte, 1<<20)
	for bytes > 0 {
		n, err := f.Write(block[:min(bytes, int64(len(block)))])
		if err != nil {
			return err
		}
		bytes -= int64(n)
	}
	return nil
}
