package consensus

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/machine"
)

// fsm is the machine as Raft sees it. Raft calls its methods one at a time.
type fsm struct {
	n *Node
	// halted is why a command was left out. Everything after it is left out
	// too, and no snapshot is taken: Raft would count it in.
	halted error
}

// Apply applies one committed command, as ApplyBatch does.
func (f *fsm) Apply(l *raft.Log) any { return f.ApplyBatch([]*raft.Log{l})[0] }

// ApplyBatch applies committed commands in order. A failure of this node's
// storage stops the node: going on would let its copy differ from the others'.
func (f *fsm) ApplyBatch(logs []*raft.Log) []any {
	if f.halted == nil {
		f.halted = f.n.failure()
	}
	answers := make([]any, len(logs))
	if f.halted == nil {
		f.halted = f.apply(logs, answers)
	}
	if f.halted == nil {
		last := logs[len(logs)-1]
		f.n.logs.SetApplied(last.Index)
		f.halted = f.n.remember(last)
		return answers
	}
	for i := range answers {
		if answers[i] == nil {
			answers[i] = f.halted
		}
	}
	return answers
}

// apply leaves the answer nil of a marker, which only carries a commit index,
// and of a configuration, which is Raft's own affair. Between a Restore and
// the filled gap it waits.
func (f *fsm) apply(logs []*raft.Log, answers []any) error {
	var commands []machine.Command
	var places []int
	for i, l := range logs {
		if l.Type != raft.LogCommand || len(l.Data) == 0 {
			continue
		}
		leaderTime, raw, err := decodeCommand(l.Data)
		if err != nil {
			return f.n.fail(fmt.Errorf("apply raft index %d: %w", l.Index, err))
		}
		commands = append(commands, machine.Command{Raw: raw, LeaderTime: leaderTime})
		places = append(places, i)
	}
	if len(commands) == 0 && f.n.recovering.Load() == nil {
		return nil
	}
	if err := f.n.awaitFilled(); err != nil {
		return err
	}
	if err := f.n.rewindOnce(); err != nil {
		return f.n.fail(fmt.Errorf("apply raft index %d: %w", logs[0].Index, err))
	}
	began := time.Now()
	outs, err := f.n.machine.ApplyBatch(commands)
	f.n.meterOutcomes(outs, began)
	for i, out := range outs {
		answers[places[i]] = out
	}
	if err != nil {
		return f.n.fail(fmt.Errorf("apply raft index %d: %w", logs[places[len(outs)]].Index, err))
	}
	return nil
}

// rewindOnce takes the machine back to the genesis if the others send a lost log
// from its first record on, and not a snapshot.
func (n *Node) rewindOnce() error {
	if !n.rewind.Load() {
		return nil
	}
	if err := n.machine.Rewind(n.cfg.Genesis); err != nil {
		return err
	}
	n.rewind.Store(false)
	return nil
}

// Snapshot takes the state; it costs a clone of it.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	if f.halted != nil {
		return nil, f.halted
	}
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
	if f.halted != nil {
		return f.halted
	}
	if newest, _ := f.n.snapshots.Newest(); newest.Index < f.n.logs.Applied() {
		return fmt.Errorf("restore snapshot at raft index %d: %w", newest.Index, errSetBack)
	}
	f.halted = f.restore(r)
	return f.halted
}

// errSetBack is why a snapshot is not restored that is older than what was
// applied: the records in between may have gone by the time they are needed.
var errSetBack = errors.New("this node has applied more")

func (f *fsm) restore(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, machine.MaxSnapshotBytes+1))
	if err != nil {
		return f.n.fail(fmt.Errorf("restore: %w", err))
	}
	s, err := machine.DecodeSnapshot(raw)
	if err != nil {
		return f.n.fail(fmt.Errorf("restore: %w", err))
	}
	if err := f.n.saveApplied(); err != nil {
		return f.n.fail(fmt.Errorf("restore: %w", err))
	}
	if err := f.n.dropStaleLog(); err != nil {
		return f.n.fail(err)
	}
	fault.At(fault.InstallAnchored)
	if err := f.n.adopt(s); err != nil {
		return f.n.fail(err)
	}
	f.n.rewind.Store(false)
	fault.At(fault.InstallAdopted)
	return nil
}

// saveApplied makes durable what was applied, before the records of it leave
// Raft's log for a snapshot: this voter may have cosigned it. With a gap that is
// open already, what lies below was saved when it opened, and nothing was
// applied since.
func (n *Node) saveApplied() error {
	s, err := n.machine.Snapshot()
	if errors.Is(err, machine.ErrGap) {
		return nil
	}
	if err != nil || fault.Planted(fault.InstallUnsaved) {
		return err
	}
	return n.save(s)
}

type fsmSnapshot struct {
	n *Node
	s machine.Snapshot
}

// Persist makes the ledger durable before the snapshot that stands on it.
func (s *fsmSnapshot) Persist(sink raft.SnapshotSink) error {
	if err := s.n.save(s.s); err != nil {
		_ = sink.Cancel() // the save error says more
		err = fmt.Errorf("persist snapshot: %w", err)
		if isOwnFailure(err) {
			return s.n.fail(err)
		}
		return err
	}
	fault.At(fault.SnapshotSaved)
	if _, err := sink.Write(s.s.Marshal()); err != nil {
		_ = sink.Cancel() // the write error says more
		return fmt.Errorf("persist snapshot: %w", err)
	}
	fault.At(fault.SnapshotWritten)
	return sink.Close()
}

func (s *fsmSnapshot) Release() {}

var _ raft.BatchingFSM = (*fsm)(nil)
