package ledger

import (
	"errors"
	"os"
	"syscall"
)

// fallocate(2): free the blocks in the range and keep the file's size.
const punchKeepingSize = 0x02 | 0x01

// punchHole gives the space of a zeroed range back. A file system that cannot
// punch holes keeps the zeros, which is no less erased.
func punchHole(f *os.File, off, n int64) error {
	err := syscall.Fallocate(int(f.Fd()), punchKeepingSize, off, n)
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	return err
}
