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

// Why a voter is not taken out, or not taken in again.
var (
	// ErrTooFewVoters says that with one voter fewer the network could not
	// commit, or not make checkpoints.
	ErrTooFewVoters = errors.New("too few voters would be left")
	// ErrBehind says that a node has not stored all that the leader has.
	ErrBehind = errors.New("the node is not caught up")
)

const (
	promotePoll = 50 * time.Millisecond
	// unheard is after how many heartbeats without an answer a voter does not
	// count as one that is left.
	unheard = 3
)

// Demote takes a voter out of the majority that commits, for a machine that is
// to be away for long. The leader alone can, and not itself; a voter that is out
// already is a success. The node stays in the Raft configuration: it goes on
// storing the log and cosigning, since checkpoints need a majority of the
// roster's voters whoever is out. For the same reason a majority of the roster
// stays in; and a majority of those that are left must answer now. It is for this
// leader's time: the next one takes the voter in again once it is caught up. Who
// is to be no voter for good is demoted by act.
func (n *Node) Demote(ctx context.Context, id string) error {
	if err := n.demote(ctx, id); err != nil {
		return fmt.Errorf("demote %s: %w", id, err)
	}
	return nil
}

func (n *Node) demote(ctx context.Context, id string) error {
	view, c, err := n.voterToChange(id)
	if err != nil {
		return err
	}
	if id == n.cfg.Self {
		return errors.New("this node leads: hand over the leadership first")
	}
	voting := votersOf(c.Configuration())
	if !voting[id] {
		return nil
	}
	delete(voting, id)
	if err := n.enoughLeft(voting, len(view.Voters())); err != nil {
		return err
	}
	n.part.away(id, true)
	return n.changed(ctx, n.raft.DemoteVoter(raft.ServerID(id), c.Index(), n.cfg.Timing.RPC))
}

// Promote takes a voter in again that was taken out, once it has stored all
// that this leader has. If the context ends before, the error is ErrBehind.
func (n *Node) Promote(ctx context.Context, id string) error {
	if err := n.promote(ctx, id); err != nil {
		return fmt.Errorf("promote %s: %w", id, err)
	}
	return nil
}

func (n *Node) promote(ctx context.Context, id string) error {
	_, c, err := n.voterToChange(id)
	if err != nil {
		return err
	}
	if votersOf(c.Configuration())[id] {
		return nil
	}
	for last := n.raft.LastIndex(); !n.hasStored(id, last); {
		if !n.Leading() {
			return ErrNoLeader
		}
		if !pause(ctx, promotePoll) {
			return ErrBehind
		}
	}
	n.part.away(id, false)
	return n.changed(ctx, n.raft.AddVoter(raft.ServerID(id), raft.ServerAddress(id), c.Index(), n.cfg.Timing.RPC))
}

// voterToChange returns the leader's state and the current configuration, if
// this node leads and the roster has the voter.
func (n *Node) voterToChange(id string) (*state.State, raft.ConfigurationFuture, error) {
	if !n.Leading() {
		return nil, nil, ErrNoLeader
	}
	view := n.machine.View()
	if node, ok := view.Node(id); !ok || node.Kind != act.Voter {
		return nil, nil, errors.New("the roster has no such voter")
	}
	c := n.raft.GetConfiguration()
	return view, c, c.Error()
}

func votersOf(c raft.Configuration) map[string]bool {
	voting := map[string]bool{}
	for _, s := range c.Servers {
		if s.Suffrage == raft.Voter {
			voting[string(s.ID)] = true
		}
	}
	return voting
}

// enoughLeft reports whether the voters left are a majority of the roster, and
// a majority of them is there.
func (n *Node) enoughLeft(left map[string]bool, roster int) error {
	if fault.Planted(fault.DemoteAnyone) {
		return nil
	}
	if len(left) < roster/2+1 {
		return fmt.Errorf("%w: %d of %d", ErrTooFewVoters, len(left), roster)
	}
	if answering := n.answering(left); answering < len(left)/2+1 {
		return fmt.Errorf("%w: %d of %d answer", ErrTooFewVoters, answering, len(left))
	}
	return nil
}

// hasStored reports whether a follower has stored the leader's log up to index.
func (n *Node) hasStored(id string, index uint64) bool {
	followers, _ := n.Followers()
	for _, f := range followers {
		if f.Node == id {
			return f.Stored >= index && !f.Refused
		}
	}
	return false
}

// changed waits for a change of the configuration. With an error it may or may
// not have been made; made again it does no harm.
func (n *Node) changed(ctx context.Context, f raft.Future) error {
	err := n.wait(ctx, f)
	if errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrLeadershipLost) {
		return fmt.Errorf("%w: %w", ErrNoLeader, err)
	}
	return err
}
