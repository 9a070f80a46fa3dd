package kill

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

const (
	stepVar = "RARESYNC_STEP"
	dirVar  = "RARESYNC_CRASH_DIR" // tells a child that it is one
)

// passes are the times that a step is passed at which the process is killed.
var passes = []int{1, 4, 20, 100}

// Each runs the procedure in a child process, again and again, in a new folder
// each time: one is killed when it first comes to the step, the next when it
// comes there for the fourth time, and so on as long as it does. After each, it
// has look see what is left. A step that is never reached is a failure. Without
// a step the procedure runs once, to its end.
func Each(t *testing.T, procedure, look func(dir string)) {
	t.Helper()
	if dir := os.Getenv(dirVar); dir != "" {
		procedure(dir)
		return
	}
	step := os.Getenv(stepVar)
	for _, nth := range passes {
		dir := t.TempDir()
		killed := child(t, dir, fmt.Sprintf("%s#%d", step, nth))
		look(dir)
		if !killed {
			if step != "" && nth == 1 {
				t.Fatalf("never came to step %q", step)
			}
			return
		}
		t.Logf("killed at %s#%d", step, nth)
	}
}

// child runs this very test as a child and reports whether it was killed;
// otherwise it must have ended well. What it makes for itself lies in dir too:
// nobody else would remove it.
func child(t *testing.T, dir, step string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), dirVar+"="+dir, "TMPDIR="+dir, "RARESYNC_CRASH_AT="+step)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the procedure failed before step %q: %v\n%s", step, err, out[max(0, len(out)-2000):])
	}
	return true
}
