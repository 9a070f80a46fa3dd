package ledger

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/fault"
)

// MaxFactBytes bounds what [WriteFileDurable] writes and [ReadFileDurable]
// reads: 64 MiB, many times the state of the largest network.
const MaxFactBytes = 64 << 20

// WriteFileDurable replaces the file at path by data and a CRC-32C trailer of
// 4 bytes, mode 0600. It writes a temporary file beside it (path with ".tmp"),
// fsyncs, renames and fsyncs the directory, so a crash leaves the old bytes or
// the new ones. Two writers of one path must not run at once. Errors are
// ErrStorage.
func WriteFileDurable(path string, data []byte) error {
	if len(data) > MaxFactBytes {
		return ioError("write", path, errors.New("too large"))
	}
	return replaceDurable(path, data, binary.BigEndian.AppendUint32(nil, checksum(data)))
}

// replaceDurable writes the parts to a temporary file and renames it to path.
func replaceDurable(path string, parts ...[]byte) error {
	temp := path + ".tmp"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return ioError("create", temp, err)
	}
	for _, part := range parts {
		if _, err := f.Write(part); err != nil {
			_ = f.Close() // the write error says more
			return ioError("write", temp, err)
		}
	}
	if fault.Planted(fault.FactNoFsync) {
		return errors.Join(f.Close(), os.Rename(temp, path), SyncDir(filepath.Dir(path)))
	}
	if err := f.Sync(); err != nil {
		_ = f.Close() // the fsync error says more
		return ioError(opFsync, temp, err)
	}
	if err := f.Close(); err != nil {
		return ioError("close", temp, err)
	}
	fault.At(fault.FactSynced)
	if err := os.Rename(temp, path); err != nil {
		return ioError("rename", path, err)
	}
	fault.At(fault.FactRenamed)
	if fault.Planted(fault.FactNoDirFsync) {
		return nil
	}
	return SyncDir(filepath.Dir(path))
}

// ReadFileDurable returns the data that [WriteFileDurable] wrote. A missing
// file is fs.ErrNotExist, a checksum that does not fit is ErrDamaged.
func ReadFileDurable(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, ioError("open", path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFactBytes+5))
	if err != nil {
		return nil, ioError("read", path, err)
	}
	if len(b) < checksumBytes || len(b) > MaxFactBytes+checksumBytes {
		return nil, damaged(filepath.Base(path), "%d bytes", len(b))
	}
	if !checksumFits(b) {
		return nil, damaged(filepath.Base(path), "checksum does not fit")
	}
	return b[:len(b)-checksumBytes], nil
}

// SyncDir makes the names in a folder durable. Errors are ErrStorage.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return ioError("open", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return ioError(opFsync, dir, err)
	}
	return nil
}
