package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	eraseGather = 200 * time.Millisecond // so that withdrawals that come together are one pass
	eraseRetry  = 500 * time.Millisecond
)

// errStillThere is why an erasure is not over: something of the entries was
// found after it. It is done again.
var errStillThere = errors.New("something of what was erased is still there")

// Erased returns through which withdrawal, by its envelope number, this node has
// carried out all; 0 if there was none. The channel is closed when it changes.
func (n *Node) Erased() (through uint64, changed <-chan struct{}) { return n.erased.get() }

// runEraser carries out withdrawals: it destroys the salts and bodies of their
// entries wherever this node has them.
func (n *Node) runEraser(ctx context.Context) {
	for {
		view, err := n.Wait(ctx, n.owesErasure)
		if err != nil {
			return
		}
		view, ok := n.gather(ctx, view)
		if !ok {
			return
		}
		err = n.erase(ctx, view)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ledger.ErrStorage):
			_ = n.fail(err) // the caller of Open has it
			return
		case err != nil:
			n.log.Info("erasure goes on", "reason", err.Error())
			if !pause(ctx, eraseRetry) {
				return
			}
		}
	}
}

func (n *Node) owesErasure(view *state.State) bool {
	last, found := view.LastWithdrawal()
	through, _ := n.erased.get()
	return found && last.Envelope > through
}

// erase carries out all withdrawals of a view that are owed, in an order in
// which a crash at any place leaves it owed, and no record in Raft's log that a
// start would apply again.
func (n *Node) erase(ctx context.Context, view *state.State) error {
	began := time.Now()
	last, _ := view.LastWithdrawal()
	spans, err := n.owedSpans(view)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	o, err := n.oweAgain(spans)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	fault.At(fault.EraseOwed)
	covering := time.Now()
	covered, err := n.cover(ctx, last.Envelope)
	snapshot := time.Since(covering)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	fault.At(fault.EraseCovered)
	if err := n.eraseCopies(ctx, spans, covered); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if err := n.scanErased(spans, o); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	fault.At(fault.EraseScanned)
	if err := n.erased.set(last.Envelope); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	fault.At(fault.EraseDone)
	if err := o.end(); err != nil {
		return err
	}
	n.log.Info("erased what was withdrawn", "entries", countSpans(spans), "through", last.Envelope,
		"took", time.Since(began).Round(time.Millisecond).String(), "snapshot", snapshot.Round(time.Millisecond).String())
	return nil
}

// eraseCopies destroys what this node holds of the entries: in its ledger, in
// Raft's log before a snapshot, in memory, and in what stands on the node.
func (n *Node) eraseCopies(ctx context.Context, spans []ledger.Span, snapshot uint64) error {
	n.mending.Lock() // what a repair has read before must not be written after
	err := n.machine.Ledger().Erase(spans...)
	n.mending.Unlock()
	if err != nil {
		return err
	}
	n.machine.Forget()
	if n.logs != nil && !fault.Planted(fault.EraseKeepLog) {
		if err := n.logs.Rewrite(snapshot); err != nil {
			return err
		}
	}
	fault.At(fault.EraseLog)
	if n.cfg.Forget == nil {
		return nil
	}
	return n.cfg.Forget(ctx, spans)
}

// owedSpans returns the entries of the withdrawals that are owed: those that
// the leaves say are the hospital's.
func (n *Node) owedSpans(view *state.State) ([]ledger.Span, error) {
	through, _ := n.erased.get()
	var spans []ledger.Span
	for _, w := range view.Withdrawals {
		if w.Envelope <= through {
			continue
		}
		e, _, err := n.machine.Envelope(w.Envelope)
		if err != nil {
			return nil, err
		}
		more, err := n.spansOf(e)
		if err != nil {
			return nil, fmt.Errorf("withdrawal in envelope %d: %w", w.Envelope, err)
		}
		spans = append(spans, more...)
	}
	return spans, nil
}

func (n *Node) spansOf(e *envelope.Envelope) ([]ledger.Span, error) {
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil {
		return nil, err
	}
	w, err := act.DecodeWithdrawal(a.Payload)
	if err != nil {
		return nil, err
	}
	return n.machine.OwnSpans(w)
}

