package consensus

import (
	"context"
	"time"

	"github.com/raresync/raresync/registry/act"
)

const (
	announceTimeout = 3 * time.Second
	announcePeriod  = 10 * time.Second // a voter that was restarted has forgotten
)

// runAnnouncers keeps one announcer for each other voter, and for each that is to
// become one.
func (n *Node) runAnnouncers(ctx context.Context) {
	running := map[string]context.CancelFunc{}
	for seen := uint64(0); ; {
		changed := n.machine.Changed()
		if view := n.machine.View(); view.Changes() != seen {
			seen = view.Changes()
			n.announceTo(ctx, running, replicating(view))
		}
		select {
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return
		case <-changed:
		}
	}
}

func (n *Node) announceTo(ctx context.Context, running map[string]context.CancelFunc, nodes map[string]act.NodeKind) {
	for id, stop := range running {
		if _, still := nodes[id]; !still {
			stop()
			delete(running, id)
		}
	}
	for id := range nodes {
		if id != n.cfg.Self && running[id] == nil {
			peer, stop := context.WithCancel(ctx)
			running[id] = stop
			n.workers.Go(func() { n.runAnnouncer(peer, id) })
		}
	}
}

// runAnnouncer tells one voter the newest checkpoint while this node leads. A
// slow voter misses those in between, and holds up nobody.
func (n *Node) runAnnouncer(ctx context.Context, peer string) {
	again := time.NewTicker(announcePeriod)
	defer again.Stop()
	told := uint64(0)
	for {
		cp, changed := n.checkpoints.current()
		if cp.Size > told && n.Leading() {
			if n.announce(ctx, peer, cp.Marshal()) {
				told = cp.Size
			} else if !pause(ctx, pullPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again.C:
			told = 0
		}
	}
}

// runAsker asks another voter for the newest checkpoint once this node has
// started: its own may be an old one, and the leader, which has told it, says it
// again only after announcePeriod.
func (n *Node) runAsker(ctx context.Context) {
	for {
		for _, v := range n.machine.View().Voters() {
			if v.ID == n.cfg.Self {
				continue
			}
			sc, err := n.peerCheckpoint(ctx, v.ID, 0)
			if err == nil {
				err = n.offer(sc)
			}
			if err == nil {
				return
			}
		}
		if !pause(ctx, pullPause) {
			return
		}
	}
}

func (n *Node) announce(ctx context.Context, peer string, note []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	err := n.cfg.Peers.Announce(ctx, peer, note)
	if err != nil {
		n.log.Debug("checkpoint not announced", "peer", peer, "reason", err.Error())
	}
	return err == nil
}

// HandleAnnounce takes a checkpoint from a peer. It is used once this node has
// applied its size and found the same root.
func (n *Node) HandleAnnounce(note []byte) error {
	if err := n.ended(); err != nil {
		return err
	}
	sc, err := parseNote(note)
	if err != nil {
		return err
	}
	return n.offer(sc)
}
