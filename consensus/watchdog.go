package consensus

import (
	"context"
	"time"

	"github.com/hashicorp/raft"
)

const (
	stallHeartbeats = 3           // without a step, while the log grew, make a stall
	stallRepeat     = time.Minute // between two lines of the log about one follower
)

// stall is what the watchdog remembers of a follower that is behind.
type stall struct {
	stored uint64
	since  time.Time // when it was first seen behind, with this much stored
	said   time.Time // when it was last reported and kicked
}

// runWatchdog looks after the followers while this node leads. One that answers
// and stores nothing for three heartbeats, though the log grew, is reported, and
// its streams are cut: whatever its replication hangs on, Raft begins it anew.
// One whose disk refuses is reported alike; it is cured there.
func (n *Node) runWatchdog(ctx context.Context) {
	behind := map[string]stall{}
	for pause(ctx, n.cfg.Timing.Heartbeat) {
		followers, last := n.Followers()
		if followers == nil {
			clear(behind)
		}
		for _, f := range followers {
			n.watch(behind, f, last)
		}
	}
}

func (n *Node) watch(behind map[string]stall, f Follower, last uint64) {
	now := time.Now()
	silent := n.cfg.Now().Sub(f.Heard) > stallHeartbeats*n.cfg.Timing.Heartbeat
	s, before := behind[f.Node]
	switch {
	case f.Stored >= last || silent || f.installing:
		delete(behind, f.Node)
		n.transport.stalled(raft.ServerID(f.Node), false)
		return
	case !before || s.stored != f.Stored:
		behind[f.Node] = stall{stored: f.Stored, since: now, said: s.said}
		n.transport.stalled(raft.ServerID(f.Node), false)
		return
	case now.Sub(s.since) < stallHeartbeats*n.cfg.Timing.Heartbeat:
		return
	}
	n.transport.stalled(raft.ServerID(f.Node), true)
	if now.Sub(s.said) < stallRepeat {
		return
	}
	s.said = now
	behind[f.Node] = s
	n.log.Warn("a follower answers and stores nothing: its streams are cut, so that replication begins anew",
		"node", f.Node, "stored", f.Stored, "last", last, "refused", f.Refused)
	n.streams.cut(f.Node)
}

// warnings returns what an operator should look into, one sentence each.
func (n *Node) warnings() (list []Warning) {
	followers, last := n.Followers()
	for _, f := range followers {
		if f.Stalled {
			list = append(list, warn("%s answers but stores nothing: it has %d of %d records; look at its disk",
				"%s 有应答但不存储：已有 %d 条记录，共 %d 条；请检查其磁盘", f.Node, f.Stored, last))
		}
	}
	list = append(list, n.twinWarnings()...)
	list = append(list, n.copies.warnings()...)
	if w := n.roomWarning(); w != (Warning{}) {
		list = append(list, w)
	}
	return list
}
