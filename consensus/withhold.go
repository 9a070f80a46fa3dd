package consensus

import (
	"context"

	"github.com/hashicorp/raft"
)

// withholdVotes keeps this voter out of elections while the given function says
// so. It is called before Raft asks for its Consumer, and only on a node that
// has something to recover: every other has Raft read from the network itself.
func (t *transport) withholdVotes(withhold func() bool) {
	t.withhold, t.passed = withhold, make(chan raft.RPC)
}

// Consumer returns what Raft reads the others' requests from.
func (t *transport) Consumer() <-chan raft.RPC {
	if t.passed != nil {
		return t.passed
	}
	return t.NetworkTransport.Consumer()
}

// passOn hands the others' requests to Raft, but answers those about elections
// itself while votes are withheld.
func (t *transport) passOn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case rpc := <-t.NetworkTransport.Consumer():
			if t.withhold() && refuseElection(rpc) {
				continue
			}
			select {
			case t.passed <- rpc:
			case <-ctx.Done():
				return
			}
		}
	}
}

// refuseElection answers a request about an election with no.
func refuseElection(rpc raft.RPC) bool {
	switch rpc.Command.(type) {
	case *raft.RequestVoteRequest:
		rpc.Respond(&raft.RequestVoteResponse{}, nil)
	case *raft.RequestPreVoteRequest:
		rpc.Respond(&raft.RequestPreVoteResponse{}, nil)
	case *raft.TimeoutNowRequest:
		rpc.Respond(&raft.TimeoutNowResponse{}, errRecovering)
	default:
		return false
	}
	return true
}

// mayStand returns why this voter may not stand for election now, or nil. One
// whose disk is full could not store the first record of its own term.
func (t *transport) mayStand() error {
	switch {
	case t.withhold != nil && t.withhold():
		return errRecovering
	case t.full != nil && t.full():
		return ErrNoRoom
	}
	return nil
}
