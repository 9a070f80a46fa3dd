package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// ErrStorage reports that the disk refused a read, a write or an fsync. What
// reached the disk is unknown; the process stops with exit code 74.
var ErrStorage = errors.New("storage failed")

// ErrFsync is the ErrStorage of an fsync: what was written before may be lost
// although it can still be read. It is not tried again.
var ErrFsync = errors.New("fsync failed")

// ErrDamaged reports files that contradict themselves, each other or the
// lengths last fsynced. The node is rebuilt from its peers.
var ErrDamaged = errors.New("ledger damaged")

// ErrFormat reports a directory written by a newer release, or one that is
// not a ledger.
var ErrFormat = errors.New("ledger format not supported")

// ErrOutOfRange reports an index, envelope number or byte range beyond what
// was appended. On a node that is still catching up it means "not yet".
var ErrOutOfRange = errors.New("beyond the end of the ledger")

// ErrBatch reports a batch whose parts do not fit together or are too large.
// Nothing was written.
var ErrBatch = errors.New("batch not appendable")

// ErrClosed reports a call on a closed ledger, or a write to a ledger opened
// with [OpenReadOnly].
var ErrClosed = errors.New("ledger closed for this")

// opFsync is the operation that ioError marks with ErrFsync.
const opFsync = "fsync"

// ioError wraps err as ErrStorage with the operation and the file's name. The
// directory is left out: it says nothing that the operator does not know.
func ioError(op, file string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if op == opFsync {
		return fmt.Errorf("%w: %w: %s: %w", ErrStorage, ErrFsync, filepath.Base(file), err)
	}
	return fmt.Errorf("%w: %s %s: %w", ErrStorage, op, filepath.Base(file), err)
}

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrDamaged, file, fmt.Sprintf(format, args...))
}
