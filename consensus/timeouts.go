package consensus

import (
	"context"
	"time"
)

// contactPoll is how soon a voter notices that it hears a leader again.
const contactPoll = 20 * time.Millisecond

// runTimeouts gives a voter its full timeouts while it hears a leader. From its
// start on, and when its leader's streams end, it stands for election after
// the least that Raft allows: if the leader is gone there is nothing to wait
// for, and if it is not, the others hear it and refuse even the pre-vote.
func (n *Node) runTimeouts(ctx context.Context) {
	for since := time.Now(); n.awaitContact(ctx, since); since = time.Now() {
		n.setTimeouts(n.cfg.Timing.Heartbeat)
		if !n.awaitLoss(ctx) {
			return
		}
		n.setTimeouts(n.cfg.Timing.Lease)
	}
}

// awaitContact waits until this node leads or a leader has been heard of since
// the given time.
func (n *Node) awaitContact(ctx context.Context, since time.Time) bool {
	for !n.Leading() && !n.raft.LastContact().After(since) {
		if !pause(ctx, contactPoll) {
			return false
		}
	}
	return true
}

// awaitLoss waits until a stream with the leader ends.
func (n *Node) awaitLoss(ctx context.Context) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case peer := <-n.streams.ended:
			if _, leader := n.raft.LeaderWithID(); string(leader) == peer {
				return true
			}
		}
	}
}

func (n *Node) setTimeouts(d time.Duration) {
	c := n.raft.ReloadableConfig()
	c.HeartbeatTimeout, c.ElectionTimeout = d, d
	if err := n.raft.ReloadConfig(c); err != nil {
		n.log.Error("raft keeps its timeouts", "wanted", d.String(), "reason", err.Error())
	}
}
