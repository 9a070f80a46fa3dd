package integration

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

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

// backupSteps are the steps of saving and restoring, and whether what was begun
// is whole behind them.
var backupSteps = map[fault.Step]bool{
	fault.BackupParts: false, fault.BackupVerified: false, fault.BackupSynced: false, fault.BackupNamed: true,
	fault.RestoreLedger: false, fault.RestoreFacts: false, fault.RestoreOpened: false, fault.RestoreNamed: true,
	fault.SaltsRefilled: false,
}

// TestACrashDuringABackupOrRestoreLeavesAllOrNothing kills the program at each
// step, or at the one in RARESYNC_STEP. What has its name is whole; what has
// not is in nobody's way.
func TestACrashDuringABackupOrRestoreLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 1, 1)
	n.register(madeUpVisits(t, 5, 1))
	n.converge()
	policy := n.policy()
	must(t, n.Reader.Stop())
	good := filepath.Join(n.Dir, "good.tar")
	n.save(n.Reader, good)
	only := fault.Step(os.Getenv("RARESYNC_STEP"))
	for step, whole := range backupSteps {
		if only != "" && step != only {
			continue
		}
		t.Run(string(step), func(t *testing.T) {
			n := n.with(t)
			switch procedure, _, _ := strings.Cut(string(step), "/"); procedure {
			case "backup":
				n.crashSaving(step, whole, policy)
			case "restore":
				n.crashRestoring(step, whole, good)
			default:
				n.loseLog(n.Reader)
				n.report("backup", "restore", good, "-c", n.Reader.Config(), "-o", "json")
				n.crash(step, "serve", "-c", n.Reader.Config())
				comesBack(n, n.Reader)
			}
		})
	}
}

func (n *network) crashSaving(step fault.Step, whole bool, policy string) {
	n.t.Helper()
	file := filepath.Join(n.t.TempDir(), "b.tar")
	n.crash(step, "backup", "save", file, "-c", n.Reader.Config())
	if exists(n.t, file) != whole {
		n.t.Fatalf("the file is there: %t, want %t", !whole, whole)
	}
	if !whole {
		n.save(n.Reader, file)
	}
	n.report("backup", "verify", file, "--policy", policy, "-o", "json")
	if exists(n.t, file+".part") {
		n.t.Error("an unfinished file is left")
	}
}

func (n *network) crashRestoring(step fault.Step, whole bool, good string) {
	n.t.Helper()
	folder := filepath.Join(n.Reader.Dir, "node")
	n.loseLog(n.Reader)
	n.crash(step, "backup", "restore", good, "-c", n.Reader.Config())
	if exists(n.t, folder) != whole {
		n.t.Fatalf("the folder is there: %t, want %t", !whole, whole)
	}
	if !whole {
		if exists(n.t, folder+".part") {
			_, errs, code := n.run("serve", "-c", n.Reader.Config())
			if code != 74 || !strings.Contains(string(errs), "a restore of this node was cut short") {
				n.t.Errorf("serve: exit code %d, %s", code, errs)
			}
		}
		n.report("backup", "restore", good, "-c", n.Reader.Config(), "-o", "json")
	}
	if exists(n.t, folder+".part") {
		n.t.Error("an unfinished folder is left")
	}
	comesBack(n, n.Reader)
}

// comesBack starts a restored mirror and compares it with the others.
func comesBack(n *network, mirror *demo.Process) {
	n.t.Helper()
	must(n.t, mirror.Start())
	n.converge()
	must(n.t, mirror.Stop())
	sameLedgers(n.t, n.Hospitals[0], mirror)
}
