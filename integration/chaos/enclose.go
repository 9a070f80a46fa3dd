package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// insideEnv says to a process that it runs in an enclosure, and the name of it.
const insideEnv = "RARESYNC_ENCLOSURE"

// Inside returns the unique name of the enclosure that this process runs in,
// or "".
func Inside() string { return os.Getenv(insideEnv) }

// Missing returns the commands that are needed and not found, and "root" for
// anybody else.
func Missing() (missing []string) {
	if os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	for _, command := range []string{"mkfs.ext4", "mount", "umount", "ip", "nft", "strace"} {
		if _, err := exec.LookPath(command); err != nil {
			missing = append(missing, command)
		}
	}
	for path, what := range map[string]string{"/dev/net/tun": "TAP devices", memoryRoot: "the memory controller of cgroup v1"} {
		if _, err := os.Stat(path); err != nil {
			missing = append(missing, what)
		}
	}
	return missing
}

// Enclose runs this program again, with the given arguments, in process and
// mount namespaces of its own; out gets all that it prints. However it ends, the processes and mounts that
// it made end with it, and its temporary folder and control groups are removed.
func Enclose(ctx context.Context, out io.Writer, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rr")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(os.Environ(), insideEnv+"="+filepath.Base(dir), "TMPDIR="+dir)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	return errors.Join(cmd.Run(), os.RemoveAll(dir), removeGroups(filepath.Base(dir)))
}

// Arrive finishes the enclosure from inside: /proc shows its processes.
func Arrive() error {
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// removeGroups removes the control groups of an enclosure that has ended.
func removeGroups(name string) error {
	groups, err := filepath.Glob(filepath.Join(memoryRoot, name, "*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, g := range append(groups, filepath.Join(memoryRoot, name)) {
		if info, err := os.Stat(g); err == nil && info.IsDir() {
			problems = append(problems, os.Remove(g))
		}
	}
	return errors.Join(problems...)
}
