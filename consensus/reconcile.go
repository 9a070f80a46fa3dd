package consensus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/registry/act"
)

// A step is one change of the Raft configuration on its way to what the roster
// says.
type step struct {
	do   stepKind
	node string
}

type stepKind int

const (
	stepNone    stepKind = iota
	stepAdd              // let a node store the log, without a vote
	stepEnfold           // give it its vote
	stepYield            // hand over the leadership: this node is to lose its vote
	stepDemote           // take its vote
	stepRelease          // let it go
)

// String returns what the log says of a step.
func (k stepKind) String() string {
	return [...]string{"none", "add as a non-voter", "give a vote", "hand over the leadership", "take the vote", "let go"}[k]
}

// nextStep returns the first step from a configuration to the roster. Votes come
// before they go, so that the others are never fewer than they have to be.
func nextStep(self string, servers []raft.Server, roster map[string]act.NodeKind, away map[string]bool) step {
	in := map[string]raft.ServerSuffrage{}
	var members []string
	for _, s := range servers {
		in[string(s.ID)] = s.Suffrage
		members = append(members, string(s.ID))
	}
	var wanted []string
	for id := range roster {
		wanted = append(wanted, id)
	}
	slices.Sort(wanted)
	slices.Sort(members)
	for _, id := range wanted {
		if _, there := in[id]; !there {
			return step{stepAdd, id}
		}
	}
	for _, id := range wanted {
		if roster[id] == act.Voter && in[id] != raft.Voter && !away[id] {
			return step{stepEnfold, id}
		}
	}
	for _, id := range members {
		if roster[id] == act.Voter || in[id] != raft.Voter {
			continue
		}
		if id == self {
			return step{stepYield, id}
		}
		return step{stepDemote, id}
	}
	for _, id := range members {
		if _, wants := roster[id]; !wants {
			return step{stepRelease, id}
		}
	}
	return step{}
}

// runReconcile brings the Raft configuration to what the roster says, one change
// at a time, while this node leads. The roster says it first: whatever becomes of
// a leader on the way, the next one goes on.
func (n *Node) runReconcile(ctx context.Context) {
	for ctx.Err() == nil {
		seen := n.machine.View().Changes()
		if n.Leading() && n.isWhole() && n.reconcile(ctx) {
			continue
		}
		n.restUntilChanged(ctx, seen)
	}
}

// restUntilChanged waits for a heartbeat, or until the roster is another.
func (n *Node) restUntilChanged(ctx context.Context, seen uint64) {
	timer := time.NewTimer(n.cfg.Timing.Heartbeat)
	defer timer.Stop()
	for {
		changed := n.machine.Changed()
		if n.machine.View().Changes() != seen {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-changed:
		}
	}
}

// reconcile makes one step, and reports whether it made one.
func (n *Node) reconcile(ctx context.Context) bool {
	s, _, err := n.dueStep()
	if err != nil || s.do == stepNone {
		return false
	}
	// A leader that was elected just now may not have applied what its roster
	// lacks yet.
	if err := n.wait(ctx, n.raft.Barrier(n.cfg.Timing.RPC)); err != nil {
		return false
	}
	s, c, err := n.dueStep()
	if err != nil || s.do == stepNone {
		return false
	}
	made, err := n.carryOut(ctx, s, c)
	switch {
	case err != nil:
		n.log.Info("the Raft configuration is not what the roster says", "step", s.do.String(), "node", s.node, "reason", err.Error())
		return false
	case made:
		n.log.Info("changed the Raft configuration to what the roster says", "step", s.do.String(), "node", s.node)
	}
	return made
}

func (n *Node) dueStep() (step, raft.ConfigurationFuture, error) {
	c := n.raft.GetConfiguration()
	if err := c.Error(); err != nil {
		return step{}, nil, err
	}
	return nextStep(n.cfg.Self, c.Configuration().Servers, replicating(n.machine.View()), n.part.awayNodes()), c, nil
}

// carryOut makes one step, if it can be made now.
func (n *Node) carryOut(ctx context.Context, s step, c raft.ConfigurationFuture) (bool, error) {
	id, address, timeout := raft.ServerID(s.node), raft.ServerAddress(s.node), n.cfg.Timing.RPC
	switch s.do {
	case stepAdd:
		return true, n.changed(ctx, n.raft.AddNonvoter(id, address, c.Index(), timeout))
	case stepEnfold:
		if !n.storesInTime(ctx, s.node) {
			return false, nil
		}
		return true, n.changed(ctx, n.raft.AddVoter(id, address, c.Index(), timeout))
	case stepYield:
		n.handOver(ctx)
		return false, nil
	case stepDemote:
		left := votersOf(c.Configuration())
		delete(left, s.node)
		if answering := n.answering(left); answering < len(left)/2+1 {
			return false, fmt.Errorf("%w: %d of %d answer", ErrTooFewVoters, answering, len(left))
		}
		return true, n.changed(ctx, n.raft.DemoteVoter(id, c.Index(), timeout))
	case stepRelease:
		if n.hears(s.node) && !n.hasStored(s.node, n.raft.AppliedIndex()) {
			return false, nil // it is to learn from the log why
		}
		if !pause(ctx, n.cfg.Timing.Lease) { // and that it is committed
			return false, nil
		}
		return true, n.changed(ctx, n.raft.RemoveServer(id, c.Index(), timeout))
	}
	return false, nil
}

