package slot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/ledger"
)

// ioError marks err as ledger.ErrStorage and leaves the directory out.
func ioError(op, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) && op == "read" {
		return err
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%w: %s %s: %w", ledger.ErrStorage, op, filepath.Base(path), err)
}

func fsyncError(path string, err error) error {
	return fmt.Errorf("%w: %w: %s: %w", ledger.ErrStorage, ledger.ErrFsync, filepath.Base(path), err)
}

func writeSynced(path string, raw []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return ioError("create", path, err)
	}
	if _, err := file.Write(raw); err != nil {
		return errors.Join(ioError("write", path, err), file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(fsyncError(path, err), file.Close())
	}
	if err := file.Close(); err != nil {
		return ioError("close", path, err)
	}
	return nil
}

// syncDir makes the name durable that path has in its directory.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return ioError("open", filepath.Dir(path), err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fsyncError(dir.Name(), err)
	}
	return nil
}
