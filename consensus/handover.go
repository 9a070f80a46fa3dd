package consensus

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"
)

// successorPoll is how often a leader that steps down looks for its successor.
const successorPoll = 2 * time.Millisecond

// handOver gives leadership away, so that the others need not wait for an
// election timeout.
func (n *Node) handOver(ctx context.Context) {
	if n.raft.State() != raft.Leader || ctx.Err() != nil {
		return
	}
	if err := wait(ctx, n.raft.LeadershipTransfer()); err != nil {
		n.log.Info("leadership not handed over", "reason", err.Error())
		return
	}
	n.awaitSuccessor(ctx)
}

// awaitSuccessor stays until the next leader has been heard of. Raft calls the
// transfer done when the candidate has asked this node for its vote; a node
// that left then would often take the vote with it.
func (n *Node) awaitSuccessor(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Heartbeat)
	defer cancel()
	for {
		if _, leader := n.raft.LeaderWithID(); leader != "" && string(leader) != n.cfg.Self {
			return
		}
		if !pause(ctx, successorPoll) {
			return
		}
	}
}

// RequestVote asks a voter for its vote. See onLiveStream.
func (t *transport) RequestVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	if err := t.mayStand(); err != nil {
		return err
	}
	return onLiveStream(func() error { return t.NetworkTransport.RequestVote(id, target, args, resp) })
}

// RequestPreVote asks a voter whether it would vote. See onLiveStream.
func (t *transport) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	if err := t.mayStand(); err != nil {
		return err
	}
	return onLiveStream(func() error { return t.NetworkTransport.RequestPreVote(id, target, args, resp) })
}

// TimeoutNow asks a voter to stand for election. See onLiveStream.
func (t *transport) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return onLiveStream(func() error { return t.NetworkTransport.TimeoutNow(id, target, args, resp) })
}

// onLiveStream asks again if it failed, once for every stream that Raft may
// keep to that node: they are dead if it was started again since, and Raft
// would learn so by a lost question, an election timeout each. All that is
// asked so may be asked twice. A node that cannot be dialled is not asked
// again.
func onLiveStream(ask func() error) (err error) {
	for range maxPool + 1 {
		err = ask()
		if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errShutdown) {
			return err
		}
	}
	return err
}
