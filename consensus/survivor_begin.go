package consensus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/slot"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Beginning begins a log epoch on a survivor.
type Beginning struct {
	Recovery *envelope.Envelope // the recovery act, with its approvals
	From     uint64             // envelope number of the first of Tail
	Tail     []Pulled           // what the longest copy holds up to the cut, for survivors that lack it
}

// payload reads what the recovery says.
func (b *Beginning) payload() (*act.Recovery, error) {
	a, err := act.Decode(b.Recovery.Bodies[0].Ciphertext)
	if err != nil {
		return nil, err
	}
	if a.Type != act.TypeRecovery {
		return nil, fmt.Errorf("an act of type %s begins no log epoch", a.Type)
	}
	return act.DecodeRecovery(a.Payload)
}

// Check tells whether the log epoch can begin on this copy, and changes nothing
// that a start would keep: the cut is reached, its root is that of the recovery,
// and q lead hospitals that this copy knows have approved it. ErrBegun says that
// nothing is left to do.
func (s *Survivor) Check(b Beginning) (*act.Recovery, error) {
	d, err := b.payload()
	if err == nil {
		err = s.check(b, d)
	}
	if err != nil {
		return nil, fmt.Errorf("begin a log epoch: %w", err)
	}
	return d, nil
}

func (s *Survivor) check(b Beginning, d *act.Recovery) error {
	half, err := halfBegun(s.n.cfg.Dir)
	if err != nil {
		return err
	}
	view := s.View()
	switch {
	case half != nil && *half != b.Recovery.ID():
		return fmt.Errorf("%w: with another file, whose recovery act is %s", ErrHalfBegun, half)
	case view.LogEpoch >= d.Epoch:
		return s.checkBegun(b, d, half)
	case view.Envelopes > d.Envelopes:
		return fmt.Errorf("%w: it has %d envelopes, and the cut is behind %d", ErrBeyondCut, view.Envelopes, d.Envelopes)
	case view.Envelopes < d.Envelopes && (view.Envelopes < b.From || d.Envelopes-b.From != uint64(len(b.Tail))):
		return fmt.Errorf("%w: at %d envelopes, and the file holds those from %d to %d", ErrShortCopy, view.Envelopes, b.From, d.Envelopes)
	}
	if view.Envelopes < d.Envelopes {
		if err := s.n.machine.Follow(commands(b.Tail[view.Envelopes-b.From:]), d.Size); err != nil {
			return fmt.Errorf("%w: what the file holds does not follow it: %w", ErrBeyondCut, err)
		}
	}
	view = s.View()
	if root := view.Tree.Root(); view.Tree.Size() != d.Size || root != d.Root {
		return fmt.Errorf("%w: %d entries with root %x, and the cut's is %x at %d", ErrBeyondCut, view.Tree.Size(), root[:8], d.Root[:8], d.Size)
	}
	if _, refusal := view.Admit(b.Recovery, b.Recovery.SignedAt, b.Recovery.Commitments()); refusal != nil {
		return refusal
	}
	return s.checkCosigned(d)
}

// checkBegun is check for a copy that is in the epoch, or beyond: only the one that
// was marked and has not gone on has something left to do.
func (s *Survivor) checkBegun(b Beginning, d *act.Recovery, half *envelope.ID) error {
	view := s.View()
	var at uint64
	for _, e := range view.Epochs {
		if e.Number == d.Epoch {
			at = e.Envelopes
		}
	}
	meta, err := s.n.machine.Meta(at)
	switch {
	case err != nil:
		return err
	case meta.ID != b.Recovery.ID():
		return fmt.Errorf("%w: log epoch %d began here with another recovery act, %s", ErrBeyondCut, d.Epoch, envelope.ID(meta.ID))
	case half == nil:
		return fmt.Errorf("%w: %d, since envelope %d", ErrBegun, d.Epoch, at)
	}
	return nil
}

