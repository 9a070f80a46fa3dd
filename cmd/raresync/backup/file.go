package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/space"
)

// unfinished is added to a name until what is under it is whole.
const unfinished = ".part"

// create makes the unfinished file, or takes one that a crash left. Two that
// write the same file at once would both publish a mixture.
func create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s is being written already", path)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// room reports a disk that has not the room for so many bytes. A file system
// that does not say how large it is, is tried.
func room(disk space.Probe, bytes uint64) error {
	free, total, err := disk()
	if err == nil && total > 0 && free < bytes {
		return fmt.Errorf("%d MiB are needed, %d MiB are free: %w", bytes>>20+1, free>>20, syscall.ENOSPC)
	}
	return nil
}

func absent(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	return ignoreAbsent(err)
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// publish gives a whole file, or folder, its name for good.
func publish(path string) error {
	if err := absent(path); err != nil {
		return err
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return err
	}
	fault.At(fault.BackupNamed)
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
