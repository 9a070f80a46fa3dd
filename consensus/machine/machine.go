package machine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrGap says that the node does not hold what was asked for yet: it is
// filling a gap in its ledger, or repairing what its disk has damaged. The
// answer is "not yet", never "no such entry".
var ErrGap = errors.New("this node is completing its copy: ask again later")

// ErrDiverged reports that a ledger or a snapshot contradicts the envelopes it
// is made of. The node must not go on.
var ErrDiverged = errors.New("copy contradicts itself")

// ErrClosed reports an envelope that was not applied because the machine is
// about to close. Nothing failed.
var ErrClosed = errors.New("machine is closing")

// Machine is a state with its ledger.
type Machine struct {
	dir     string
	ledger  *ledger.Ledger
	genesis *envelope.Envelope
	encoded atomic.Int64 // bytes of the last snapshot that was saved

	mu       sync.Mutex // serialises applies; guards what follows
	state    *state.State
	view     *state.State // a clone for readers, nil if the state has moved on
	gap      *gap         // nil without a gap
	damage   damage
	vouched  uint64        // see Vouched
	stopped  bool          // by Interrupt or Close
	changed  chan struct{} // closed and replaced whenever the state or the gap changes
	seen     verified
	roots    rootRing
	bytes    uint64                    // of envelopes applied since the last snapshot
	withdrew func(number uint64) error // told of each withdrawal, see OnWithdrawal
	pending  []ledger.Batch            // applied, and not in the ledger before the lock is given away
}

// Outcome is what became of an envelope.
type Outcome struct {
	Refusal   *state.Refusal // nil if accepted
	Number    uint64         // envelope number
	First     uint64         // index of its first entry
	Count     uint32
	LogTime   uint64 // ms
	ID        envelope.ID
	Duplicate bool // accepted before; the rest is what it got then
}

// Open opens the machine in dir, or founds it from the genesis envelope. The
// state is that of the last [Machine.Save]; what the ledger holds beyond it is
// cut off and comes again, from Raft's log or from a peer. A damaged ledger
// opens too, see [Machine.Damage].
func Open(dir string, genesis *envelope.Envelope) (*Machine, error) {
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		return nil, fmt.Errorf("open machine: %w", err)
	}
	m := &Machine{dir: dir, ledger: l, genesis: genesis, vouched: math.MaxUint64, changed: make(chan struct{})}
	if err := m.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open machine: %w", err), l.Close())
	}
	return m, nil
}

// Interrupt makes an Apply that waits for a gap, and every later one, return
// ErrClosed; reads go on. A node interrupts its machine before it shuts Raft
// down, whose shutdown waits for Apply.
func (m *Machine) Interrupt() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = true
	m.broadcast()
}

// Close interrupts the machine and closes the ledger. Nothing is saved: Raft's
// log, or a peer, has it.
func (m *Machine) Close() error {
	m.Interrupt()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledger.Close()
}

// OnWithdrawal has f called with the envelope number of each withdrawal before
// it counts as applied. An error of f stops the node. It is called before
// anything is applied; f must not call the machine.
func (m *Machine) OnWithdrawal(f func(number uint64) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.withdrew = f
}

// Forget drops the envelopes that are kept in memory, for an erasure.
func (m *Machine) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = verified{}
}

// Ledger returns the files for reading. Reads may see entries beyond the state
// for the moment it takes to apply them.
func (m *Machine) Ledger() *ledger.Ledger { return m.ledger }

// View returns the state for reading. It never changes; ask again for a newer
// one. While a gap is open it is the state at the gap's lower edge: what lies
// above comes from a peer and is not confirmed yet.
func (m *Machine) View() *state.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current()
}

func (m *Machine) current() *state.State {
	if m.gap != nil {
		return m.gap.edge.State
	}
	if m.view == nil {
		m.view = m.state.Clone()
	}
	return m.view
}

// Wait returns once cond holds of a current view without a gap or damage, or
// the context ends.
func (m *Machine) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	for {
		m.mu.Lock()
		view, changed, whole := m.current(), m.changed, m.gap == nil && !m.damage.open()
		m.mu.Unlock()
		if whole && cond(view) {
			return view, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// Changed returns a channel that is closed at the next change.
func (m *Machine) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// Wake has everybody who waits for a change look again: what they wait for
// depends on more than the log.
func (m *Machine) Wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broadcast()
}

func (m *Machine) broadcast() {
	m.view = nil
	close(m.changed)
	m.changed = make(chan struct{})
}
