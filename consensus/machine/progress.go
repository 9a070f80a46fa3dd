package machine

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// SaveProgress makes durable what was applied and is not confirmed yet: what
// fills a gap, or leads to a mirror's next checkpoint. A restart goes on from
// there, and still takes all of it back if the end is not what it should be.
func (m *Machine) SaveProgress() error {
	m.mu.Lock()
	s := Snapshot{State: m.state.Clone(), At: m.ledger.Lengths()}
	m.mu.Unlock()
	if _, err := m.ledger.Sync(); err != nil {
		return err
	}
	fault.At(fault.FillSynced)
	if err := ledger.WriteFileDurable(m.progressFile(), m.encode(s)); err != nil {
		return err
	}
	fault.At(fault.FillSaved)
	return nil
}

func (m *Machine) progressFile() string { return filepath.Join(m.dir, "progress") }

// resume goes on above the saved state if the ledger holds, up to the saved
// progress, one tree with both. The gap is open, and its end not known yet.
func (m *Machine) resume(edge Snapshot) (bool, error) {
	raw, err := ledger.ReadFileDurable(m.progressFile())
	if err != nil {
		return false, ignoreUnlessStorage(err)
	}
	p, err := DecodeSnapshot(raw)
	if err != nil || p.State.Network != edge.State.Network || p.At.Envelopes <= edge.At.Envelopes ||
		p.At.Envelopes > m.ledger.Lengths().Envelopes || m.damage.open() {
		return false, nil
	}
	for _, s := range []Snapshot{edge, p} {
		root, err := tlog.RootAt(m.ledger, s.At.TreeSize)
		if err != nil || root != s.State.Tree.Root() {
			return false, ignoreUnlessStorage(err)
		}
	}
	if err := m.ledger.Truncate(p.At); err != nil {
		return false, ignoreUnlessStorage(err)
	}
	m.settleAt(p)
	m.gap = &gap{edge: edge, target: p}
	return true, nil
}

// ignoreUnlessStorage drops errors that only mean that there is no progress to
// go on from.
func ignoreUnlessStorage(err error) error {
	if errors.Is(err, ledger.ErrStorage) {
		return err
	}
	return nil
}

// TakeUp returns what is confirmed of a copy whose progress was saved, for a
// mirror: it compares roots itself, and goes on as if there were no gap.
func (m *Machine) TakeUp() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gap == nil {
		return Snapshot{State: m.current(), At: m.ledger.Lengths()}
	}
	edge := m.gap.edge
	m.gap = nil
	m.broadcast()
	return edge
}

// Follow applies what a mirror pulled from a peer, until the tree has the given
// size. ErrDiverged says that an envelope did not take its place as the peer
// said.
func (m *Machine) Follow(commands []Command, size uint64) (err error) {
	ready := m.prepare(commands, decodeHeld)
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.broadcast()
	defer func() { err = errors.Join(err, m.write()) }()
	for i, p := range ready {
		if m.stopped {
			return ErrClosed
		}
		if m.state.Tree.Size() >= size {
			return nil
		}
		number := m.state.Envelopes
		out, err := m.applyRepaired(p, commands[i].LeaderTime)
		if err == nil {
			err = checkPlace(out, commands[i].LeaderTime)
		}
		if err != nil {
			return fmt.Errorf("follow envelope %d: %w", number, err)
		}
	}
	return nil
}

// checkPlace reports ErrDiverged unless an envelope was accepted for the first
// time with the log time that a peer gave it.
func checkPlace(out Outcome, logTime uint64) error {
	switch {
	case out.Refusal != nil:
		return fmt.Errorf("%w: %w", ErrDiverged, out.Refusal)
	case out.Duplicate:
		return fmt.Errorf("%w: it is envelope %d already", ErrDiverged, out.Number)
	case out.LogTime != logTime:
		return fmt.Errorf("%w: log time goes back", ErrDiverged)
	}
	return nil
}
