package integration

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus/fault"
)

// crashing builds cmd/raresync so that it can be told to crash, and returns its
// path.
var crashing = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builtIn, "raresync-faults")
	out, err := exec.Command("go", "build", "-tags", "faults", "-o", path, "../cmd/raresync").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// crash runs a command that must die at a step.
func (n *network) crash(step fault.Step, args ...string) {
	n.t.Helper()
	path, err := crashing()
	must(n.t, err)
	cmd := exec.CommandContext(n.ctx, path, args...)
	cmd.Env = append(os.Environ(), "RARESYNC_CRASH_AT="+string(step))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL || n.ctx.Err() != nil {
		n.t.Fatalf("%v did not crash at %s: %v\n%s", args, step, err, out)
	}
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// TestACrashDuringABackupOrRestoreLeavesAllOrNothing kills the program at each
// step. What has its name is whole; what has not is in nobody's way.
func TestACrashDuringABackupOrRestoreLeavesAllOrNothing(t *testing.T) {
	n := newNetwork(t, 1, 1, 4*time.Minute)
	n.register(madeUpVisits(t, 5, 1))
	n.converge()
	policy, mirror := n.policy(), n.Reader
	must(t, mirror.Stop())
	good := filepath.Join(n.Dir, "good.tar")
	n.save(mirror, good)
	for step, whole := range map[fault.Step]bool{
		fault.BackupParts: false, fault.BackupVerified: false, fault.BackupSynced: false, fault.BackupNamed: true,
	} {
		t.Run(string(step), func(t *testing.T) {
			n := n.with(t)
			file := filepath.Join(t.TempDir(), "b.tar")
			n.crash(step, "backup", "save", file, "-c", mirror.Config())
			if exists(t, file) != whole {
				t.Fatalf("the file is there: %t, want %t", !whole, whole)
			}
			if !whole {
				n.save(mirror, file)
			}
			n.report("backup", "verify", file, "--policy", policy, "-o", "json")
			if exists(t, file+".part") {
				t.Error("an unfinished file is left")
			}
		})
	}
	folder := filepath.Join(mirror.Dir, "node")
	for step, whole := range map[fault.Step]bool{
		fault.RestoreLedger: false, fault.RestoreFacts: false, fault.RestoreOpened: false, fault.RestoreNamed: true,
	} {
		t.Run(string(step), func(t *testing.T) {
			n := n.with(t)
			n.loseLog(mirror)
			n.crash(step, "backup", "restore", good, "-c", mirror.Config())
			if exists(t, folder) != whole {
				t.Fatalf("the folder is there: %t, want %t", !whole, whole)
			}
			if !whole {
				n.report("backup", "restore", good, "-c", mirror.Config(), "-o", "json")
			}
			if exists(t, folder+".part") {
				t.Error("an unfinished folder is left")
			}
			comesBack(n, mirror)
		})
	}
	t.Run(string(fault.SaltsRefilled), func(t *testing.T) {
		n := n.with(t)
		n.loseLog(mirror)
		n.report("backup", "restore", good, "-c", mirror.Config(), "-o", "json")
		n.crash(fault.SaltsRefilled, "serve", "-c", mirror.Config())
		comesBack(n, mirror)
	})
}

// comesBack starts a restored mirror and compares it with the others.
func comesBack(n *network, mirror *demo.Process) {
	n.t.Helper()
	must(n.t, mirror.Start())
	n.converge()
	must(n.t, mirror.Stop())
	sameLedgers(n.t, n.Hospitals[0], mirror)
}