// checkCosigned compares what this voter cosigned last with the cut: it never
// vouched for more than it has, or its disk was set back.
func (s *Survivor) checkCosigned(d *act.Recovery) error {
	raw, err := slot.Read(cosignedPath(s.n.cfg.Dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var last cosigned
	if err == nil {
		last, err = decodeCosigned(raw)
	}
	switch {
	case err != nil:
		return err
	case last.Size > d.Size || last.RaftIndex >= d.Index:
		return fmt.Errorf("%w: it has cosigned %d entries at raft index %d", ErrBeyondCut, last.Size, last.RaftIndex)
	case last.Size == 0:
		return nil
	}
	root, err := s.n.machine.RootAt(last.Size)
	if err == nil && root != last.Root {
		err = fmt.Errorf("%w: it has cosigned another root at %d", ErrBeyondCut, last.Size)
	}
	return err
}

// Begin begins the log epoch: the copy ends with the recovery act, and Raft's files
// are those of a network that has just taken a snapshot there. Killed on the way,
// the node does not start before Begin with the same file has finished it. The
// survivor is of no use afterwards but to be closed.
func (s *Survivor) Begin(b Beginning) error {
	d, err := s.Check(b)
	if err == nil {
		err = s.begin(b, d)
	}
	if err != nil {
		return fmt.Errorf("begin log epoch: %w", err)
	}
	return nil
}

func (s *Survivor) begin(b Beginning, d *act.Recovery) error {
	id := b.Recovery.ID()
	if err := ledger.WriteFileDurable(markPath(s.n.cfg.Dir), id[:]); err != nil {
		return err
	}
	fault.At(fault.EpochMarked)
	if view := s.View(); view.LogEpoch < d.Epoch {
		logTime := state.RecoveryTime(view, b.Recovery)
		if err := s.n.machine.Follow(commands([]Pulled{{LogTime: logTime, Envelope: b.Recovery.Marshal()}}), d.Size+1); err != nil {
			return err
		}
	}
	snapshot, err := s.n.machine.Snapshot()
	if err == nil {
		err = s.n.save(snapshot)
	}
	if err != nil {
		return err
	}
	fault.At(fault.EpochSaved)
	if err := s.beginRaft(d, snapshot); err != nil {
		return err
	}
	// A copy from a backup has met the network with it: the network is where it ends.
	if err := ledger.Destroy(filepath.Join(s.n.cfg.Dir, restoredFile)); err != nil {
		return err
	}
	return ledger.Destroy(markPath(s.n.cfg.Dir))
}

// beginRaft replaces Raft's files by those of the new epoch, or by none if this
// node does not vote in it.
func (s *Survivor) beginRaft(d *act.Recovery, snapshot machine.Snapshot) error {
	n, dir := s.n, filepath.Join(s.n.cfg.Dir, "raft")
	if err := n.closeStores(); err != nil {
		return err
	}
	if err := n.forgetRaft(); err != nil {
		return err
	}
	fault.At(fault.EpochForgotten)
	if !d.Votes(n.cfg.Self) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := n.beginVotes(dir, d, snapshot); err != nil {
		return err
	}
	fault.At(fault.EpochVotes)
	if err := n.beginSnapshot(dir, d, snapshot); err != nil {
		return err
	}
	fault.At(fault.EpochSnapshot)
	logs, err := logstore.Open(filepath.Join(dir, logFile), logstore.Options{Fatal: n.holdRaft})
	if err != nil {
		return err
	}
	_, err = logs.Anchor(d.Index, d.Term)
	if err := errors.Join(err, logs.Close(), ledger.SyncDir(dir)); err != nil {
		return err
	}
	fault.At(fault.EpochLog)
	return nil
}

// beginVotes raises the term to the new epoch's, and records the tree behind the
// recovery act as cosigned: from there on this voter goes. Its votes stay.
func (n *Node) beginVotes(dir string, d *act.Recovery, snapshot machine.Snapshot) error {
	stable, err := logstore.OpenStable(filepath.Join(dir, stableFile), logstore.StableOptions{Fatal: n.holdRaft})
	if err != nil {
		return err
	}
	if stable.Term() < d.Term {
		err = stable.SetUint64([]byte(logstore.KeyTerm), d.Term)
	}
	if err := errors.Join(err, stable.Close()); err != nil {
		return err
	}
	file, err := slot.Open(cosignedPath(n.cfg.Dir))
	if err != nil {
		return err
	}
	last := cosigned{Size: snapshot.At.TreeSize, RaftIndex: d.Index, Term: d.Term, Root: snapshot.State.Tree.Root()}
	return errors.Join(file.Store(last.marshal()), file.Close())
}

// beginSnapshot writes the state behind the recovery act as Raft's first snapshot,
// with the new voters as the configuration.
func (n *Node) beginSnapshot(dir string, d *act.Recovery, snapshot machine.Snapshot) error {
	store, err := logstore.OpenSnapshots(dir, logstore.SnapshotOptions{Written: func(raft.SnapshotMeta) {}, Fatal: n.holdRaft})
	if err != nil {
		return err
	}
	var voters raft.Configuration
	for _, v := range d.Voters {
		voters.Servers = append(voters.Servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(v.Node), Address: raft.ServerAddress(v.Node)})
	}
	sink, err := store.Create(raft.SnapshotVersionMax, d.Index, d.Term, voters, d.Index, idEncoder{})
	if err != nil {
		return err
	}
	if _, err := sink.Write(snapshot.Marshal()); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// idEncoder is what a snapshot's file format asks of a transport: its peers in an
// older form. A server's address is its node id.
type idEncoder struct{ raft.Transport }

// EncodePeer returns the address.
func (idEncoder) EncodePeer(_ raft.ServerID, a raft.ServerAddress) []byte { return []byte(a) }
