package chaos

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Disk is an ext4 file system of its own, on a loop device over an image file.
type Disk struct{ dir string }

// NewDisk makes an empty file system in the image and mounts it at dir, which
// it makes. The image takes only the space of what is written.
func NewDisk(image, dir string, bytes int64) (*Disk, error) {
	f, err := os.OpenFile(image, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	if err := joinClose(f.Truncate(bytes), f); err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	for _, args := range [][]string{{"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make disk: %v: %w: %s", args, err, out)
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "lost+found")), os.Chmod(dir, 0o700)); err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	return &Disk{dir}, nil
}

func (d *Disk) filler() string { return filepath.Join(d.dir, "filler") }

// Fill takes what is free on the disk but for so many bytes.
func (d *Disk) Fill(leave int64) error {
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fill disk: %w", err)
	}
	return joinClose(d.fill(f, leave), f)
}

// fill takes what is free, and then what is left in ever smaller pieces.
func (d *Disk) fill(f *os.File, leave int64) error {
	var end int64
	for step := int64(math.MaxInt64); ; {
		var free unix.Statfs_t
		if err := unix.Statfs(d.dir, &free); err != nil {
			return fmt.Errorf("fill disk: %w", err)
		}
		step = min(step, int64(free.Bavail)*free.Bsize-leave)
		if step < free.Bsize {
			return nil
		}
		switch err := unix.Fallocate(int(f.Fd()), 0, end, step); {
		case err == nil:
			end += step
		case errors.Is(err, unix.ENOSPC):
			step /= 2
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("fill disk: %w", err)
		}
	}
}

// Free gives the space back.
func (d *Disk) Free() error {
	if err := os.Remove(d.filler()); err != nil {
		return fmt.Errorf("free disk: %w", err)
	}
	return nil
}
