package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
)

// savedFill is how many bytes are filled between two saves of the progress.
const savedFill = 32 << 20

// gap says how what is missing in a voter's ledger is being filled.
type gap struct {
	// mu is held while the machine goes from one snapshot to another: taken
	// back to the edge, it seems to have no gap for a moment.
	mu   sync.Mutex
	wake chan struct{}

	// Of the filler alone:
	careful bool   // a peer has lied: what fills the gap comes from one at a time
	unsaved uint64 // bytes filled since the progress was saved
}

// gapNow returns the envelope numbers that the copy lacks: from (included) to
// (excluded).
func (n *Node) gapNow() (from, to uint64, open bool) {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if from, to, open := n.machine.Gap(); open {
		return from, to, true
	}
	return n.saltless.missing()
}

func (n *Node) hasGap() bool {
	_, _, open := n.gapNow()
	return open
}

// adopt makes the node equal to a snapshot, or opens a gap that leads to it.
func (n *Node) adopt(s machine.Snapshot) error {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if fault.Planted(fault.ReplayIntoGap) && s.At.Envelopes > n.machine.Ledger().Lengths().Envelopes {
		return nil
	}
	if s.At.Envelopes <= n.machine.View().Envelopes {
		if err := n.save(s); err != nil { // first: the ledger may not be shorter than the saved state
			return err
		}
	}
	if err := n.machine.Restore(s); err != nil {
		return err
	}
	select {
	case n.gap.wake <- struct{}{}:
	default: // already awake
	}
	return nil
}

// awaitFilled returns once the copy has no gap, or an error if the node ends
// first.
func (n *Node) awaitFilled() error {
	for {
		changed := n.machine.Changed()
		if !n.hasGap() {
			return nil
		}
		select {
		case <-n.ctx.Done():
			return errShutdown
		case <-changed:
		}
	}
}

// runFiller fills gaps in a voter's ledger from its peers.
func (n *Node) runFiller(ctx context.Context) {
	for {
		if n.hasGap() {
			if !n.fillFromAnyone(ctx) && !pause(ctx, pullPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-n.gap.wake:
		}
	}
}

func (n *Node) fillFromAnyone(ctx context.Context) bool {
	for _, peer := range n.peersInTurn() {
		err := n.fillFrom(ctx, peer)
		if err == nil {
			n.lastHelper.Store(&peer)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		n.log.Info("gap not filled from this peer", "peer", peer, "reason", err.Error())
	}
	return false
}

// fillFrom fills the gap from a peer. What it sent is kept if it dies on the
// way, and another goes on. But only the end shows whether what was sent is
// true: after a lie, all of it comes from one peer at a time, because mixed with
// another's answers a lie could not be laid at anyone's door.
func (n *Node) fillFrom(ctx context.Context, peer string) error {
	err := n.fill(ctx, peer)
	switch {
	case err == nil:
		n.gap.careful = false
		return nil
	case errors.Is(err, ledger.ErrStorage), errors.Is(err, state.ErrTooOld):
		return n.fail(err)
	case errors.Is(err, machine.ErrDiverged):
		n.gap.careful = true
	case n.gap.careful:
		if back := n.backToEdge(); back != nil {
			return n.fail(back)
		}
	}
	return err
}

func (n *Node) fill(ctx context.Context, peer string) error {
	for {
		from, to, open := n.gapNow()
		if !open {
			return nil
		}
		if err := n.eachPulled(ctx, peer, from, to, n.fillWith); err != nil {
			return err
		}
	}
}

// fillWith applies envelopes, and if they close the gap makes the filled copy
// durable before anyone sees that there is no gap: what fills a gap is not in
// Raft's log, and a voter must not cosign what is nowhere on its disk.
func (n *Node) fillWith(pulled []Pulled) error {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	if _, _, open := n.machine.Gap(); !open { // a snapshot closed it
		return nil
	}
	if err := n.machine.Fill(commands(pulled)); err != nil {
		return err
	}
	s, err := n.machine.Snapshot()
	if errors.Is(err, machine.ErrGap) {
		fault.At(fault.FillApplied)
		return n.saveFilled(pulledBytes(pulled))
	}
	fault.At(fault.FillClosed)
	if err == nil && !fault.Planted(fault.FilledUnsaved) {
		err = n.save(s)
	}
	if err != nil {
		return n.fail(fmt.Errorf("save filled copy: %w", err))
	}
	n.log.Info("gap closed", "envelopes", s.At.Envelopes)
	return nil
}

// saveFilled makes what was filled durable now and then, so that a restart goes
// on from there.
func (n *Node) saveFilled(bytes uint64) error {
	if n.gap.unsaved += bytes; n.gap.unsaved < n.cfg.limits.savedFill {
		return nil
	}
	n.gap.unsaved = 0
	if err := n.machine.SaveProgress(); err != nil {
		return n.fail(fmt.Errorf("save filled part: %w", err))
	}
	return nil
}

// saveUnconfirmed makes durable what peers sent and nothing has confirmed yet,
// so that an orderly restart goes on from there.
func (n *Node) saveUnconfirmed() error {
	_, _, open := n.machine.Gap()
	confirmed := n.confirmed.Load()
	if open || confirmed != nil && n.machine.Ledger().Lengths().Envelopes > confirmed.At.Envelopes {
		return n.machine.SaveProgress()
	}
	return nil
}

// backToEdge drops what peers sent for the gap, which stays open.
func (n *Node) backToEdge() error {
	n.gap.mu.Lock()
	defer n.gap.mu.Unlock()
	return n.machine.BackToEdge()
}
