package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Why a stopped node is not read, or does not begin a log epoch.
var (
	// ErrHalfBegun reports a node on which a log epoch was begun and not
	// finished. The same file, applied again, finishes it.
	ErrHalfBegun = errors.New("a log epoch was begun on this node and not finished")
	// ErrBegun reports a node that is in the log epoch already.
	ErrBegun = errors.New("this node is in that log epoch already")
	// ErrBeyondCut reports a copy that holds what lies beyond the cut, or
	// another log's: the survey that was compared is not of this copy.
	ErrBeyondCut = errors.New("this copy is not that of the cut")
	// ErrShortCopy reports a copy that ends before what a recovery file holds.
	ErrShortCopy = errors.New("this copy ends too early")
)

// replayed is how many records of Raft's log are applied together.
const replayed = 64

// SurvivorConfig is what is needed of a node that is stopped.
type SurvivorConfig struct {
	Self    string
	Dir     string // its own log's folder; the caller has locked it
	Genesis *envelope.Envelope
	Logger  *slog.Logger
}

// Survivor is the copy of a node that is stopped, with all that its Raft log
// holds applied, committed or not: with the majority lost, nobody can say any more
// what was, and what the hospitals signed does no harm. It is not safe for
// concurrent use. What it applied is not kept unless [Survivor.Begin] succeeds.
type Survivor struct {
	n           *Node
	index, term uint64 // of the last record of Raft's log; 0 on a mirror
	checkpoint  tlog.SignedCheckpoint
}

// OpenSurvivor opens a stopped node's copy. One with a gap, without its salts, or
// with a damaged Raft log is not opened: it says which.
func OpenSurvivor(cfg SurvivorConfig) (*Survivor, error) {
	if reason, is := Quarantined(cfg.Dir); is {
		return nil, fmt.Errorf("open survivor: %w: %s", ErrQuarantined, reason)
	}
	n := &Node{
		cfg: Config{Self: cfg.Self, Dir: cfg.Dir, Genesis: cfg.Genesis, Logger: cfg.Logger, Now: time.Now, Meter: unmetered{}},
		log: cfg.Logger, held: held{done: make(chan struct{})},
	}
	n.cfg.limits = n.cfg.limits.withDefaults()
	n.ctx, n.cancel = context.WithCancel(context.Background())
	s := &Survivor{n: n}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open survivor: %w", err), s.Close())
	}
	return s, nil
}

func (s *Survivor) open() error {
	n := s.n
	if err := n.openMachine(); err != nil {
		return err
	}
	if err := errors.Join(n.saltless.load(n.cfg.Dir), n.erased.load(n.cfg.Dir)); err != nil {
		return err
	}
	n.machine.OnWithdrawal(n.erased.withdrawn)
	n.checkpoints = openCheckpoints(n.cfg.Dir, n.machine.View)
	if err := s.takeUp(); err != nil {
		return err
	}
	if err := n.saltless.check(); err != nil {
		return err
	}
	if _, _, open := n.machine.Gap(); open {
		return fmt.Errorf("%w: it has a gap", machine.ErrGap)
	}
	return s.readCheckpoint()
}

// takeUp brings the copy to what the node would know: of a mirror what a
// checkpoint has confirmed, of a voter all that Raft has stored. A node on which
// an epoch was half begun has no Raft log to look at any more.
func (s *Survivor) takeUp() error {
	n := s.n
	view := n.machine.View()
	noted, err := n.notedPart()
	if err != nil {
		return err
	}
	if n.kind = n.partIn(view); noted.Envelopes > view.Envelopes {
		n.kind = noted.Kind
	}
	begun, err := s.begun(view)
	if err != nil || begun {
		return err
	}
	if !n.Replicates() {
		return n.machine.Restore(n.machine.TakeUp())
	}
	dir := filepath.Join(n.cfg.Dir, "raft")
	if err := n.openVotes(dir, view); err != nil {
		return err
	}
	if err := n.openSnapshots(dir); err != nil {
		return err
	}
	if err := n.openStore(dir); err != nil {
		return err
	}
	return s.replay()
}

// replay applies Raft's newest snapshot and every record behind it.
func (s *Survivor) replay() error {
	n := s.n
	newest, found := n.snapshots.Newest()
	if found {
		_, snapshot, err := n.newestSnapshot()
		if err == nil {
			err = n.adopt(snapshot)
		}
		if err != nil {
			return err
		}
	}
	if _, _, open := n.machine.Gap(); open {
		return nil // the caller says so
	}
	last, err := n.logs.LastIndex()
	if err != nil {
		return err
	}
	s.index, s.term = newest.Index, newest.Term
	var commands []machine.Command
	for index := newest.Index + 1; index <= last; index++ {
		var l raft.Log
		if err := n.logs.GetLog(index, &l); err != nil {
			return fmt.Errorf("raft's log at %d: %w", index, err)
		}
		s.index, s.term = l.Index, l.Term
		if l.Type == raft.LogCommand && len(l.Data) > 0 {
			leaderTime, raw, err := decodeCommand(l.Data)
			if err != nil {
				return fmt.Errorf("raft's log at %d: %w", index, err)
			}
			commands = append(commands, machine.Command{Raw: raw, LeaderTime: leaderTime})
		}
		if len(commands) == replayed || index == last {
			if _, err := n.machine.ApplyBatch(commands); err != nil {
				return err
			}
			commands = nil
		}
	}
	if n.mayNotVote() { // its log is what others sent since it was lost
		s.index, s.term = 0, 0
	}
	return nil
}

