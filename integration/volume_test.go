package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// volume is a file system of its own in an image file, on which a node's data
// directory lies.
type volume struct {
	image, at string
}

// A kind of file system, and the smallest image it fits.
type fileSystem struct {
	name string
	mkfs []string
	mib  int64
}

var (
	ext4 = fileSystem{"ext4", []string{"mkfs.ext4", "-q", "-m", "0"}, 256}
	xfs  = fileSystem{"xfs", []string{"mkfs.xfs", "-q"}, 320}
)

// ownMounts names, in the environment, the test whose process has mounts of its
// own.
const ownMounts = "RARESYNC_OWN_MOUNTS"

// withOwnMounts reports whether the test may mount file systems, and goes on in
// a process where nobody else sees them: a copy of them in another mount
// namespace would keep a file system alive beyond its end. They end with the
// process, whatever becomes of it. Without root the test fails where it must
// run (RARESYNC_REQUIRE_ROOT=1, as in CI) and says elsewhere that nothing was
// tested.
func withOwnMounts(t *testing.T) bool {
	t.Helper()
	switch {
	case os.Getenv(ownMounts) == t.Name():
		return true
	case os.Geteuid() == 0:
		runWithOwnMounts(t)
	case os.Getenv("RARESYNC_REQUIRE_ROOT") == "1":
		t.Fatal("mounting file systems needs root")
	default:
		t.Log("NOTHING WAS TESTED: mounting file systems needs root")
	}
	return false
}

func runWithOwnMounts(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), ownMounts+"="+t.Name())
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		t.Fatalf("in a process with mounts of its own: %v", err)
	}
}

// onVolume moves a node that does not run to a file system of its own. The
// volume ends with the test, and the node before it.
func onVolume(t *testing.T, p *demo.Process, kind fileSystem) *volume {
	t.Helper()
	v := &volume{image: p.Dir + ".img", at: p.Dir}
	must(t, os.WriteFile(v.image, nil, 0o600))
	must(t, os.Truncate(v.image, kind.mib<<20))
	must(t, system(append(kind.mkfs, v.image)...))
	old := p.Dir + ".old"
	must(t, os.Rename(p.Dir, old))
	must(t, os.Mkdir(p.Dir, 0o700))
	must(t, v.mount())
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		if err := v.unmount(); err != nil {
			t.Error(err)
		}
	})
	must(t, system("cp", "-a", old+"/.", p.Dir))
	must(t, system("sync", "-f", p.Dir))
	must(t, os.RemoveAll(old))
	return v
}

func (v *volume) mount() error { return system("mount", "-o", "loop", v.image, v.at) }

func (v *volume) unmount() error { return system("umount", v.at) }

// cut cuts the power: what was not fsynced is gone, and whatever is tried on
// the volume fails until it is back.
func (v *volume) cut() error { return system("xfs_io", "-x", "-c", "shutdown", v.at) }

// back brings the volume back. No file of it may be open.
func (v *volume) back() error {
	if err := v.unmount(); err != nil {
		return err
	}
	return v.mount()
}

func system(words ...string) error {
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%v: %w: %s", words, err, out)
	}
	return nil
}

// leave fills the volume with a file of nothing until so much of it is free,
// in permille of its size, beside the reserve if the node keeps one.
func (v *volume) leave(t *testing.T, permille uint64) {
	t.Helper()
	path := filepath.Join(v.at, "ballast")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var s syscall.Statfs_t
	must(t, syscall.Statfs(v.at, &s))
	free, total := s.Bavail*uint64(s.Bsize), s.Blocks*uint64(s.Bsize)
	if want := total / 1000 * permille; free > want {
		must(t, system("fallocate", "-l", fmt.Sprint(free-want), path))
	}
}

// fill leaves not a byte.
func (v *volume) fill(t *testing.T) {
	t.Helper()
	v.leave(t, 5)
	f, err := os.OpenFile(filepath.Join(v.at, "ballast"), os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	must(t, f.Sync())
}

// search looks for pieces in every byte of the image, which is what a disk taken
// out of the machine would show: files, free blocks, and the file system's own
// journal. Nothing of the volume is open.
func (v *volume) search(p pieces) (at []int64, err error) {
	if err := v.unmount(); err != nil {
		return nil, err
	}
	f, err := os.Open(v.image)
	if err != nil {
		return nil, errors.Join(err, v.mount())
	}
	at, err = p.inSparse(f)
	return at, errors.Join(err, f.Close(), v.mount())
}
