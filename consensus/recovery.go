package consensus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

// A recovery says what this voter has forgotten: its disk lost Raft's log, or
// the record of the last cosignature. It lies on the disk until a command of a
// later term is applied. Whatever was committed with this voter's word is in
// the log of every later leader that was elected without its vote, so from
// then on it knows again what it knew (docs/DECISIONS.md has the proof).
// Until then it neither votes nor stands for election if it lost the log, and
// cosigns nothing in either case.
type recovery struct {
	Term     uint64 // the newest of this node when it forgot
	Log      bool   // Raft's log
	Cosigned bool   // what it cosigned last
	Times    uint64 // the log was lost so often since it was last whole
}

const (
	recoveryFile = "recovering"

	// maxRecoveries bounds how often a log is made anew that was never whole in
	// between: a disk that bad is to be replaced.
	maxRecoveries = 3
)

// errRecovering is why a voter that has forgotten does not vote or cosign.
var errRecovering = errors.New("this voter lost a part of its memory and waits for a new term")

func recoveryPath(dir string) string { return filepath.Join(dir, "raft", recoveryFile) }

func (r recovery) marshal() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, r.Term)
	b = cbor.AppendBool(b, r.Log)
	b = cbor.AppendBool(b, r.Cosigned)
	return cbor.AppendUint(b, r.Times)
}

// loadRecovery reads the mark, nil if there is none. One that is damaged is
// taken for the most that it can have said.
func loadRecovery(dir string, term uint64) (*recovery, error) {
	raw, err := ledger.ReadFileDurable(recoveryPath(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, ledger.ErrStorage):
		return nil, err
	}
	d := cbor.NewDecoder(raw)
	d.Array(4)
	r := &recovery{Term: d.Uint(), Log: d.Bool(), Cosigned: d.Bool(), Times: d.Uint()}
	if err != nil || d.Done() != nil {
		return &recovery{Term: term, Log: true, Cosigned: true, Times: 1}, nil
	}
	return r, nil
}

// forget marks durably that this voter has forgotten something, before what is
// left of it is removed.
func (n *Node) forget(r recovery) error {
	if before := n.recovering.Load(); before != nil {
		r.Log, r.Cosigned, r.Times = r.Log || before.Log, r.Cosigned || before.Cosigned, r.Times+before.Times
	}
	r.Term = n.stable.Term()
	if err := ledger.WriteFileDurable(recoveryPath(n.cfg.Dir), r.marshal()); err != nil {
		return fmt.Errorf("mark what was lost: %w", err)
	}
	n.recovering.Store(&r)
	fault.At(fault.RecoveryMarked)
	return nil
}

// mayRecover reports whether the others can elect a leader without this voter;
// it could not learn from them what it forgot otherwise.
func (n *Node) mayRecover() bool {
	voters := n.machine.View().Voters()
	others := len(slices.DeleteFunc(slices.Clone(voters), func(v act.Node) bool { return v.ID == n.cfg.Self }))
	return len(voters)/2+1 <= others
}

// mayNotVote reports whether this voter's vote could lose what was committed.
func (n *Node) mayNotVote() bool {
	r := n.recovering.Load()
	return r != nil && r.Log
}

// remember ends the recovery once the command was applied, if its term is new.
// Raft's goroutine that applies calls it.
func (n *Node) remember(l *raft.Log) error {
	r := n.recovering.Load()
	if r == nil || l.Term <= r.Term {
		return nil
	}
	if r.Cosigned {
		view := n.machine.View()
		if err := n.signer.record(cosigned{Size: view.Tree.Size(), RaftIndex: l.Index, Term: l.Term, Root: view.Tree.Root()}); err != nil {
			return n.fail(fmt.Errorf("end recovery: %w", err))
		}
	}
	fault.At(fault.RecoveryApplied)
	if err := os.Remove(recoveryPath(n.cfg.Dir)); err != nil {
		return n.fail(fmt.Errorf("end recovery: %w: %w", ledger.ErrStorage, err))
	}
	n.recovering.Store(nil)
	n.log.Info("recovered: this voter votes and cosigns again", "term", l.Term, "index", l.Index)
	return nil
}

