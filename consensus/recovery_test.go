package consensus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
)

// spoil changes a file of a node that does not run.
func (c *cluster) spoil(id, file string, how func(b []byte) []byte) {
	c.t.Helper()
	path := filepath.Join(c.dirs[id], file)
	b, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, how(b), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// lose removes a file or folder of a node that does not run.
func (c *cluster) lose(id, name string) {
	c.t.Helper()
	if err := os.RemoveAll(filepath.Join(c.dirs[id], name)); err != nil {
		c.t.Fatal(err)
	}
}

// snapshotFile returns the path of a file in a node's newest snapshot.
func (c *cluster) snapshotFile(id, name string) string {
	c.t.Helper()
	found, err := filepath.Glob(filepath.Join(c.dirs[id], "raft", "snapshots", "*", name))
	if err != nil || len(found) == 0 {
		c.t.Fatalf("no snapshot of %s: %v", id, err)
	}
	rel, err := filepath.Rel(c.dirs[id], found[len(found)-1])
	if err != nil {
		c.t.Fatal(err)
	}
	return rel
}

func cutToNothing([]byte) []byte { return nil }

func flipAll(b []byte) []byte {
	for i := 0; i < len(b); i += 256 {
		b[i] ^= 1
	}
	return b
}

// TestVoterThatLostPartOfItsFilesLearnsThemFromTheOthers spoils files of one
// voter. It starts all the same, neither votes nor cosigns until it knows again
// what it knew, and that comes by itself.
func TestVoterThatLostPartOfItsFilesLearnsThemFromTheOthers(t *testing.T) {
	compacted := logLimits{snapshotBytes: 20_000, trailing: 2}
	for name, tc := range map[string]struct {
		limits logLimits
		spoil  func(c *cluster, id string)
		marked bool // it has something to recover; of a snapshot it depends on how far back the log reaches
	}{
		"a log without snapshots": {defaultLimits, func(c *cluster, id string) { c.spoil(id, "raft/log.db", flipAll) }, true},
		"a log cut to nothing":    {defaultLimits, func(c *cluster, id string) { c.spoil(id, "raft/log.db", cutToNothing) }, true},
		"a log behind a snapshot": {compacted, func(c *cluster, id string) { c.spoil(id, "raft/log.db", flipAll) }, true},
		"a log behind a snapshot, cut": {compacted, func(c *cluster, id string) {
			c.spoil(id, "raft/log.db", cutToNothing)
		}, true},
		"the newest snapshot": {compacted, func(c *cluster, id string) {
			c.spoil(id, c.snapshotFile(id, "state.bin"), flipAll)
			c.spoil(id, c.snapshotFile(id, "meta.json"), cutToNothing)
		}, true},
		"log and snapshots": {compacted, func(c *cluster, id string) {
			c.spoil(id, "raft/log.db", cutToNothing)
			c.spoil(id, c.snapshotFile(id, "meta.sum"), flipAll)
		}, true},
		"the last cosignature":               {defaultLimits, func(c *cluster, id string) { c.spoil(id, "cosigned", cutToNothing) }, true},
		"the last cosignature, file and all": {defaultLimits, func(c *cluster, id string) { c.lose(id, "cosigned") }, true},
		"the log, file and all":              {compacted, func(c *cluster, id string) { c.lose(id, "raft/log.db") }, true},
		"the file of term and vote":          {defaultLimits, func(c *cluster, id string) { c.lose(id, "raft/stable.db") }, false},
		"the term and vote": {defaultLimits, func(c *cluster, id string) {
			c.spoil(id, "raft/stable.db", cutToNothing)
		}, false},
		"their twin": {defaultLimits, func(c *cluster, id string) { c.spoil(id, "raft/stable.twin", flipAll) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.limits = tc.limits
			c.open(c.voters()...)
			chains := c.load(3, 2, c.leader())
			c.converged(1 + 3*3*2)
			if tc.limits != defaultLimits {
				c.until("a snapshot everywhere", c.snapshotEverywhere)
			}
			id := c.follower()
			c.close(ended(), id)
			tc.spoil(c, id)
			c.open(id)
			if _, err := os.Stat(recoveryPath(c.dirs[id])); name != "the newest snapshot" && tc.marked != (err == nil) {
				t.Errorf("marked: %v, want %v", err, tc.marked)
			}
			c.until("the end of the recovery", func() bool { return c.node(id).recovering.Load() == nil })
			if _, err := os.Stat(recoveryPath(c.dirs[id])); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the mark still stands: %v", err)
			}
			c.continueLoad(chains, 2, 2, c.leader())
			at := c.converged(1 + 3*5*2)
			if sigs, err := c.node(id).HandleCosign(c.ctx, Proposal{Checkpoint: at}); err != nil || c.node(id).checkpoints.verifyCosigner(id, at, sigs) != nil {
				t.Errorf("it cosigns again: %d signatures, %v", len(sigs), err)
			}
			c.verify(chains)
			c.close(ended(), id)
			c.open(id) // and it needs no help any more
			if c.node(id).recovering.Load() != nil {
				t.Error("marked again without damage")
			}
			c.converged(at.Size)
		})
	}
}

