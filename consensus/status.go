package consensus

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// Status is where a node stands.
type Status struct {
	Node       string
	Kind       act.NodeKind
	Leader     string // node id, "" if none is known; voters alone know
	Via        string // of a mirror: the peer that answered last
	Term       uint64 // Raft term; 0 on a mirror
	Ready      bool
	Why        string // why not ready
	Envelopes  uint64
	Size       uint64 // applied tree size
	Root       tlog.Hash
	LogTime    uint64 // ms
	Checkpoint tlog.Checkpoint
	GapFrom    uint64 // envelope numbers this copy lacks; GapTo = 0 if none
	GapTo      uint64
	Damage     string   // what of this copy is being repaired, "" if nothing
	Warnings   []string // what an operator should look into
}

// Status returns where the node stands now.
func (n *Node) Status() Status {
	view := n.View()
	s := Status{
		Node: n.cfg.Self, Kind: n.kind, Envelopes: view.Envelopes,
		Size: view.Tree.Size(), Root: view.Tree.Root(), LogTime: view.LogTime,
	}
	cp, _ := n.checkpoints.current()
	s.Checkpoint = cp.Checkpoint
	if from, to, open := n.gapNow(); open {
		s.GapFrom, s.GapTo = from, to
	}
	if damage := n.machine.Damage(); damage != nil {
		s.Damage = damage.Error()
	}
	if n.raft != nil {
		_, leader := n.raft.LeaderWithID()
		s.Leader, s.Term = string(leader), n.raft.CurrentTerm()
	} else if helper := n.lastHelper.Load(); helper != nil {
		s.Via = *helper
	}
	s.Warnings = n.warnings()
	s.Why = n.notReady(s)
	s.Ready = s.Why == ""
	return s
}

func (n *Node) notReady(s Status) string {
	if err := n.ended(); err != nil {
		return err.Error()
	}
	if err := n.saltless.check(); err != nil {
		return "not a copy: " + err.Error()
	}
	switch {
	case s.GapTo != 0:
		return fmt.Sprintf("not a copy: envelopes %d to %d are still missing", s.GapFrom, s.GapTo-1)
	case s.Damage != "":
		return "not a copy: " + s.Damage
	case n.recovering.Load() != nil:
		return errRecovering.Error()
	case n.full():
		return ErrNoRoom.Error() + ": nothing new is stored"
	case s.Leader == "" && n.raft != nil:
		return "no leader known"
	case s.Leader == "" && s.Via == "":
		return "no voter reached yet"
	case n.raft != nil && (n.raft.CommitIndex() == 0 || n.raft.AppliedIndex() < n.raft.CommitIndex()):
		return "catching up with the leader"
	}
	return ""
}

// HandleCheckpoint answers a peer's [Peers.Checkpoint]: the newest checkpoint,
// as soon as it is larger than size, or at the end of the context.
func (n *Node) HandleCheckpoint(ctx context.Context, size uint64) ([]byte, error) {
	cp, err := n.WaitCheckpoint(ctx, size+1)
	if err != nil {
		cp = n.Checkpoint()
	}
	if ended := n.ended(); ended != nil {
		return nil, fmt.Errorf("checkpoint: %w", ended)
	}
	if cp.Size == 0 || !n.isWhole() || n.mayNotVote() {
		return nil, fmt.Errorf("checkpoint: %w", ErrNotYet)
	}
	return cp.Marshal(), nil
}
