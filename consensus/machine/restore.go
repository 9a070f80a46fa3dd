package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// MaxSnapshotBytes bounds an encoded snapshot.
const MaxSnapshotBytes = 64 << 20

// Snapshot is the state with the length of every file of the ledger.
type Snapshot struct {
	State *state.State
	At    ledger.Lengths
}

// Marshal returns the snapshot's deterministic CBOR.
func (s Snapshot) Marshal() []byte { return s.append(nil) }

func (s Snapshot) append(b []byte) []byte { return s.At.Append(s.State.AppendCBOR(b)) }

// encode is Marshal into room for what the last snapshot took and a little more:
// a state of thousands of keys would be copied ten times while its bytes grow.
func (m *Machine) encode(s Snapshot) []byte {
	last := m.encoded.Load()
	b := s.append(make([]byte, 0, last+last/16))
	m.encoded.Store(int64(len(b)))
	return b
}

// DecodeSnapshot reads a snapshot.
func DecodeSnapshot(raw []byte) (Snapshot, error) {
	d := cbor.NewDecoder(raw)
	st, err := state.Decode(d)
	if err != nil {
		return Snapshot{}, err
	}
	at := ledger.DecodeLengths(d)
	if err := d.Done(); err != nil {
		return Snapshot{}, fmt.Errorf("snapshot: %w", err)
	}
	if at.TreeSize != st.Tree.Size() || at.Envelopes != st.Envelopes {
		return Snapshot{}, fmt.Errorf("snapshot: %w: lengths are not the state's", ErrDiverged)
	}
	return Snapshot{State: st, At: at}, nil
}

// Snapshot returns the current state for Raft. It costs a clone of the state.
// While a gap is open it returns ErrGap: nothing is promised from a gap.
func (m *Machine) Snapshot() (Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gap != nil && !fault.Planted(fault.AnswerFromGap) {
		return Snapshot{}, ErrGap
	}
	m.bytes = 0
	return Snapshot{State: m.current(), At: m.ledger.Lengths()}, nil
}

// Applied returns how many bytes of envelopes were applied since the last
// snapshot.
func (m *Machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// Save makes the ledger durable, then the given state beside it: the lower
// edge from which a gap would be filled.
func (m *Machine) Save(s Snapshot) error {
	if _, err := m.ledger.Sync(); err != nil {
		return err
	}
	return ledger.WriteTwice(m.stateFile(), m.encode(s))
}

// adopt cuts the ledger back to the snapshot, once it is seen to be the
// snapshot's ledger.
func (m *Machine) adopt(s Snapshot) error {
	if err := m.compare(s); err != nil {
		return err
	}
	err := m.ledger.Truncate(s.At)
	if errors.Is(err, ledger.ErrDamaged) {
		_ = m.suspect(err) // repaired once the node runs
		err = m.ledger.Cut(s.At)
	}
	if err != nil {
		return err
	}
	m.damage.forget(s.At.Envelopes)
	m.settleAt(s)
	return nil
}

// settleAt takes the state of a snapshot whose ledger this is.
func (m *Machine) settleAt(s Snapshot) {
	m.state = s.State.Clone()
	m.seen = verified{} // what was under way may be part of s
	m.roots = rootRing{}
	m.roots.add(s.At.TreeSize, m.state.Tree.Root())
}

// compare tells whether the ledger is the snapshot's by its root at that size.
// If it is not, the leaves tell a damaged ledger from another log's: where they
// lead to the root, or to hashes that are not those stored, the disk is wrong.
func (m *Machine) compare(s Snapshot) error {
	size, want := s.At.TreeSize, s.State.Tree.Root()
	if s.At.Envelopes > m.ledger.Lengths().Envelopes {
		return fmt.Errorf("ledger of %d envelopes, the snapshot has %d: %w", m.ledger.Lengths().Envelopes, s.At.Envelopes, ledger.ErrOutOfRange)
	}
	root, err := tlog.RootAt(m.ledger, size)
	if err != nil || root == want {
		return err
	}
	d, err := m.derive(size, nil)
	if err != nil {
		return err
	}
	if d.root != want && d.wrong == 0 {
		return fmt.Errorf("ledger's root at %d is not the snapshot's: %w", size, ErrDiverged)
	}
	_ = m.suspect(fmt.Errorf("%w: its root at %d is not the snapshot's", ledger.ErrDamaged, size)) // repaired once the node runs
	return nil
}

func (m *Machine) stateFile() string { return filepath.Join(m.dir, "state") }

// load brings state and ledger to the same envelope: that of the state file,
// or the genesis.
func (m *Machine) load() error {
	founded, first, err := state.Found(m.genesis)
	if err != nil {
		return err
	}
	if err := m.ledger.Suspect(); err != nil {
		_ = m.suspect(err) // repaired once the node runs
	}
	raw, err := ledger.ReadTwice(m.stateFile(), true)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m.found(founded, batch(m.genesis, first))
	case err != nil:
		return err
	}
	s, err := DecodeSnapshot(raw)
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	if s.State.Network != founded.Network {
		return fmt.Errorf("state file is of another network than the genesis: %w", ErrDiverged)
	}
	if s.At.Envelopes > m.ledger.Lengths().Envelopes { // Save made it durable
		if err := m.ledger.Extend(s.At); err != nil {
			return err
		}
		_ = m.suspect(m.ledger.Suspect()) // repaired once the node runs
	}
	if resumed, err := m.resume(s); resumed || err != nil {
		return err
	}
	return m.adopt(s)
}

// found starts an empty ledger with the genesis, or resumes one that stopped
// before its state was saved. One that cannot tell where its genesis ends is
// begun anew: all that follows comes again.
func (m *Machine) found(s *state.State, first ledger.Batch) error {
	snapshot := Snapshot{State: s, At: first.Alone()}
	at, err := m.ledger.LengthsAt(1)
	switch {
	case errors.Is(err, ledger.ErrDamaged), err == nil && at != snapshot.At:
		if rec, err := m.ledger.Envelope(0); err == nil && rec.ID != first.ID {
			return fmt.Errorf("ledger of another genesis, %s: %w", envelope.ID(rec.ID), ErrDiverged)
		}
		if err := m.ledger.Cut(ledger.Lengths{}); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, ledger.ErrOutOfRange):
		return err
	}
	if m.ledger.Lengths().Envelopes == 0 {
		if err := m.ledger.Append(first); err != nil {
			return err
		}
		fault.At(fault.FoundAppended)
	}
	if err := m.adopt(snapshot); err != nil {
		return err
	}
	return m.Save(snapshot)
}

// Rewind takes the machine back to the genesis, for a node whose Raft log will
// be replayed from its first record.
func (m *Machine) Rewind(genesis *envelope.Envelope) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, first, err := state.Found(genesis)
	if err != nil {
		return fmt.Errorf("rewind: %w", err)
	}
	if s.Network != m.state.Network {
		return fmt.Errorf("rewind to the genesis of another network: %w", ErrDiverged)
	}
	b := batch(genesis, first)
	// The saved state goes back first: one ahead of its ledger would be damage.
	if err := ledger.WriteTwice(m.stateFile(), Snapshot{State: s, At: b.Alone()}.Marshal()); err != nil {
		return fmt.Errorf("rewind: %w", err)
	}
	fault.At(fault.RewindMarked)
	defer m.broadcast()
	m.gap = nil
	if err := m.found(s, b); err != nil {
		return fmt.Errorf("rewind: %w", err)
	}
	return nil
}