func (c *cluster) snapshotEverywhere() bool {
	for _, id := range c.voters() {
		if _, found := c.node(id).snapshots.Newest(); !found {
			return false
		}
	}
	return true
}

// TestVoterWithoutItsLogDoesNotVote leaves a voter that lost its log alone with
// one that has the whole log, whose election needs its vote.
func TestVoterWithoutItsLogDoesNotVote(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(2, 1, c.leader())
	c.converged(7)
	c.close(ended(), c.voters()...)
	c.spoil("h1", "raft/log.db", cutToNothing)
	c.open("h1", "h2")
	h1, h2 := c.node("h1"), c.node("h2")
	term := h2.raft.CurrentTerm()
	c.until("an election that failed", func() bool { return h2.raft.Stats()["state"] == "Candidate" })
	if err := pauseFor(c, 6*h2.cfg.Timing.Heartbeat); err != nil {
		t.Fatal(err)
	}
	if h1.Leading() || h2.Leading() || h2.raft.CurrentTerm() != term {
		t.Fatalf("a leader came from a forgotten vote%s", c.describe())
	}
	if sigs, err := h1.HandleCosign(c.ctx, Proposal{}); !errors.Is(err, errRecovering) || sigs != nil {
		t.Errorf("cosign: %d signatures, %v, want %v", len(sigs), err, errRecovering)
	}
	if s := h1.Status(); s.Ready || s.Why != errRecovering.Error() {
		t.Errorf("status: ready %v, %q", s.Ready, s.Why)
	}
	c.open("h3")
	c.converged(7)
	c.verify(chains)
}

