package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/raresync/raresync/consensus/machine"
)

// gap is what is missing in a voter's ledger between what it had applied when
// a snapshot came (edge) and the snapshot (target).
type gap struct {
	// mu is held while the machine goes from one to the other: taken back to
	// the edge, it seems to have no gap for a moment.
	mu           sync.Mutex
	edge, target machine.Snapshot
	wake         chan struct{}
}

// gapNow returns the envelope numbers that the copy lacks: from (included) to
// (excluded).
func (n *Node) gapNow() (from, to uint64, open bool) {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if from, to, open := n.machine.Gap(); open {
		return from, to, true
	}
	return n.saltless.missing()
}

func (n *Node) hasGap() bool {
	_, _, open := n.gapNow()
	return open
}

// adopt makes the node equal to a snapshot, or opens a gap that leads to it.
func (n *Node) adopt(s machine.Snapshot) error {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if _, _, open := n.machine.Gap(); !open {
		edge, err := n.machine.Snapshot()
		if err != nil {
			return err
		}
		n.gap.edge = edge
	}
	n.gap.target = s
	if n.has(bugReplayIntoGap) && s.At.Envelopes > n.machine.Ledger().Lengths().Envelopes {
		return nil
	}
	if s.At.Envelopes <= n.machine.Ledger().Lengths().Envelopes {
		if err := n.save(s); err != nil { // first: the ledger may not be shorter than the saved state
			return err
		}
	}
	if err := n.machine.Restore(s); err != nil {
		return err
	}
	select {
	case n.gap.wake <- struct{}{}:
	default: // already awake
	}
	return nil
}

// awaitFilled returns once the copy has no gap, or an error if the node ends
// first.
func (n *Node) awaitFilled() error {
	for {
		changed := n.machine.Changed()
		if !n.hasGap() {
			return nil
		}
		select {
		case <-n.ctx.Done():
			return errShutdown
		case <-changed:
		}
	}
}

// runFiller fills gaps in a voter's ledger from its peers.
func (n *Node) runFiller(ctx context.Context) {
	for {
		if n.hasGap() {
			if !n.fillFromAnyone(ctx) && !pause(ctx, pullPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-n.gap.wake:
		}
	}
}

func (n *Node) fillFromAnyone(ctx context.Context) bool {
	for _, peer := range n.peersInTurn() {
		err := n.fillFrom(ctx, peer)
		if err == nil {
			n.lastHelper.Store(&peer)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		n.log.Info("gap not filled from this peer", "peer", peer, "reason", err.Error())
	}
	return false
}

// fillFrom fills the gap from one peer. Only the end shows whether what it
// sent is true, so all of it goes if it is not: mixed with another's answers,
// a lie could not be laid at anyone's door.
func (n *Node) fillFrom(ctx context.Context, peer string) error {
	err := n.fill(ctx, peer)
	switch {
	case err == nil:
		return nil
	case isOwnFailure(err):
		return n.fail(err)
	case ctx.Err() != nil:
		return err
	}
	if back := n.backToEdge(); back != nil {
		return n.fail(back)
	}
	return err
}

func (n *Node) fill(ctx context.Context, peer string) error {
	for {
		from, _, open := n.gapNow()
		if !open {
			return nil
		}
		pulled, err := n.envelopes(ctx, peer, from)
		if err != nil {
			return err
		}
		for _, p := range pulled {
			if !n.hasGap() {
				return nil
			}
			if err := n.fillOne(p); err != nil {
				return err
			}
		}
	}
}

// fillOne applies an envelope, and if it closes the gap makes the filled copy
// durable before anyone sees that there is no gap: what fills a gap is not in
// Raft's log, and a voter must not cosign what is nowhere on its disk.
func (n *Node) fillOne(p Pulled) error {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if _, err := n.machine.Fill(p.Envelope, p.LogTime); err != nil {
		return err
	}
	s, err := n.machine.Snapshot()
	if errors.Is(err, machine.ErrGap) {
		return nil
	}
	if err == nil {
		err = n.save(s)
	}
	if err != nil {
		return n.fail(fmt.Errorf("save filled copy: %w", err))
	}
	n.log.Info("gap closed", "envelopes", s.At.Envelopes)
	return nil
}

// backToEdge drops what a peer sent for the gap, which stays open.
func (n *Node) backToEdge() error {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if from, _, open := n.machine.Gap(); !open || from == n.gap.edge.At.Envelopes {
		return nil
	}
	if err := n.machine.Restore(n.gap.edge); err != nil {
		return err
	}
	return n.machine.Restore(n.gap.target)
}
