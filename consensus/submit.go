package consensus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

const (
	// markerTimeout bounds the wait for a leader that is busy: with envelopes, and
	// the next one carries the commit index as well.
	markerTimeout = 10 * time.Millisecond

	// A marker waits for this part of the time that the last commit took, and no
	// longer than markerWait, for receipts wait for the marker: a hospital that
	// sends one envelope after the other has sent the next by then, which would
	// have to wait a round trip until the marker is out of its way.
	markerPart = 8
	markerWait = 2 * time.Millisecond
)

// Submit sends an envelope to the leader and returns its place in the log, or
// the network's refusal in Outcome.Refusal. With ErrNoLeader, or any other
// error, the envelope may or may not have been taken: the same bytes sent again
// get the original place.
func (n *Node) Submit(ctx context.Context, raw []byte) (Outcome, error) {
	if err := n.ended(); err != nil {
		return Outcome{}, fmt.Errorf("%w: %w", ErrNoLeader, err)
	}
	if n.Replicates() {
		out, err := n.lead(ctx, raw)
		if !errors.Is(err, raft.ErrNotLeader) {
			return out, err
		}
		return n.forward(ctx, raw)
	}
	return n.submitThroughVoters(ctx, raw)
}

// forward passes an envelope from a follower to the leader.
func (n *Node) forward(ctx context.Context, raw []byte) (Outcome, error) {
	_, leader := n.raft.LeaderWithID()
	if leader == "" || string(leader) == n.cfg.Self {
		return Outcome{}, ErrNoLeader
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.RPC)
	defer cancel()
	go n.cancelAtNewLeader(ctx, cancel, leader)
	out, err := n.cfg.Peers.Submit(ctx, string(leader), raw)
	if err != nil {
		return Outcome{}, fmt.Errorf("forward to %s: %w: %w", leader, ErrNoLeader, err)
	}
	return out, nil
}

// leaderPoll is how soon a forwarded envelope learns of a new leader.
const leaderPoll = 50 * time.Millisecond

// cancelAtNewLeader ends the wait for a leader that is no longer one: a dead
// leader answers nobody, and its successor is waiting for work.
func (n *Node) cancelAtNewLeader(ctx context.Context, cancel context.CancelFunc, leader raft.ServerID) {
	for pause(ctx, leaderPoll) {
		if _, now := n.raft.LeaderWithID(); now != leader {
			cancel()
		}
	}
}

// submitThroughVoters tries the voters in turn, beginning with the one that
// answered last.
func (n *Node) submitThroughVoters(ctx context.Context, raw []byte) (Outcome, error) {
	problems := []error{ErrNoLeader}
	for _, peer := range n.peersInTurn() {
		out, err := n.submitThrough(ctx, peer, raw)
		if err == nil {
			return out, nil
		}
		problems = append(problems, fmt.Errorf("through %s: %w", peer, err))
		if ctx.Err() != nil {
			break
		}
	}
	return Outcome{}, errors.Join(problems...)
}

// submitThrough gives a voter that cannot be reached two heartbeats to appear.
func (n *Node) submitThrough(ctx context.Context, peer string, raw []byte) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*n.cfg.Timing.Heartbeat)
	defer cancel()
	return n.cfg.Peers.Submit(ctx, peer, raw)
}

// HandleSubmit answers a peer's [Peers.Submit]. A voter that does not lead
// passes a mirror's envelope on, but never one that a voter already passed: the
// two would send it to and fro while they disagree about the leader.
func (n *Node) HandleSubmit(ctx context.Context, from string, raw []byte) (Outcome, error) {
	if !n.Replicates() {
		return Outcome{}, fmt.Errorf("%w: this node is a mirror", ErrNoLeader)
	}
	out, err := n.lead(ctx, raw)
	if !errors.Is(err, raft.ErrNotLeader) {
		return out, err
	}
	if node, ok := n.machine.View().Node(from); ok && node.Kind != act.Mirror {
		return Outcome{}, fmt.Errorf("%w: this voter does not lead", ErrNoLeader)
	}
	return n.forward(ctx, raw)
}