// oweAgain records how to know the entries again once they are gone.
func (n *Node) oweAgain(spans []ledger.Span) (*owed, error) {
	o, err := loadOwed(n.cfg.Dir)
	if err != nil {
		return nil, err
	}
	for _, s := range spans {
		for index := s.First; index < s.First+s.Count; index++ {
			b, err := n.machine.Ledger().Body(index)
			if err != nil {
				return nil, n.machine.Noticed(err)
			}
			o.add(b.Ciphertext)
		}
	}
	return o, o.save()
}

// cover makes durable a state in which the withdrawal counts, so that no start
// applies again what came before it. On a voter that is a snapshot, whose index
// is returned: behind it no record is needed.
func (n *Node) cover(ctx context.Context, withdrawal uint64) (snapshot uint64, err error) {
	if n.raft == nil {
		return 0, n.save(*n.confirmed.Load())
	}
	if _, err := n.SnapshotNow(ctx); err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return 0, err
	}
	newest, s, err := n.newestSnapshot()
	switch {
	case err != nil:
		return 0, err
	case s.State.Envelopes <= withdrawal:
		return 0, fmt.Errorf("%w: the snapshot at %d does not cover envelope %d", ErrNotYet, newest, withdrawal)
	}
	return newest, nil
}

// newestSnapshot reads the newest snapshot of Raft.
func (n *Node) newestSnapshot() (index uint64, s machine.Snapshot, err error) {
	newest, found := n.snapshots.Newest()
	if !found {
		return 0, s, fmt.Errorf("%w: there is no snapshot", ErrNotYet)
	}
	_, r, err := n.snapshots.Open(newest.ID)
	if err != nil {
		return 0, s, err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, machine.MaxSnapshotBytes+1))
	if err != nil {
		return 0, s, err
	}
	s, err = machine.DecodeSnapshot(raw)
	return newest.Index, s, err
}

// scanErased looks whether anything of the entries is left: in the ledger, and
// as raw bytes in Raft's log. A record at the snapshot's very index stays in
// the log; if it is an envelope that came twice, the leader's next marker lets
// it go.
func (n *Node) scanErased(spans []ledger.Span, o *owed) error {
	if fault.Planted(fault.EraseNothing) || fault.Planted(fault.EraseKeepLog) {
		return nil // a test's own search is to find it
	}
	for _, s := range spans {
		for index := s.First; index < s.First+s.Count; index++ {
			b, err := n.machine.Ledger().Body(index)
			if err != nil {
				return n.machine.Noticed(err)
			}
			if !b.Blank() {
				return fmt.Errorf("%w: entry %d in the ledger", errStillThere, index)
			}
		}
	}
	if n.logs == nil {
		return nil
	}
	found, err := o.foundIn(filepath.Join(n.cfg.Dir, "raft", logFile))
	if err == nil && found {
		err = fmt.Errorf("%w: in Raft's log", errStillThere)
	}
	return err
}

// eraseBeforeStart carries out what an interrupted erasure owes before anything
// is applied or served. What it cannot reach now, [Node.erase] does later, which
// also looks whether all is gone.
func (n *Node) eraseBeforeStart() error {
	if err := ledger.DestroyUnfinished(n.cfg.Dir); err != nil {
		return err
	}
	view := n.machine.View()
	if !n.owesErasure(view) { // nothing was erased that no saved state covers
		return ledger.Destroy(filepath.Join(n.cfg.Dir, owedFile))
	}
	spans, err := n.owedSpans(view)
	if err == nil {
		_, err = n.oweAgain(spans)
	}
	if err == nil {
		err = n.machine.Ledger().Erase(spans...)
	}
	if errors.Is(err, ledger.ErrStorage) {
		return err
	}
	if err != nil || n.logs == nil { // the disk is damaged: once it is repaired
		return nil
	}
	last, _ := view.LastWithdrawal()
	index, s, err := n.newestSnapshot()
	if err != nil || s.State.Envelopes <= last.Envelope { // Raft applies the withdrawal again
		return nil
	}
	return n.logs.Rewrite(index)
}

func countSpans(spans []ledger.Span) (n uint64) {
	for _, s := range spans {
		n += s.Count
	}
	return n
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
