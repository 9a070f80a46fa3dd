package slot

import (
	"errors"
	"os"
	"syscall"
)

// datasync waits until the file's bytes are on the disk. Its size never
// changes, so nothing else has to be written.
func datasync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
