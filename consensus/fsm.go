package consensus

import (
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/machine"
)

// fsm is the machine as Raft sees it.
type fsm struct{ n *Node }

// Apply applies one committed command. A failure of this node's storage stops
// the node: going on would let its copy differ from the others'.
func (f *fsm) Apply(l *raft.Log) any {
	if len(l.Data) == 0 {
		f.n.logs.SetApplied(l.Index)
		return nil
	}
	leaderTime, raw, err := decodeCommand(l.Data)
	if err != nil {
		return f.n.stop(fmt.Errorf("apply raft index %d: %w", l.Index, err))
	}
	out, err := f.n.machine.Apply(raw, leaderTime)
	if err != nil {
		return f.n.stop(fmt.Errorf("apply raft index %d: %w", l.Index, err))
	}
	f.n.logs.SetApplied(l.Index)
	f.n.appliedIndex.Store(l.Index)
	return out
}

// Snapshot takes the state; it costs a clone of it.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	s, err := f.n.machine.Snapshot()
	if err != nil {
		return nil, err
	}
	return &fsmSnapshot{n: f.n, s: s}, nil
}

// Restore makes the node equal to a snapshot from disk or from the leader. It
// returns at once; a gap in the ledger is filled while Apply waits.
func (f *fsm) Restore(r io.ReadCloser) error {
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, machine.MaxSnapshotBytes+1))
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if len(raw) > machine.MaxSnapshotBytes {
		return fmt.Errorf("restore: snapshot is larger than %d bytes", machine.MaxSnapshotBytes)
	}
	s, err := machine.DecodeSnapshot(raw)
	if err != nil {
		return f.n.stop(fmt.Errorf("restore: %w", err))
	}
	if err := f.n.dropStaleLog(); err != nil {
		return f.n.stop(err)
	}
	if err := f.n.machine.Restore(s); err != nil {
		return f.n.stop(err)
	}
	f.n.wakeFiller()
	return nil
}

type fsmSnapshot struct {
	n *Node
	s machine.Snapshot
}

// Persist makes the ledger durable before the snapshot that stands on it.
func (s *fsmSnapshot) Persist(sink raft.SnapshotSink) error {
	if err := s.n.machine.Save(s.s); err != nil {
		return s.n.stop(fmt.Errorf("persist snapshot: %w", err))
	}
	if _, err := sink.Write(s.s.Marshal()); err != nil {
		_ = sink.Cancel() // the write error says more
		return fmt.Errorf("persist snapshot: %w", err)
	}
	return sink.Close()
}

func (s *fsmSnapshot) Release() {}
