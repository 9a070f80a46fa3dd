package space

import (
	"errors"
	"os"
	"syscall"
)

// Disk returns the probe of the file system that a directory lies on.
func Disk(dir string) Probe {
	return func() (free, total uint64, err error) {
		var s syscall.Statfs_t
		if err := syscall.Statfs(dir, &s); err != nil {
			return 0, 0, err
		}
		return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
	}
}

func allocate(f *os.File, bytes int64) error {
	err := syscall.Fallocate(int(f.Fd()), 0, 0, bytes)
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return zeros(f, bytes)
	}
	return err
}