// storesInTime waits for a heartbeat for a node to store what this leader has.
func (n *Node) storesInTime(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Heartbeat)
	defer cancel()
	for last := n.raft.LastIndex(); !n.hasStored(id, last); {
		if !n.Leading() || !pause(ctx, promotePoll) {
			return false
		}
	}
	return true
}

// hears reports whether a follower has answered lately.
func (n *Node) hears(id string) bool {
	followers, _ := n.Followers()
	return slices.ContainsFunc(followers, func(f Follower) bool {
		return f.Node == id && n.cfg.Now().Sub(f.Heard) < unheard*n.cfg.Timing.Heartbeat
	})
}

// answering counts those of the voters that answer, this node among them.
func (n *Node) answering(voters map[string]bool) int {
	count := 0
	for id := range voters {
		if id == n.cfg.Self || n.hears(id) {
			count++
		}
	}
	return count
}

// Why a non-voter cannot vote yet.
var errNoReplica = errors.New("no leader has sent it the log yet")

// ReadyToVote returns nil if this node, a non-voter, has stored and applied all
// that it knows to be committed, and hears a leader.
func (n *Node) ReadyToVote() error {
	if err := n.ended(); err != nil {
		return err
	}
	if err := n.Whole(); err != nil {
		return err
	}
	if n.raft == nil {
		return errNoReplica
	}
	c := n.raft.GetConfiguration()
	in := c.Error() == nil && slices.ContainsFunc(c.Configuration().Servers, func(s raft.Server) bool { return string(s.ID) == n.cfg.Self })
	silent := time.Since(n.raft.LastContact()) > unheard*n.cfg.Timing.Heartbeat
	switch {
	case !in || silent:
		return errNoReplica
	case n.recovering.Load() != nil:
		return errRecovering
	case !n.caughtUp():
		return ErrBehind
	}
	return nil
}

// RaftServer is a node of the Raft configuration.
type RaftServer struct {
	Node  string
	Votes bool
}

// RaftServers returns the Raft configuration as this node knows it, in order of
// id; none on a mirror.
func (n *Node) RaftServers() ([]RaftServer, error) {
	if n.raft == nil {
		return nil, nil
	}
	c := n.raft.GetConfiguration()
	if err := c.Error(); err != nil {
		return nil, fmt.Errorf("raft configuration: %w", err)
	}
	var out []RaftServer
	for _, s := range c.Configuration().Servers {
		out = append(out, RaftServer{Node: string(s.ID), Votes: s.Suffrage == raft.Voter})
	}
	slices.SortFunc(out, func(a, b RaftServer) int { return strings.Compare(a.Node, b.Node) })
	return out, nil
}

// ErrNoVoter says that a node is no other voter.
var ErrNoVoter = errors.New("no other voter has this id")

// ErrNotLeading says that only the leader can do what was asked.
var ErrNotLeading = errors.New("this node does not lead")

// CheckTransfer tells whether this node leads, and could hand over to a voter; any
// if to is "".
func (n *Node) CheckTransfer(to string) error {
	if !n.Leading() {
		return fmt.Errorf("transfer: %w", ErrNotLeading)
	}
	if to == "" {
		return nil
	}
	if c := n.raft.GetConfiguration(); c.Error() != nil || !votersOf(c.Configuration())[to] || to == n.cfg.Self {
		return fmt.Errorf("transfer: %w: %q", ErrNoVoter, to)
	}
	return nil
}

// Transfer hands the leadership to a voter, or to the one that has stored most
// if to is "". Only the leader can.
func (n *Node) Transfer(ctx context.Context, to string) error {
	if err := n.CheckTransfer(to); err != nil {
		return err
	}
	var f raft.Future
	if to == "" {
		f = n.raft.LeadershipTransfer()
	} else {
		f = n.raft.LeadershipTransferToServer(raft.ServerID(to), raft.ServerAddress(to))
	}
	if err := n.wait(ctx, f); err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	n.awaitSuccessor(ctx)
	return nil
}
