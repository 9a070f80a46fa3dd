package consensus

import (
	"context"
	"fmt"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/tlog"
)

const (
	pollTimeout = 10 * time.Second // before another peer is asked for news
	savePeriod  = 5 * time.Second  // between two saves of a mirror
)

// runMirror keeps a mirror's copy up to date.
func (n *Node) runMirror(ctx context.Context) {
	saved := time.Now()
	for ctx.Err() == nil {
		if !n.pullFromAnyone(ctx) && !pause(ctx, pullPause) {
			return
		}
		if time.Since(saved) > savePeriod {
			if err := n.save(*n.confirmed.Load()); err != nil {
				_ = n.fail(fmt.Errorf("save mirror: %w", err)) // the caller of Open has it
				return
			}
			saved = time.Now()
		}
	}
}

// pullFromAnyone asks each peer for news until one has some.
func (n *Node) pullFromAnyone(ctx context.Context) bool {
	for _, peer := range n.peersInTurn() {
		before := n.checkpoints.size()
		err := n.pullFrom(ctx, peer)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			n.log.Info("not pulled from this peer", "peer", peer, "reason", err.Error())
		case n.checkpoints.size() > before:
			n.lastHelper.Store(&peer)
			return true
		default:
			n.lastHelper.CompareAndSwap(nil, &peer) // it answered
		}
	}
	return false
}

// pullFrom waits for a newer checkpoint, applies the envelopes up to it, and
// compares roots. What a peer sent is kept only if the checkpoint confirms it.
func (n *Node) pullFrom(ctx context.Context, peer string) error {
	newerThan := n.checkpoints.size()
	if n.lastHelper.Load() == nil { // is anyone there at all?
		newerThan = 0
	}
	sc, err := n.peerCheckpoint(ctx, peer, newerThan)
	if err != nil {
		return err
	}
	if sc.Size <= n.confirmed.Load().At.TreeSize {
		return n.offer(sc)
	}
	err = n.pullTo(ctx, peer, sc.Checkpoint)
	if err == nil {
		err = n.confirm(sc)
	}
	switch {
	case err == nil:
		return nil
	case isOwnFailure(err):
		return n.fail(err)
	}
	if back := n.machine.Restore(*n.confirmed.Load()); back != nil {
		return n.fail(back)
	}
	return err
}

// peerCheckpoint returns a peer's newest checkpoint, verified, and waits for a
// while until it is larger than size.
func (n *Node) peerCheckpoint(ctx context.Context, peer string, size uint64) (tlog.SignedCheckpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	note, err := n.cfg.Peers.Checkpoint(ctx, peer, size)
	if err != nil {
		return tlog.SignedCheckpoint{}, fmt.Errorf("checkpoint of %s: %v", peer, err) // its failure is not ours: no %w
	}
	sc, err := parseNote(note)
	if err != nil {
		return tlog.SignedCheckpoint{}, err
	}
	_, err = n.checkpoints.policy.Verify(sc)
	return sc, err
}

// confirm makes the copy, which has the checkpoint's size and root, the one
// that this mirror answers from.
func (n *Node) confirm(sc tlog.SignedCheckpoint) error {
	s, err := n.machine.Snapshot()
	if err != nil {
		return err
	}
	n.confirmed.Store(&s)
	n.checkpoints.accept(sc)
	return nil
}

// pullTo applies a peer's envelopes until the copy is that of the checkpoint.
func (n *Node) pullTo(ctx context.Context, peer string, c tlog.Checkpoint) error {
	for {
		at := n.machine.Ledger().Lengths()
		if at.TreeSize >= c.Size {
			break
		}
		pulled, err := n.envelopes(ctx, peer, at.Envelopes)
		if err != nil {
			return err
		}
		if err := n.applyPulled(pulled, c.Size); err != nil {
			return fmt.Errorf("pulled from %s: %w", peer, err)
		}
	}
	root, err := n.machine.RootAt(c.Size)
	if err != nil {
		return err
	}
	if fault.Planted(fault.TrustPeer) {
		return nil
	}
	if root != c.Root || n.machine.Ledger().Lengths().TreeSize != c.Size {
		return fmt.Errorf("envelopes of %s do not lead to the checkpoint at %d: %w", peer, c.Size, ErrRootDiffers)
	}
	return nil
}

// applyPulled applies envelopes until the tree has the given size.
func (n *Node) applyPulled(pulled []Pulled, size uint64) error {
	for _, p := range pulled {
		if n.machine.Ledger().Lengths().TreeSize >= size {
			return nil
		}
		out, err := n.machine.Apply(p.Envelope, p.LogTime)
		switch {
		case err != nil:
			return err
		case out.Refusal != nil:
			return out.Refusal
		case out.Duplicate || out.LogTime != p.LogTime:
			return fmt.Errorf("envelope %d is not what the log holds: %w", out.Number, machine.ErrDiverged)
		}
	}
	return nil
}
