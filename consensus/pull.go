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
	pullPause        = 200 * time.Millisecond // after a peer that could not help
	pullTries        = 3                      // at one peer that does not answer
)

// HandleEnvelopes answers a peer's [Peers.Envelopes] from this node's ledger.
func (n *Node) HandleEnvelopes(from uint64) ([]Pulled, error) {
	if err := n.ended(); err != nil {
		return nil, err
	}
	if n.hasGap() {
		return nil, machine.ErrGap
	}
	end := n.View().Envelopes
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

// envelopes asks a peer, and asks again after a moment if it does not answer:
// to turn to another peer means to start from the beginning.
func (n *Node) envelopes(ctx context.Context, peer string, from uint64) (pulled []Pulled, err error) {
	if !n.awaitRoom(ctx) {
		return nil, ctx.Err()
	}
	for range pullTries {
		pulled, err = n.cfg.Peers.Envelopes(ctx, peer, from)
		if err == nil && len(pulled) == 0 {
			return nil, fmt.Errorf("%w: %s has no envelope %d", ErrNotYet, peer, from)
		}
		if err == nil {
			return pulled, nil
		}
		if !pause(ctx, pullPause) {
			break
		}
	}
	return nil, fmt.Errorf("envelopes from %d of %s: %v", from, peer, err) // its failure is not ours: no %w
}
