//go:build faults

package consensus

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
	"github.com/raresync/raresync/registry/survivor"
)

// epochSteps are the steps of beginning a log epoch.
var epochSteps = []fault.Step{
	fault.EpochMarked, fault.EpochSaved, fault.EpochForgotten, fault.EpochVotes, fault.EpochSnapshot, fault.EpochLog,
}

// TestANodeKilledWhileItBeginsAnEpochFinishesIt kills a process that begins a log
// epoch at each step, or at the one in RARESYNC_STEP. The node does not start until
// the same file has finished it; then the network goes on.
func TestANodeKilledWhileItBeginsAnEpochFinishesIt(t *testing.T) {
	c, _, b, d := lost(t)
	before := map[string]string{}
	for _, id := range []string{"h1", "reader"} {
		before[id] = c.dirs[id]
	}
	only := fault.Step(os.Getenv("RARESYNC_STEP"))
	for _, step := range epochSteps {
		if only != "" && step != only {
			continue
		}
		for id, dir := range before {
			c.dirs[id] = filepath.Join(t.TempDir(), id)
			must(t, os.CopyFS(c.dirs[id], os.DirFS(dir)))
		}
		c.killedBeginning("h1", b, step)
		if _, err := Open(c.config("h1")); !errors.Is(err, ErrHalfBegun) {
			t.Fatalf("%s: the node starts: %v", step, err)
		}
		for id := range before {
			if err := c.begin(id, b); err != nil {
				t.Fatalf("%s: %s: %v", step, id, err)
			}
		}
		c.open("h1", "reader")
		c.converged(d.Size + 1)
		c.closeAll()
	}
}

// killedBeginning has a process begin the epoch on a node, and die at a step.
func (c *cluster) killedBeginning(id string, b Beginning, step fault.Step) {
	c.t.Helper()
	dir := c.t.TempDir()
	r := survivor.Recovery{Envelope: b.Recovery, From: b.From}
	for _, p := range b.Tail {
		r.Tail = append(r.Tail, survivor.Held(p))
	}
	must(c.t, os.WriteFile(filepath.Join(dir, "genesis"), c.founded.Genesis.Marshal(), 0o600))
	must(c.t, os.WriteFile(filepath.Join(dir, "recovery"), r.Marshal(), 0o600))
	cmd := exec.Command(os.Args[0], "-test.run=^TestBeginsAnEpoch$")
	cmd.Env = append(os.Environ(), "RARESYNC_EPOCH_FILES="+dir, "RARESYNC_EPOCH_NODE="+c.dirs[id], "RARESYNC_CRASH_AT="+string(step))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		c.t.Fatalf("not killed at %s: %v\n%s", step, err, out)
	}
}

// TestBeginsAnEpoch begins one on the node h1 in RARESYNC_EPOCH_NODE; without, on one
// of its own.
func TestBeginsAnEpoch(t *testing.T) {
	files, dir := os.Getenv("RARESYNC_EPOCH_FILES"), os.Getenv("RARESYNC_EPOCH_NODE")
	if files == "" {
		c, _, b, _ := lost(t)
		must(t, c.begin("h1", b))
		return
	}
	raw, err := os.ReadFile(filepath.Join(files, "genesis"))
	must(t, err)
	genesis, err := envelope.Decode(raw)
	must(t, err)
	raw, err = os.ReadFile(filepath.Join(files, "recovery"))
	must(t, err)
	r, err := survivor.Parse(raw)
	must(t, err)
	b := Beginning{Recovery: r.Envelope, From: r.From}
	for _, h := range r.Tail {
		b.Tail = append(b.Tail, Pulled(h))
	}
	c := &cluster{t: t, dirs: map[string]string{"h1": dir}, founded: &foundingtest.Network{Genesis: genesis}}
	must(t, c.begin("h1", b))
}
