package consensus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
)

// quarantineFile marks a data directory whose copy contradicted the network's.
// It holds the reason, for people.
const quarantineFile = "QUARANTINE"

// Quarantined reports whether the copy in a node's directory must not be used
// any more, and why.
func Quarantined(dir string) (reason string, is bool) {
	raw, err := os.ReadFile(filepath.Join(dir, quarantineFile))
	return strings.TrimSpace(string(raw)), err == nil
}

// fail ends the node's work for good: its workers stop, its methods return the
// error, and the caller of [Open] is told that the process must end. After a
// failed fsync a second start would read from memory what the disk has not.
func (n *Node) fail(err error) error {
	if untrusted := errors.Is(err, machine.ErrDiverged) || errors.Is(err, ledger.ErrFsync); untrusted && !errors.Is(err, ErrQuarantined) {
		return n.quarantine(err)
	}
	if n.failed.CompareAndSwap(nil, &err) {
		n.cancel()
		if n.opened.Load() {
			go n.cfg.Fatal(err)
		}
	}
	return err
}

// Distrust tells the node of a failed fsync of files beside its own on the same
// disk: it ends and is quarantined, as after one of its own. It returns the
// reason.
func (n *Node) Distrust(err error) error { return n.fail(err) }

// failure returns what the node failed with, or nil.
func (n *Node) failure() error {
	if err := n.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// ended returns why the node answers no more, or nil.
func (n *Node) ended() error {
	if err := n.failure(); err != nil {
		return err
	}
	if n.ctx.Err() != nil {
		return errShutdown
	}
	return nil
}

// held says that something is held for good, from when it is.
type held struct {
	done chan struct{} // closed by once
	once sync.Once
}

func (h *held) is() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// holdRaft takes a failure of Raft's storage and never returns to Raft, which
// would panic on it before the process ends as it should. Close does not wait
// for what is held here. A damaged log is mended by the next start. The streams
// are cut at once: a leader held here would go on with its heartbeats, and keep
// the others from electing one that works.
func (n *Node) holdRaft(err error) {
	n.held.once.Do(func() { close(n.held.done) })
	if errors.Is(err, logstore.ErrDamaged) && n.mayRecover() {
		err = fmt.Errorf("%w: %w", ErrRestart, err)
	}
	_ = n.fail(err) // the caller has it
	if n.opened.Load() {
		n.streams.silence()
		select {}
	}
}

// quarantine marks the data directory and fails: this node's copy is not the
// network's, not what its disk holds, or its word may have been given by
// another.
func (n *Node) quarantine(reason error) error {
	_ = n.meterRoot(reason)
	n.log.Error("this node is quarantined", "reason", reason.Error())
	text := reason.Error() + "\n"
	if err := os.WriteFile(filepath.Join(n.cfg.Dir, quarantineFile), []byte(text), 0o600); err != nil {
		reason = errors.Join(reason, err)
	}
	return n.fail(fmt.Errorf("%w: %w", ErrQuarantined, reason))
}

// save makes the ledger durable and a state beside it, from which the next
// start goes on. A state beyond the ledger would keep the node from starting.
func (n *Node) save(s machine.Snapshot) error {
	n.saving.Lock()
	defer n.saving.Unlock()
	if has := n.machine.Ledger().Lengths().Envelopes; s.At.Envelopes > has {
		return fmt.Errorf("save state at envelope %d: the ledger has %d: %w", s.At.Envelopes, has, machine.ErrDiverged)
	}
	if fault.Planted(fault.SnapshotUnsynced) {
		return nil
	}
	began := time.Now()
	if err := n.machine.Save(s); err != nil {
		return err
	}
	n.cfg.Meter.Synced(time.Since(began))
	return nil
}

// endsNode tells what this node cannot go on after from a peer's bad answer.
func endsNode(err error) bool { return isOwnFailure(err) || errors.Is(err, state.ErrTooOld) }

// isOwnFailure tells this node's failed storage from a peer's bad answer.
func isOwnFailure(err error) bool {
	return errors.Is(err, ledger.ErrStorage) || errors.Is(err, ledger.ErrDamaged)
}
