package consensus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
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
	if err := n.Whole(); err != nil {
		return nil, err
	}
	if !n.caughtUpOnce() {
		return nil, fmt.Errorf("envelopes from %d: %w", from, ErrNotYet)
	}
	end := n.View().Envelopes
	var out []Pulled
	for bytes := 0; from < end && bytes < maxPullBytes && len(out) < maxPullEnvelopes; from++ {
		p, err := n.Envelope(from)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
		bytes += len(p.Envelope)
	}
	return out, nil
}

// Envelope returns an accepted envelope from this node's ledger, every byte of
// it accounted for. If the disk has damaged it the answer is machine.ErrGap,
// and it is repaired.
func (n *Node) Envelope(number uint64) (Pulled, error) {
	e, logTime, err := n.machine.Envelope(number)
	if err != nil {
		return Pulled{}, fmt.Errorf("envelope %d: %w", number, err)
	}
	return Pulled{LogTime: logTime, Envelope: e.Marshal()}, nil
}

// ReadEnvelope is [Node.Envelope] of a ledger without a node, whose state says
// which entries are erased.
func ReadEnvelope(l *ledger.Ledger, s *state.State, number uint64) (Pulled, error) {
	e, logTime, err := machine.Read(l, number, machine.ErasedBy(s))
	if err != nil {
		return Pulled{}, err
	}
	return Pulled{LogTime: logTime, Envelope: e.Marshal()}, nil
}

// peersInTurn returns the voters other than this node, and whom it was told of
// beside them, beginning with the one that helped last.
func (n *Node) peersInTurn() []string {
	var ids []string
	for _, v := range n.machine.View().Nodes {
		if v.Kind == act.Voter && v.ID != n.cfg.Self {
			ids = append(ids, v.ID)
		}
	}
	for _, id := range n.cfg.Known {
		if id != n.cfg.Self && !slices.Contains(ids, id) {
			ids = append(ids, id)
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

func pulledBytes(list []Pulled) (bytes uint64) {
	for _, p := range list {
		bytes += uint64(len(p.Envelope))
	}
	return bytes
}

// commands are pulled envelopes as the machine takes them.
func commands(list []Pulled) []machine.Command {
	out := make([]machine.Command, len(list))
	for i, p := range list {
		out[i] = machine.Command{Raw: p.Envelope, LeaderTime: p.LogTime}
	}
	return out
}

// isFull reports whether the peer had more than fits an answer.
func isFull(list []Pulled) bool {
	return len(list) >= maxPullEnvelopes || pulledBytes(list) >= maxPullBytes
}

// eachPulled hands a peer's envelopes, from number from to before to, to take.
// While it takes one answer the next is under way, until an answer is the last
// or take has an error.
func (n *Node) eachPulled(ctx context.Context, peer string, from, to uint64, take func([]Pulled) error) error {
	type answer struct {
		list []Pulled
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	ask := func() <-chan answer {
		from, out := from, make(chan answer, 1)
		go func() {
			list, err := n.envelopes(ctx, peer, from)
			out <- answer{list, err}
		}()
		return out
	}
	for next := ask(); next != nil; {
		a := <-next
		if a.err != nil {
			cancel()
			return a.err
		}
		next = nil
		if from += uint64(len(a.list)); from < to && isFull(a.list) {
			next = ask()
		}
		if err := take(a.list); err != nil {
			cancel()
			if next != nil {
				<-next
			}
			return err
		}
	}
	cancel()
	return nil
}

// envelopes asks a peer, and asks again after a moment if it does not answer:
// another may be farther away.
func (n *Node) envelopes(ctx context.Context, peer string, from uint64) (pulled []Pulled, err error) {
	if !n.awaitRoom(ctx) {
		return nil, ctx.Err()
	}
	for range pullTries {
		pulled, err = n.cfg.Peers.Envelopes(ctx, peer, from)
		if !n.fetchPace.passed(ctx, pulledBytes(pulled)) {
			return nil, ctx.Err()
		}
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