// readCheckpoint takes the newest checkpoint that this node kept, if it is valid. One
// that contradicts the copy is an error: a majority has signed another log.
func (s *Survivor) readCheckpoint() error {
	raw, err := ledger.ReadFileDurable(s.n.checkpoints.path)
	if err != nil {
		return ignoreUnlessStorage(err)
	}
	sc, err := parseNote(raw)
	if err != nil {
		return nil
	}
	if _, err := s.n.checkpoints.judges.verify(sc); err != nil {
		return nil
	}
	if sc.Size <= s.View().Tree.Size() {
		root, err := s.n.machine.RootAt(sc.Size)
		if err != nil {
			return err
		}
		if root != sc.Root {
			return fmt.Errorf("the checkpoint that this node keeps, of %d entries: %w", sc.Size, ErrRootDiffers)
		}
	}
	s.checkpoint = sc
	return nil
}

func ignoreUnlessStorage(err error) error {
	if errors.Is(err, ledger.ErrStorage) {
		return err
	}
	return nil
}

// View returns the state at the end of the copy. It never changes.
func (s *Survivor) View() *state.State { return s.n.machine.View() }

// Blank reports whether the copy holds the genesis and nothing else.
func (s *Survivor) Blank() bool { return s.View().Envelopes == 1 }

// Kind returns what part the node took when it stopped.
func (s *Survivor) Kind() act.NodeKind { return s.n.kind }

// Last returns index and term of the last record of its Raft log: 0 on a mirror,
// and on a voter that has lost its log.
func (s *Survivor) Last() (index, term uint64) { return s.index, s.term }

// Checkpoint returns the newest valid checkpoint that it kept; its size is zero if
// it kept none.
func (s *Survivor) Checkpoint() tlog.SignedCheckpoint { return s.checkpoint }

// RootAt returns the root at a tree size of the copy.
func (s *Survivor) RootAt(size uint64) (tlog.Hash, error) { return s.n.machine.RootAt(size) }

// Leaf returns the leaf at an index.
func (s *Survivor) Leaf(index uint64) ([]byte, error) { return s.n.machine.Leaf(index) }

// Policy returns the policy that checkpoints of a tree size must meet.
func (s *Survivor) Policy(size uint64) (*tlog.Policy, error) { return PolicyAt(s.View(), size) }

// Scan reads the whole copy and accounts for every byte of it; progress is called
// after each envelope.
func (s *Survivor) Scan(progress func()) error {
	for number := range s.View().Envelopes {
		if _, _, err := s.n.machine.Envelope(number); err != nil {
			return fmt.Errorf("scan: envelope %d: %w", number, err)
		}
		progress()
	}
	return nil
}

// Envelopes returns the envelopes from a number on, to the end of the copy.
func (s *Survivor) Envelopes(from uint64) ([]Pulled, error) {
	var out []Pulled
	for number := from; number < s.View().Envelopes; number++ {
		e, logTime, err := s.n.machine.Envelope(number)
		if err != nil {
			return nil, fmt.Errorf("envelope %d: %w", number, err)
		}
		out = append(out, Pulled{LogTime: logTime, Envelope: e.Marshal()})
	}
	return out, nil
}

// Close closes the files.
func (s *Survivor) Close() error {
	n := s.n
	n.cancel()
	problems := []error{n.closeStores()}
	if n.machine != nil {
		problems = append(problems, n.machine.Close())
	}
	return errors.Join(problems...)
}

func (n *Node) closeStores() error {
	var problems []error
	if n.logs != nil {
		problems = append(problems, n.logs.Close())
	}
	if n.stable != nil {
		problems = append(problems, n.stable.Close())
	}
	n.logs, n.stable = nil, nil
	return errors.Join(problems...)
}

// begun reads the mark of an epoch that is being begun, and reports whether the
// copy is behind it already.
func (s *Survivor) begun(view *state.State) (bool, error) {
	id, err := halfBegun(s.n.cfg.Dir)
	if err != nil || id == nil || view.LogEpoch == 1 {
		return false, err
	}
	meta, err := s.n.machine.Meta(view.Epochs[len(view.Epochs)-1].Envelopes)
	if err != nil {
		return false, err
	}
	return meta.ID == *id, nil
}

func markPath(dir string) string { return filepath.Join(dir, "epoch") }

// halfBegun returns the id of the recovery act that was begun and not finished, nil
// if none was.
func halfBegun(dir string) (*envelope.ID, error) {
	raw, err := ledger.ReadFileDurable(markPath(dir))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case len(raw) != len(envelope.ID{}):
		return nil, fmt.Errorf("%w: mark of a log epoch", ledger.ErrDamaged)
	}
	id := envelope.ID(raw)
	return &id, nil
}
