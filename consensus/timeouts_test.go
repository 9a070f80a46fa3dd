package consensus

import (
	"testing"
	"time"
)

func TestAVoterStandsForElectionSoonerWhileItHearsNoLeader(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader, follower := c.leader(), c.follower()
	n := c.node(follower)
	if first := n.raftConfig(); first.HeartbeatTimeout != n.cfg.Timing.Lease || first.ElectionTimeout != n.cfg.Timing.Lease {
		t.Errorf("it starts with timeouts of %s and %s", first.HeartbeatTimeout, first.ElectionTimeout)
	}
	has := func(d time.Duration) func() bool {
		return func() bool {
			now := n.raft.ReloadableConfig()
			return now.HeartbeatTimeout == d && now.ElectionTimeout == d
		}
	}
	c.until("full timeouts under a leader", has(n.cfg.Timing.Heartbeat))
	c.net.setCut(true, leader, follower)
	c.until("short ones without it", has(n.cfg.Timing.Lease))
	c.net.setCut(false, leader, follower)
	c.until("full ones with it", has(n.cfg.Timing.Heartbeat))
}