// lead takes an envelope as the leader, or says raft.ErrNotLeader.
func (n *Node) lead(ctx context.Context, raw []byte) (Outcome, error) {
	if err := n.ended(); err != nil {
		return Outcome{}, fmt.Errorf("%w: %w", ErrNoLeader, err)
	}
	if !n.Leading() {
		return Outcome{}, raft.ErrNotLeader
	}
	out, err := n.machine.Check(raw, n.nowMillis())
	if out.Duplicate && fault.Planted(fault.ForgetPlaces) {
		out = Outcome{Refusal: &state.Refusal{Code: state.CodeSequence}}
	}
	if err != nil || out.Duplicate {
		return out, err
	}
	if out.Refusal != nil {
		if out, err = n.refuse(ctx, raw); err != nil || out.Refusal != nil || out.Duplicate {
			n.meterRefusal(out)
			return out, err
		}
	}
	return n.replicate(ctx, raw)
}

// refuse makes a refusal binding without writing it to the log: the leader
// proves that it still leads and has applied everything committed, and asks
// again. What is refused now would be refused at this point of the log; what
// is not any more waited for an envelope that has come in between.
func (n *Node) refuse(ctx context.Context, raw []byte) (Outcome, error) {
	if err := n.wait(ctx, n.raft.Barrier(n.cfg.Timing.RPC)); err != nil {
		return Outcome{}, unknownOutcome(err)
	}
	out, err := n.machine.Check(raw, n.nowMillis())
	if out.Duplicate && fault.Planted(fault.ForgetPlaces) {
		out = Outcome{Refusal: &state.Refusal{Code: state.CodeSequence}}
	}
	return out, err
}

func (n *Node) replicate(ctx context.Context, raw []byte) (Outcome, error) {
	n.inFlight.Add(1)
	began := time.Now()
	f := n.raft.Apply(encodeCommand(n.nowMillis(), raw), n.cfg.Timing.RPC)
	if fault.Planted(fault.AckBeforeCommit) {
		n.inFlight.Add(-1)
		view := n.machine.View()
		out, err := n.machine.Check(raw, n.nowMillis())
		out.Number, out.First = view.Envelopes, view.Tree.Size()
		return out, err
	}
	err := n.wait(ctx, f)
	if n.inFlight.Add(-1) == 0 {
		n.becameIdle(err == nil, time.Since(began))
	}
	if err != nil { // it may or may not have been replicated
		return Outcome{}, unknownOutcome(err)
	}
	n.cfg.Meter.Committed(time.Since(began))
	switch r := f.Response().(type) {
	case Outcome:
		return r, nil
	case error: // this node is stopping
		return Outcome{}, r
	default:
		panic(fmt.Sprintf("consensus: state machine answered %T", r))
	}
}

// becameIdle has the followers told of the last commit, which took so long, and
// tells the rounds that no more is to come.
func (n *Node) becameIdle(committed bool, took time.Duration) {
	if committed {
		wake(n.marking, took)
	}
	wake(n.idle, struct{}{})
}

// wake puts a value into a channel of one, unless there is one: who reads it has
// been told before.
func wake[T any](c chan T, value T) {
	select {
	case c <- value:
	default:
	}
}

// runMarker tells the followers of the last commit, unless another envelope comes
// soon and does.
func (n *Node) runMarker(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case took := <-n.marking:
			if !pause(ctx, min(took/markerPart, markerWait)) {
				return
			}
			if n.inFlight.Load() == 0 {
				n.raft.Apply(nil, markerTimeout)
			}
		}
	}
}

// wait waits for a future of Raft's, or until the context or the node ends:
// what is queued in Raft at Shutdown is never answered.
func (n *Node) wait(ctx context.Context, f raft.Future) error {
	ctx, cancel := n.until(ctx)
	defer cancel()
	return wait(ctx, f)
}

// wait waits for a future of Raft's, or until the context ends.
func wait(ctx context.Context, f raft.Future) error {
	answered := make(chan error, 1)
	go func() { answered <- f.Error() }()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unknownOutcome keeps raft.ErrNotLeader, which Raft gives before anything was
// written, and marks every other error as not knowing.
func unknownOutcome(err error) error {
	if errors.Is(err, raft.ErrNotLeader) {
		return err
	}
	return fmt.Errorf("replicate envelope: %w: %w", ErrNoLeader, err)
}

func (n *Node) nowMillis() uint64 { return uint64(n.cfg.Now().UnixMilli()) }
