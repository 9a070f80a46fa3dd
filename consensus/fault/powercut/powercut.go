// Package powercut gives a test a file system of its own and cuts its power:
// what was not fsynced is gone afterwards, as on a real machine.
//
//	disk := powercut.NewDisk(t)
//	... write below disk.Path ...
//	disk.Cut()
//	... close what was open ...
//	disk.Back()
//	... see what is left ...
//
// It is XFS in a file, mounted through a loop device, and shut down by the
// ioctl that drops its log; so it takes root, and Debian's xfsprogs. Only tests
// with the build tag "faults" use it.
package powercut

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// imageBytes is the least that mkfs.xfs accepts; the file is sparse.
const imageBytes = 320 << 20

// Disk is a mounted file system.
type Disk struct {
	// Path is the directory at which it is mounted.
	Path string

	t     testing.TB
	image string
}

// NewDisk makes a file system and mounts it until the test ends.
func NewDisk(t testing.TB) *Disk {
	t.Helper()
	dir := t.TempDir()
	d := &Disk{Path: filepath.Join(dir, "disk"), t: t, image: filepath.Join(dir, "image")}
	if err := os.Mkdir(d.Path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, imageBytes); err != nil {
		t.Fatal(err)
	}
	d.run("mkfs.xfs", "-q", d.image)
	d.mount()
	t.Cleanup(func() { d.run("umount", "-l", d.Path) })
	return d
}

// Cut cuts the power: nothing more reaches the disk, and whatever is tried on
// it fails.
func (d *Disk) Cut() {
	d.t.Helper()
	d.run("xfs_io", "-x", "-c", "shutdown", d.Path)
}

// Back brings the disk back. No file of it may be open.
func (d *Disk) Back() {
	d.t.Helper()
	d.run("umount", d.Path)
	d.mount()
}

func (d *Disk) mount() {
	d.t.Helper()
	d.run("mount", "-o", "loop", d.image, d.Path)
}

func (d *Disk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v: %s", name, err, out)
	}
}
