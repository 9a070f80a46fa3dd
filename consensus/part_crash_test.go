//go:build faults

package consensus

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/registry/act"
)

// partSteps are the steps of a change of part, with the times that they are passed at
// which a network is killed: voters note their part when they are founded.
var partSteps = map[fault.Step][]int{fault.PartSaved: {1, 2}, fault.PartNoted: {1, 4, 5}, fault.PartForgotten: {1, 2}}

// TestANetworkKilledWhileItsVotersChangeGoesOn kills a process with a whole network in it
// while a mirror is promoted in place of a voter and demoted again: at each step, or at
// the one in RARESYNC_STEP. Whatever was under way is finished from the directories.
func TestANetworkKilledWhileItsVotersChangeGoesOn(t *testing.T) {
	only := fault.Step(os.Getenv("RARESYNC_STEP"))
	for step, times := range partSteps {
		if only != "" && step != only {
			continue
		}
		for _, nth := range times {
			t.Run(fmt.Sprintf("%s#%d", step, nth), func(t *testing.T) {
				dir := t.TempDir()
				cmd := exec.Command(os.Args[0], "-test.run=^TestChangesOfPart$")
				cmd.Env = append(os.Environ(), "RARESYNC_CRASH_DIR="+dir, fmt.Sprintf("RARESYNC_CRASH_AT=%s#%d", step, nth))
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("not killed: %v\n%s", err, out[max(0, len(out)-2000):])
				}
				finishParts(t, dir)
				lookAtWhatIsLeft(t, dir)
			})
		}
	}
}

// TestChangesOfPart has a mirror take a voter's place, and be demoted.
func TestChangesOfPart(t *testing.T) {
	dir := os.Getenv("RARESYNC_CRASH_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	founded := found(t, 3)
	saveNetwork(t, dir, founded)
	c := clusterOf(t, founded, func(id string) string { return filepath.Join(dir, id) })
	c.acked = record(t, filepath.Join(dir, "acked"))
	for _, id := range c.ids {
		must(t, os.Mkdir(c.dirs[id], 0o700))
	}
	c.open(c.ids...)
	chains := c.load(2, 2, c.ids...)
	c.converged(1 + 3*2*2)
	out := c.follower()
	c.decide(c.leader(), act.TypePromotion, act.Promotion{Node: "reader", InPlaceOf: out}.Marshal())
	c.becomesVoter("reader")
	c.reopened(out)
	c.resume(chains)
	c.continueLoad(chains, 1, 2, c.ids...)
	c.decide(c.leader(), act.TypeDemotion, act.Demotion{Node: "reader"}.Marshal())
	c.reopened("reader")
	c.wantServers(c.without(out)...)
	c.resume(chains)
	c.continueLoad(chains, 1, 2, c.ids...)
	c.converged(1 + 3*4*2 + 3)
	c.verify(chains)
}

// finishParts opens the nodes of a network that was killed, does what their daemons do,
// and waits until each takes the part that the log gives it, and Raft counts on no other.
func finishParts(t *testing.T, dir string) {
	t.Helper()
	c := clusterOf(t, loadNetwork(t, dir), func(id string) string { return filepath.Join(dir, id) })
	for _, id := range c.ids {
		must(t, os.MkdirAll(c.dirs[id], 0o700))
	}
	c.open(c.ids...)
	c.until("every node to take its part", func() bool {
		settled := true
		for _, id := range c.ids {
			c.mu.Lock()
			parted := c.parted[id]
			c.mu.Unlock()
			select {
			case <-parted:
				c.close(c.ctx, id)
				c.open(id)
			default:
			}
			n := c.node(id)
			kind := n.partIn(n.View())
			if kind == act.NonVoter && n.ReadyToVote() == nil {
				c.post(c.member(id), c.leader(), act.Act{Version: act.Version, Type: act.TypeReadiness, Payload: act.Readiness{Node: id}.Marshal()})
			}
			settled = settled && kind != act.NonVoter && (kind == act.Voter) == n.Replicates() && n.Status().Ready
		}
		return settled && c.countsOnTheRoster()
	})
	for _, id := range c.ids {
		_, err := os.Lstat(filepath.Join(c.dirs[id], "raft", logFile))
		if votes := c.node(id).Replicates(); votes != (err == nil) {
			t.Errorf("%s votes: %v; its log: %v", id, votes, err)
		}
	}
	c.closeAll()
}

// countsOnTheRoster reports whether Raft's configuration has the voters of the roster,
// and nobody else.
func (c *cluster) countsOnTheRoster() bool {
	n := c.node(c.leader())
	servers, err := n.RaftServers()
	voters := n.View().Voters()
	if err != nil || len(servers) != len(voters) {
		return false
	}
	for i, v := range voters {
		if servers[i].Node != v.ID || !servers[i].Votes {
			return false
		}
	}
	return true
}