// runRecovery asks for a new term if none comes by itself: while the leader
// stays the same, nothing tells this voter that it knows all again. It asks
// again, ever later, if the new term's first command does not come: the leader
// may have lost it, or sent a snapshot in its place.
func (n *Node) runRecovery(ctx context.Context) {
	heartbeats := time.Duration(4)
	for n.recovering.Load() != nil {
		if !pause(ctx, heartbeats*n.cfg.Timing.Heartbeat) {
			return
		}
		if n.caughtUp() && n.othersCanElect(ctx) && n.recovering.Load() != nil {
			n.askForNewTerm()
			heartbeats = min(2*heartbeats, 256)
		}
	}
}

// caughtUp reports whether this voter has applied all that it knows to be
// committed, without a gap.
func (n *Node) caughtUp() bool {
	commit := n.raft.CommitIndex()
	return commit > 0 && n.raft.AppliedIndex() >= commit && !n.hasGap()
}

// othersCanElect reports whether a majority answers without this voter. One that
// has forgotten its own log does not answer this question.
func (n *Node) othersCanElect(ctx context.Context) bool {
	c := n.raft.GetConfiguration()
	if c.Error() != nil {
		return false
	}
	voters, answered := votersOf(c.Configuration()), 0
	for id := range voters {
		if id != n.cfg.Self && n.answers(ctx, id) {
			answered++
		}
	}
	return answered >= len(voters)/2+1
}

func (n *Node) answers(ctx context.Context, node string) bool {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Heartbeat)
	defer cancel()
	_, err := n.cfg.Peers.Checkpoint(ctx, node, 0)
	return err == nil
}

// askForNewTerm makes the leader stand for election again, with the message by
// which a leader hands over.
func (n *Node) askForNewTerm() {
	address, leader := n.raft.LeaderWithID()
	if leader == "" || string(leader) == n.cfg.Self {
		return
	}
	header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.cfg.Self), Addr: []byte(n.cfg.Self)}
	err := n.transport.TimeoutNow(leader, address, &raft.TimeoutNowRequest{RPCHeader: header}, &raft.TimeoutNowResponse{})
	if err != nil {
		n.log.Info("the leader was not asked for a new term", "leader", string(leader), "reason", err.Error())
	}
}

// forgetLog marks that Raft's log is lost, and removes it. A snapshot that is
// sound stays: it is the committed state of its index.
func (n *Node) forgetLog(dir string, reason error) error {
	r := n.recovering.Load()
	switch {
	case !n.mayRecover():
		return fmt.Errorf("too few voters to learn from what is lost: %w", reason)
	case r != nil && r.Times >= maxRecoveries:
		return fmt.Errorf("the log of Raft was made anew %d times and is damaged again; replace the disk: %w", r.Times, reason)
	}
	n.log.Error("Raft's log is damaged: it is fetched again from the other voters", "reason", reason.Error())
	if err := n.forget(recovery{Log: true, Times: 1}); err != nil {
		return err
	}
	if n.logs != nil {
		if err := n.logs.Close(); err != nil {
			n.log.Info("the damaged log did not close", "reason", err.Error())
		}
	}
	if err := logstore.Remove(filepath.Join(dir, logFile)); err != nil {
		return err
	}
	fault.At(fault.RecoveryLogRemoved)
	return nil
}

// forgetCosigned marks that the last cosignature is not known, and begins a new
// record.
func (n *Node) forgetCosigned(view *state.State, reason error) (err error) {
	if !n.mayRecover() {
		return fmt.Errorf("too few voters to learn from what is lost: %w", reason)
	}
	n.log.Error("the record of the last cosignature is damaged: nothing is cosigned before a new term", "reason", reason.Error())
	if err := n.forget(recovery{Cosigned: true}); err != nil {
		return err
	}
	if err := os.Remove(cosignedPath(n.cfg.Dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the last cosignature: %w: %w", ledger.ErrStorage, err)
	}
	n.signer, err = newSigner(n.cfg, view)
	return err
}
