package consensus

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

func TestVoterCosignsOnlyItsOwnGrowingTree(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	h := c.chain(1)
	if err := h.run(3, 2, leader); err != nil {
		t.Fatal(err)
	}
	c.converged(7)
	id := c.follower()
	check := func(when string) {
		n := c.node(id)
		if _, err := n.Wait(c.ctx, func(s *state.State) bool { return s.Tree.Size() >= 7 }); err != nil {
			t.Fatal(err)
		}
		own := tlog.Checkpoint{Origin: Origin(n.View()), Size: 7, Root: n.View().Tree.Root()}
		other, wrong, smaller, within := own, own, own, own
		other.Origin = own.Origin + "0"
		wrong.Root[3] ^= 1
		smaller.Size = 5
		var err error
		if smaller.Root, err = n.machine.RootAt(5); err != nil {
			t.Fatal(err)
		}
		within.Size = 6
		if within.Root, err = n.machine.RootAt(6); err != nil {
			t.Fatal(err)
		}
		if sigs, err := n.HandleCosign(c.ctx, Proposal{Checkpoint: own}); err != nil || n.checkpoints.verifyCosigner(id, own, sigs) != nil {
			t.Errorf("%s: own tree: %d signatures, %v", when, len(sigs), err)
		}
		for name, tc := range map[string]struct {
			cp   tlog.Checkpoint
			want error
		}{
			"another root":              {wrong, ErrRootDiffers},
			"a smaller tree":            {smaller, ErrCosigned},
			"another log":               {other, nil},
			"a size within an envelope": {within, nil},
		} {
			sigs, err := n.HandleCosign(c.ctx, Proposal{Checkpoint: tc.cp})
			if sigs != nil || err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("%s: %s: %d signatures, %v, want %v", when, name, len(sigs), err, tc.want)
			}
		}
	}
	check("before a restart")
	c.close(ended(), id)
	c.open(id)
	check("after a restart")
}

func TestVoterWhoseClockIsFarBehindLogTimeDoesNotCosign(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	c.leader()
	c.converged(1)
	id := c.follower()
	cp := tlog.Checkpoint{Origin: Origin(c.genesis), Size: 1, Root: c.genesis.Tree.Root()}
	c.setAhead(id, -4*time.Minute)
	if _, err := c.node(id).HandleCosign(c.ctx, Proposal{Checkpoint: cp}); err != nil {
		t.Errorf("4 minutes behind: %v", err)
	}
	c.setAhead(id, -6*time.Minute)
	if sigs, err := c.node(id).HandleCosign(c.ctx, Proposal{Checkpoint: cp}); !errors.Is(err, ErrClock) || sigs != nil {
		t.Errorf("6 minutes behind: %d signatures, %v", len(sigs), err)
	}
}

func TestTheCheckpointOfAnIdleLogIsCosignedAgain(t *testing.T) {
	found(t, 3) // its keys are made outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		const renewAfter, looks = 3 * time.Minute, 30 * time.Second
		c := newCluster(t, 3)
		c.limits.renewAfter = renewAfter
		c.open(c.voters()...)
		c.open("reader")
		c.load(1, 1, c.leader())
		c.converged(4)
		before := c.node("reader").Checkpoint()
		time.Sleep(renewAfter + 3*looks) // false time, in synctest: nobody submits for so long
		for _, id := range append(c.voters(), "reader") {
			cp := c.node(id).Checkpoint()
			policy, err := c.node(id).Policy(cp.Size)
			if err != nil {
				t.Fatal(err)
			}
			cosignatures, err := policy.Verify(cp)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if cp.Checkpoint != before.Checkpoint {
				t.Errorf("%s: size %d, want the %d there were", id, cp.Size, before.Size)
			}
			if age := time.Since(time.Unix(int64(tlog.MedianTime(cosignatures)), 0)); age > renewAfter+2*looks {
				t.Errorf("%s: the newest checkpoint was cosigned %s ago", id, age)
			}
		}
	})
}

func (c *cluster) setAhead(id string, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead[id] = d
}

func TestMirrorDoesNotCosign(t *testing.T) {
	c := newCluster(t, 3)
	c.open("reader")
	cp := tlog.Checkpoint{Origin: Origin(c.genesis), Size: 1, Root: c.genesis.Tree.Root()}
	if sigs, err := c.node("reader").HandleCosign(c.ctx, Proposal{Checkpoint: cp}); err == nil {
		t.Errorf("%d signatures", len(sigs))
	}
}

func TestCosignatureBeyondTheLogQuarantines(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(2, 1, c.leader())
	c.converged(7)
	id := c.follower()
	old := t.TempDir()
	c.close(ended(), id)
	if err := os.CopyFS(old, os.DirFS(c.dirs[id])); err != nil {
		t.Fatal(err)
	}
	c.open(id)
	for c.node(id).signer.lastSize() < 13 { // a round that has its majority does not wait for the third
		c.continueLoad(chains, 2, 1, c.leader())
	}
	c.close(ended(), id)
	cosigned, err := os.ReadFile(filepath.Join(c.dirs[id], "cosigned"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(old, "cosigned"), cosigned, 0o600); err != nil {
		t.Fatal(err)
	}
	c.dirs[id] = old // all but the cosignature went back in time
	c.staysShut(id)
}

// staysShut checks that a node does not open, because of a quarantine.
func (c *cluster) staysShut(id string) {
	c.t.Helper()
	for range 2 {
		if n, err := Open(c.config(id)); !errors.Is(err, ErrQuarantined) {
			if err == nil {
				err = n.Close(c.ctx)
			}
			c.t.Fatalf("open %s: %v, want %v", id, err, ErrQuarantined)
		}
		if reason, err := os.ReadFile(filepath.Join(c.dirs[id], quarantineFile)); err != nil || len(reason) < 10 {
			c.t.Errorf("quarantine of %s: %q, %v", id, reason, err)
		}
	}
}
