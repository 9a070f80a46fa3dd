package consensus

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
)

// TestAVoterThatStartsAsksForTheNewestCheckpoint on a network where nothing
// happens, in false time.
func TestAVoterThatStartsAsksForTheNewestCheckpoint(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		c.open(c.voters()...)
		chains := c.load(1, 1, c.leader())
		at := c.converged(4)
		id := c.follower()
		c.close(ended(), id)
		if err := os.Remove(filepath.Join(c.dirs[id], "checkpoint")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		c.open(id)
		c.until("the checkpoint", func() bool { return c.node(id).Checkpoint().Size == at.Size })
		if took := time.Since(began); took >= announcePeriod/2 {
			t.Errorf("it took %v: the leader told it", took)
		}
		c.verify(chains)
	})
}

// TestAVoterIsReadyOnceItHasACheckpointAgain: whoever asks it for the day of quotas
// is not told that there is none yet.
func TestAVoterIsReadyOnceItHasACheckpointAgain(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		c.open(c.voters()...)
		c.load(1, 1, c.leader())
		at := c.converged(4)
		n := c.node(c.follower())
		c.until("ready", func() bool { return n.Status().Ready })
		checkpoints := n.checkpoints
		checkpoints.mu.Lock()
		newest := checkpoints.newest
		checkpoints.newest, checkpoints.pending = tlog.SignedCheckpoint{}, newest // as after a start, until it is applied
		checkpoints.mu.Unlock()
		if s := n.Status(); s.Ready || s.Why != "the checkpoint of the last run is being compared" {
			t.Errorf("ready %v, %q", s.Ready, s.Why)
		}
		checkpoints.wake()
		c.until("ready again", func() bool { return n.Status().Ready })
		if got := n.Checkpoint(); got.Size != at.Size {
			t.Errorf("ready with a checkpoint of %d, want %d", got.Size, at.Size)
		}
	})
}
