package machine

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
)

// gap is what the ledger lacks of a snapshot. What peers send goes into the
// ledger at once, but counts only when the target is reached.
type gap struct {
	edge   Snapshot // what was confirmed when the gap opened
	target Snapshot
}

// Gap reports whether the ledger lacks envelopes, and then which: numbers from
// (included) to (excluded).
func (m *Machine) Gap() (from, to uint64, open bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gap == nil {
		return 0, 0, false
	}
	return m.state.Envelopes, m.gap.target.At.Envelopes, true
}

// Restore makes the ledger equal to the snapshot, or opens a gap. A gap that is
// open already gets the new target and keeps what was filled.
func (m *Machine) Restore(s Snapshot) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.State.Network != m.state.Network {
		return fmt.Errorf("restore: snapshot is of another network: %w", ErrDiverged)
	}
	defer m.broadcast()
	m.bytes = 0
	if m.gap != nil && s.At.Envelopes <= m.state.Envelopes { // ends in what is not confirmed
		if err := m.backToEdge(); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		m.gap = nil
	}
	if s.At.Envelopes > m.state.Envelopes {
		m.aim(s)
		return nil
	}
	if err := m.adopt(s); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// aim opens a gap that ends at the target, or moves the end of the open one.
func (m *Machine) aim(target Snapshot) {
	if m.gap == nil {
		m.gap = &gap{edge: Snapshot{State: m.current(), At: m.ledger.Lengths()}}
	}
	m.gap.target = target
}

// backToEdge drops what was filled. The edge was this node's own ledger, so it
// can only fail with the storage.
func (m *Machine) backToEdge() error {
	clear(m.pending)
	m.pending = m.pending[:0]
	if err := m.adopt(m.gap.edge); err != nil {
		return fmt.Errorf("%w: back to the lower edge of the gap: %w", ledger.ErrDamaged, err)
	}
	return nil
}

// BackToEdge drops all that was filled of an open gap, which stays open.
func (m *Machine) BackToEdge() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gap == nil {
		return nil
	}
	defer m.broadcast()
	return m.backToEdge()
}

// Fill applies the next envelopes of an open gap, as a peer sent them with their
// log times, and closes the gap when the snapshot is reached; what is left then
// is not looked at. ErrDiverged means that what peers sent, the last of them or
// one before, does not lead to the snapshot: all of it is dropped, and the
// caller begins again at the lower edge, which [Machine.Gap] gives.
func (m *Machine) Fill(commands []Command) (err error) {
	ready := m.prepare(commands, decodeHeld)
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.broadcast()
	defer func() { err = errors.Join(err, m.write()) }()
	if m.gap == nil {
		return errors.New("fill: there is no gap")
	}
	for i, p := range ready {
		if err := m.fill(p, commands[i].LeaderTime); err != nil || m.gap == nil {
			return err
		}
	}
	return nil
}

func (m *Machine) fill(p prepared, logTime uint64) error {
	number := m.state.Envelopes
	if err := m.checkHeld(&p); err != nil {
		if err := m.backToEdge(); err != nil {
			return err
		}
		return fmt.Errorf("fill envelope %d: %w: %w", number, ErrDiverged, err)
	}
	out, err := m.apply(p, logTime)
	if errors.Is(err, ledger.ErrDamaged) {
		return m.suspect(err)
	}
	if err != nil {
		return err
	}
	if m.state.Envelopes >= m.gap.target.At.Envelopes {
		if err := m.write(); err != nil {
			return err
		}
	}
	if err := m.checkFilled(out, logTime); err != nil {
		if err := m.backToEdge(); err != nil {
			return err
		}
		return fmt.Errorf("fill envelope %d: %w", number, err)
	}
	if m.state.Envelopes == m.gap.target.At.Envelopes {
		m.gap = nil
	}
	return nil
}

// checkFilled reports ErrDiverged unless the envelope took its place as the
// peer said and, if it is the last, the state is the snapshot's.
func (m *Machine) checkFilled(out Outcome, logTime uint64) error {
	if err := checkPlace(out, logTime); err != nil {
		return err
	}
	target := m.gap.target
	switch {
	case m.state.Envelopes < target.At.Envelopes, fault.Planted(fault.SkipStateCheck):
		return nil
	case m.ledger.Lengths() != target.At, !bytes.Equal(m.state.AppendCBOR(nil), target.State.AppendCBOR(nil)):
		return fmt.Errorf("%w: re-derived state is not the snapshot's", ErrDiverged)
	}
	return nil
}
