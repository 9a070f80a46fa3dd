package consensus

import (
	"context"
	"fmt"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	maxPullBytes     = 4 << 20 // of envelopes in one answer
	maxPullEnvelopes = 256
	pullPause        = 500 * time.Millisecond // after a peer that could not help
	savePeriod       = 5 * time.Second        // between two saves of a mirror
)

// HandleEnvelopes answers a peer's [Peers.Envelopes] from this node's ledger.
func (n *Node) HandleEnvelopes(from uint64) ([]Pulled, error) {
	first, _, gap := n.machine.Gap()
	end := n.machine.View().Envelopes
	if gap && end > first {
		end = first
	}
	var out []Pulled
	for bytes := 0; from < end && bytes < maxPullBytes && len(out) < maxPullEnvelopes; from++ {
		p, err := ReadEnvelope(n.machine.Ledger(), from)
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", from, err)
		}
		out = append(out, p)
		bytes += len(p.Envelope)
	}
	return out, nil
}

// ReadEnvelope puts an accepted envelope together from a ledger's files.
func ReadEnvelope(l *ledger.Ledger, number uint64) (Pulled, error) {
	rec, parts, err := l.WholeEnvelope(number)
	if err != nil {
		return Pulled{}, err
	}
	bodies := make([]seal.Body, len(parts))
	for i := range parts {
		bodies[i] = seal.Body(parts[i])
	}
	e, err := envelope.Assemble(rec.Header, sign.Signature{Ed25519: rec.Ed25519, MLDSA: rec.MLDSA}, bodies)
	if err != nil {
		return Pulled{}, err
	}
	return Pulled{LogTime: rec.LogTimeMS, Envelope: e.Marshal()}, nil
}

// peersInTurn returns the voters other than this node, beginning with the one
// that helped last.
func (n *Node) peersInTurn() []string {
	var ids []string
	for _, v := range n.machine.View().Nodes {
		if v.Kind == act.Voter && v.ID != n.cfg.Self {
			ids = append(ids, v.ID)
		}
	}
	last := n.lastHelper.Load()
	for i, id := range ids {
		if last != nil && id == *last {
			return append(ids[i:len(ids):len(ids)], ids[:i]...)
		}
	}
	return ids
}

// pause waits, or reports false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// runFiller fills gaps in a voter's ledger from its peers.
func (n *Node) runFiller(ctx context.Context) {
	for {
		if _, _, open := n.machine.Gap(); !open {
			select {
			case <-ctx.Done():
				return
			case <-n.fill:
			}
			continue
		}
		if !n.fillFromAnyone(ctx) && !pause(ctx, pullPause) {
			return
		}
	}
}

// fillFromAnyone takes one answer from the first peer that has one.
func (n *Node) fillFromAnyone(ctx context.Context) bool {
	for _, peer := range n.peersInTurn() {
		from, to, open := n.machine.Gap()
		if !open {
			return true
		}
		pulled, err := n.cfg.Peers.Envelopes(ctx, peer, from)
		if err == nil && len(pulled) > 0 {
			err = n.fillWith(pulled)
		}
		if err != nil || len(pulled) == 0 {
			n.log.Info("gap not filled from this peer", "peer", peer, "from", from, "to", to, "reason", fmt.Sprint(err))
			continue
		}
		n.lastHelper.Store(&peer)
		return true
	}
	return false
}

func (n *Node) fillWith(pulled []Pulled) error {
	for _, p := range pulled {
		if _, _, open := n.machine.Gap(); !open {
			n.log.Info("gap closed", "envelopes", n.machine.View().Envelopes)
			return nil
		}
		if _, err := n.machine.Fill(p.Envelope, p.LogTime); err != nil {
			return n.failedPull(err)
		}
	}
	return nil
}

// failedPull stops the node if its own storage failed, and otherwise blames
// the peer.
func (n *Node) failedPull(err error) error {
	if isOwnFailure(err) {
		return n.stop(err)
	}
	return err
}

// runMirror keeps a mirror's copy up to date.
func (n *Node) runMirror(ctx context.Context) {
	saved := time.Now()
	for ctx.Err() == nil {
		helped := false
		for _, peer := range n.peersInTurn() {
			if err := n.pullFrom(ctx, peer); err != nil {
				if ctx.Err() == nil {
					n.log.Info("not pulled from this peer", "peer", peer, "reason", err.Error())
				}
				continue
			}
			n.lastHelper.Store(&peer)
			helped = true
			break
		}
		if time.Since(saved) > savePeriod {
			n.saveMirror()
			saved = time.Now()
		}
		if !helped && !pause(ctx, pullPause) {
			return
		}
	}
}

func (n *Node) saveMirror() {
	s, err := n.machine.Snapshot()
	if err == nil {
		err = n.machine.Save(s)
	}
	if err != nil {
		_ = n.stop(fmt.Errorf("save mirror: %w", err))
	}
}

// pullFrom waits for a checkpoint larger than the mirror's copy, applies the
// envelopes up to it, and compares roots. What a peer sent is kept only if the
// checkpoint confirms it.
func (n *Node) pullFrom(ctx context.Context, peer string) error {
	before, err := n.machine.Snapshot()
	if err != nil {
		return err
	}
	sc, err := n.peerCheckpoint(ctx, peer, before.State.Tree.Size())
	if err != nil || sc.Size <= before.State.Tree.Size() {
		return err
	}
	err = n.pullTo(ctx, peer, sc.Size)
	if err == nil {
		if root := n.machine.View().Tree.Root(); root != sc.Root {
			err = fmt.Errorf("envelopes of %s do not lead to the checkpoint at %d: %w", peer, sc.Size, ErrRootDiffers)
		}
	}
	if err != nil {
		if rewind := n.machine.Restore(before); rewind != nil {
			return n.stop(rewind)
		}
		return n.failedPull(err)
	}
	return n.checkpoints.accept(sc)
}

func (n *Node) pullTo(ctx context.Context, peer string, size uint64) error {
	for {
		view := n.machine.View()
		switch at := view.Tree.Size(); {
		case at == size:
			return nil
		case at > size:
			return fmt.Errorf("checkpoint at %d is not at the end of an envelope: %w", size, machine.ErrDiverged)
		}
		pulled, err := n.cfg.Peers.Envelopes(ctx, peer, view.Envelopes)
		if err != nil {
			return err
		}
		if len(pulled) == 0 {
			return fmt.Errorf("%w: peer has no envelope %d", ErrNotYet, view.Envelopes)
		}
		if err := n.applyPulled(pulled, size); err != nil {
			return err
		}
	}
}

// applyPulled applies envelopes until the tree has the given size.
func (n *Node) applyPulled(pulled []Pulled, size uint64) error {
	for _, p := range pulled {
		if n.machine.View().Tree.Size() >= size {
			return nil
		}
		out, err := n.machine.Apply(p.Envelope, p.LogTime)
		switch {
		case err != nil:
			return err
		case out.Refusal != nil:
			return fmt.Errorf("pulled envelope: %w", out.Refusal)
		case out.Duplicate || out.LogTime != p.LogTime:
			return fmt.Errorf("pulled envelope %d: %w", out.Number, machine.ErrDiverged)
		}
	}
	return nil
}