func TestTooFewVotersToLearnFromStopTheNode(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	c.load(1, 1, c.leader())
	c.converged(4)
	c.close(ended(), c.voters()...)
	t.Run("both files of term and vote", func(t *testing.T) {
		c.spoil("h1", "raft/stable.db", cutToNothing)
		c.spoil("h1", "raft/stable.twin", cutToNothing)
		if n, err := Open(c.config("h1")); !errors.Is(err, logstore.ErrDamaged) {
			t.Errorf("open: %v, %v, want %v", n, err, logstore.ErrDamaged)
		}
	})
	t.Run("both files of term and vote, with all of Raft", func(t *testing.T) {
		c.lose("h3", "raft")
		c.lose("h3", "cosigned")
		if n, err := Open(c.config("h3")); !errors.Is(err, logstore.ErrDamaged) {
			t.Errorf("open: %v, %v, want %v", n, err, logstore.ErrDamaged)
		}
	})
	t.Run("a log that is damaged again and again", func(t *testing.T) {
		for i := range maxRecoveries + 1 {
			c.spoil("h2", "raft/log.db", flipAll)
			n, err := Open(c.config("h2"))
			if want := i == maxRecoveries; want != errors.Is(err, logstore.ErrDamaged) {
				t.Fatalf("damage %d: %v", i+1, err)
			}
			if err == nil {
				if err := n.Close(c.ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	t.Run("a mark that cannot be read", func(t *testing.T) {
		if err := os.MkdirAll(filepath.Join(c.dirs["h3"], "raft"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recoveryPath(c.dirs["h3"]), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := loadRecovery(c.dirs["h3"], 9)
		if err != nil || r == nil || !r.Log || !r.Cosigned || r.Term != 9 {
			t.Errorf("got %+v, %v, want the most that it can have said", r, err)
		}
	})
}

// TestRecoveryEndsOnAnIdleNetworkInALaterTerm gives a voter a mark of an earlier
// term than the network's, and nothing to apply: a snapshot has it all.
func TestRecoveryEndsOnAnIdleNetworkInALaterTerm(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 1 << 40, trailing: 1}
	c.open(c.voters()...)
	chains := c.load(1, 1, c.leader())
	at := c.converged(4)
	id := c.follower()
	marker, err := c.node(c.leader()).SnapshotNow(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.until("a snapshot of all", func() bool {
		index, err := c.node(id).SnapshotNow(c.ctx)
		return err == nil && index >= marker
	})
	c.close(ended(), id)
	mark := recovery{Term: 1, Log: true, Times: 1}
	if err := ledger.WriteFileDurable(recoveryPath(c.dirs[id]), mark.marshal()); err != nil {
		t.Fatal(err)
	}
	c.open(id)
	if c.node(id).recovering.Load() == nil {
		t.Fatal("it has forgotten nothing: the test needs a snapshot that ends its log")
	}
	c.until("the end of the recovery", func() bool { return c.node(id).recovering.Load() == nil })
	c.converged(at.Size)
	c.verify(chains)
}

// pauseFor waits on the cluster's behalf.
func pauseFor(c *cluster, d time.Duration) error {
	if !pause(c.ctx, d) {
		return c.ctx.Err()
	}
	return nil
}

// TestSnapshotCanBeTakenOnAnIdleNetwork starts all nodes again and lets nothing
// happen: Raft alone would have nothing to take a snapshot of.
func TestSnapshotCanBeTakenOnAnIdleNetwork(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 1 << 40, trailing: 1}
	c.open(c.voters()...)
	c.load(2, 1, c.leader())
	at := c.converged(7)
	c.close(ended(), c.voters()...)
	c.open(c.voters()...)
	leader := c.leader()
	c.converged(at.Size)
	marker, err := c.node(leader).SnapshotNow(c.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range c.without(leader) {
		c.until("the marker", func() bool { return c.node(id).raft.AppliedIndex() >= marker })
		c.until("a snapshot past it", func() bool {
			index, err := c.node(id).SnapshotNow(c.ctx)
			return err == nil && index >= marker
		})
		if first, err := c.node(id).logs.FirstIndex(); err != nil || first < marker-1 {
			t.Errorf("%s: log from %d, %v, snapshot at %d", id, first, err, marker)
		}
	}
	c.close(ended(), c.voters()...)
	c.open(c.voters()...)
	c.converged(at.Size)
}

// TestFailedFsyncQuarantines lets the disk fail as bbolt and the files report it.
func TestFailedFsyncQuarantines(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	c.converged(1)
	c.mayFail()
	id := c.follower()
	go c.node(id).holdRaft(fmt.Errorf("store raft log: %w: %w", logstore.ErrStorage, ledger.ErrFsync))
	if err := <-c.fatal[id]; !errors.Is(err, ErrQuarantined) || !errors.Is(err, ledger.ErrFsync) {
		t.Errorf("stopped with %v", err)
	}
	c.close(ended(), id)
	c.staysShut(id)
}

// TestNodeWhoseRaftIsHeldWithinASnapshotCloses: the process could not end, nor be
// started again, if it waited for that snapshot.
func TestNodeWhoseRaftIsHeldWithinASnapshotCloses(t *testing.T) {
	for name, hold := range map[string]func(c *cluster, n *Node, id string) (closed <-chan struct{}){
		"before it closes": func(c *cluster, n *Node, id string) <-chan struct{} {
			go n.holdRaft(errCut)
			if err := <-c.fatal[id]; !errors.Is(err, errCut) {
				t.Errorf("stopped with %v", err)
			}
			return c.closing(id)
		},
		"while it closes": func(c *cluster, n *Node, id string) <-chan struct{} {
			closed := c.closing(id)
			<-n.ctx.Done()
			c.until("Raft to be ending", func() bool { return n.raft.State() == raft.Shutdown })
			go n.holdRaft(errCut)
			return closed
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.limits = logLimits{snapshotBytes: 1, trailing: 4}
			c.open(c.voters()...)
			leader := c.leader()
			c.mayFail()
			n := c.node(leader)
			n.saving.Lock() // what a snapshot does first
			defer n.saving.Unlock()
			c.load(1, 1, c.without(leader)...)
			c.until("a snapshot under way", func() bool {
				begun, err := filepath.Glob(filepath.Join(c.dirs[leader], "raft", "snapshots", "*.tmp"))
				return err == nil && len(begun) > 0
			})
			select {
			case <-hold(c, n, leader):
			case <-c.ctx.Done():
				t.Fatal("still waiting for a snapshot that never ends")
			}
		})
	}
}

// closing closes a node and says when it is closed.
func (c *cluster) closing(id string) <-chan struct{} {
	closed := make(chan struct{})
	go func() { c.close(ended(), id); close(closed) }()
	return closed
}

// TestDamageFoundWhileRunningAsksForARestart lets Raft read a record that went
// bad under it.
func TestDamageFoundWhileRunningAsksForARestart(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(2, 1, c.leader())
	c.converged(7)
	c.mayFail()
	id := c.follower()
	go c.node(id).holdRaft(fmt.Errorf("read raft log: %w: record 3", logstore.ErrDamaged))
	if err := <-c.fatal[id]; !errors.Is(err, ErrRestart) {
		t.Errorf("stopped with %v, want %v", err, ErrRestart)
	}
	c.close(ended(), id)
	c.spoil(id, "raft/log.db", flipAll)
	c.open(id)
	c.until("the end of the recovery", func() bool { return c.node(id).recovering.Load() == nil })
	c.converged(7)
	c.verify(chains)
}

// TestALeaderThatIsHeldLosesItsLeadership: its process may take a while to end,
// and until then it must not keep the others waiting with its heartbeats.
func TestALeaderThatIsHeldLosesItsLeadership(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(1, 1, c.leader())
	c.converged(4)
	c.mayFail()
	leader := c.leader()
	go c.node(leader).holdRaft(errCut)
	if err := <-c.fatal[leader]; !errors.Is(err, errCut) {
		t.Errorf("stopped with %v", err)
	}
	c.continueLoad(chains, 2, 1, c.without(leader)...)
	c.close(ended(), leader)
	c.elsewhere(leader)
	c.open(leader)
	c.converged(10)
	c.verify(chains)
}
