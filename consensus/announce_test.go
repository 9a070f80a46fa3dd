package consensus

import (
	"os"
	"path/filepath"
	"testing"
	"time"
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
