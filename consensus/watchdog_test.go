package consensus

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const window = 150 * time.Millisecond

// underLoad keeps every hospital submitting through the leader until stop.
func (c *cluster) underLoad(leader string) (stop func()) {
	done := make(chan struct{})
	ended := make(chan error, len(c.founded.Hospitals))
	for i := range c.founded.Hospitals {
		h := c.chain(i)
		go func() {
			for {
				select {
				case <-done:
					ended <- nil
					return
				default:
				}
				if err := h.run(1, 1, leader); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	return func() {
		close(done)
		for range c.founded.Hospitals {
			if err := <-ended; err != nil {
				c.t.Error(err)
			}
		}
	}
}

// windows lets a follower refuse to store for a while, again and again, and
// returns in how many of them it caught up within the time given.
func (c *cluster) windows(n int, leader, follower string, within time.Duration) (caughtUp int) {
	c.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range n {
		c.setRefusing(follower, true)
		time.AfterFunc(window, func() { c.setRefusing(follower, false) })
		refused := c.lastIndex(follower)
		c.until("a leader that went on without it", func() bool { return c.lastIndex(leader) > refused+2 })
		end := time.Now().Add(window)
		goal := uint64(0)
		for until := end.Add(within); time.Now().Before(until); <-tick.C {
			if time.Now().Before(end) {
				continue
			}
			if goal == 0 {
				goal = c.lastIndex(leader)
			}
			if c.lastIndex(follower) >= goal {
				caughtUp++
				break
			}
		}
	}
	return caughtUp
}

// TestFollowerThatRefusedForAMomentCatchesUp is the regression test of
// hashicorp/raft#612: with more than one AppendEntries under way, a follower
// whose store refused once can be left behind for ever.
func TestFollowerThatRefusedForAMomentCatchesUp(t *testing.T) {
	c := newCluster(t, 3)
	c.limits.unwatched = true // by itself, without help
	c.open(c.voters()...)
	leader := c.leader()
	follower := c.without(leader)[0]
	stop := c.underLoad(leader)
	if got := c.windows(40, leader, follower, 5*time.Second); got != 40 {
		t.Errorf("the follower caught up after %d of 40 windows", got)
	}
	stop()
}

func TestFollowerThatRefusesIsReportedUntilItStores(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	follower := c.without(leader)[0]
	layer := c.node(leader).streams
	old := layer.with(follower)
	if len(old) == 0 {
		t.Fatal("the leader has no stream to its follower")
	}
	c.setRefusing(follower, true)
	chains := c.load(2, 1, leader)
	c.until("a warning", func() bool {
		w := c.node(leader).Status().Warnings
		return len(w) == 1 && strings.HasPrefix(w[0].EN, follower+" answers but stores nothing")
	})
	c.until("new streams in place of the old", func() bool {
		now := layer.with(follower)
		return len(now) > 0 && !slices.ContainsFunc(now, func(s *stream) bool { return slices.Contains(old, s) })
	})
	if w := c.node(follower).Status().Warnings; slices.ContainsFunc(w, func(w Warning) bool { return strings.Contains(w.EN, "answers but") }) {
		t.Errorf("a follower warns of followers: %q", w)
	}
	c.setRefusing(follower, false)
	c.until("no warning", func() bool { return len(c.node(leader).Status().Warnings) == 0 })
	c.converged(1 + 3*2)
	c.verify(chains)
}
