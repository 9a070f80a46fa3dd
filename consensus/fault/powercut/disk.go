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

// Back brings the disk back. No file of it may be open. It is a copy: the mount
// namespaces of other processes may hold the disk that was cut, and mounting that
// would give it back as it is, shut down.
func (d *Disk) Back() {
	d.t.Helper()
	d.run("umount", d.Path)
	again := d.image + "+"
	d.run("cp", "--sparse=always", d.image, again)
	if err := os.Remove(d.image); err != nil {
		d.t.Fatal(err)
	}
	d.image = again
	d.mount()
}

func (d *Disk) mount() {
	d.t.Helper()
	d.run("mount", "-o", "loop,nouuid", d.image, d.Path)
}

func (d *Disk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s: %v: %s", name, err, out)
	}
}
