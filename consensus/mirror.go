package consensus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/tlog"
)

const (
	pollTimeout = 10 * time.Second // before another peer is asked for news
	savePeriod  = 5 * time.Second  // between two saves of a mirror's copy, at least
	saveLatest  = time.Minute      // and at most, once there is something new,
	saveBytes   = 4 << 20          // unless this much is: the state of a nation's hospitals is as long, and is written twice
)

// mirroring is what a mirror's puller, and nobody else, knows.
type mirroring struct {
	careful bool               // a peer has lied: a checkpoint is reached with one peer's envelopes alone
	saved   time.Time          // when the copy was last saved
	kept    *machine.Snapshot  // what was saved then; nil: nothing yet
	copied  []int              // static copies that gave something of what is not confirmed yet
	failed  map[string]failure // peers that were asked in vain
}

// isDue tells whether a confirmed copy is to be saved now. What a crash loses is
// pulled again.
func (m *mirroring) isDue(confirmed *machine.Snapshot) bool {
	since := time.Since(m.saved)
	if confirmed == m.kept || since < savePeriod {
		return false
	}
	if m.kept == nil || since >= saveLatest {
		return true
	}
	now, then := confirmed.At, m.kept.At
	return now.EnvelopesBytes+now.BodiesBytes >= then.EnvelopesBytes+then.BodiesBytes+saveBytes
}

// runMirror keeps a mirror's copy up to date.
func (n *Node) runMirror(ctx context.Context) {
	n.mirror.saved, n.mirror.failed = time.Now(), map[string]failure{}
	for ctx.Err() == nil {
		if !n.pullFromAnyone(ctx) && !pause(ctx, pullPause) {
			return
		}
		if confirmed := n.confirmed.Load(); n.mirror.isDue(confirmed) {
			if err := n.save(*confirmed); err != nil {
				_ = n.fail(fmt.Errorf("save mirror: %w", err)) // the caller of Open has it
				return
			}
			n.mirror.saved, n.mirror.kept = time.Now(), confirmed
		}
	}
}

// pullFromAnyone asks each peer for news until one has some.
func (n *Node) pullFromAnyone(ctx context.Context) bool {
	peers, spared := n.helpersInTurn()
	answered := false
	for _, peer := range peers {
		if peer == spared && answered {
			continue // what it has that counts, a majority of the others has
		}
		before := n.checkpoints.size()
		err := n.pullFrom(ctx, peer)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			n.mirror.failed[peer] = n.mirror.failed[peer].noted()
			n.log.Info("not pulled from this peer", "peer", peer, "reason", err.Error())
		case n.checkpoints.size() > before:
			delete(n.mirror.failed, peer)
			n.lastHelper.Store(&peer)
			return true
		default:
			answered = true
			delete(n.mirror.failed, peer)
			n.lastHelper.CompareAndSwap(nil, &peer) // it answered
		}
	}
	return false
}

// pullFrom waits for a newer checkpoint, applies the envelopes up to it, and
// compares roots. What a peer sent counts only if the checkpoint confirms it; if
// the peer dies on the way, the next one goes on from there.
func (n *Node) pullFrom(ctx context.Context, peer string) error {
	newerThan := n.checkpoints.size()
	if n.lastHelper.Load() == nil { // is anyone there at all?
		newerThan = 0
	}
	sc, err := n.peerCheckpoint(ctx, peer, newerThan)
	if err != nil {
		return err
	}
	judged, err := n.judgedBy(sc)
	if err != nil {
		return err
	}
	if judged != nil {
		n.goal.Store(max(n.goal.Load(), sc.Size)) // nobody else writes it
	}
	if sc.Size <= n.confirmed.Load().At.TreeSize {
		err := n.offer(sc)
		if err == nil && sc.Size == n.confirmed.Load().At.TreeSize { // else it is the peer that is behind
			err = n.met()
		}
		return err
	}
	err = n.pullTo(ctx, peer, sc.Checkpoint)
	if err == nil {
		err = n.judge(sc, judged)
	}
	if err == nil {
		err = n.checkLeftOut(ctx, peer)
	}
	if err == nil {
		err = n.confirm(sc)
	}
	switch {
	case err == nil:
		n.mirror.careful, n.mirror.copied = false, nil
		return n.met()
	case endsNode(err):
		return n.fail(err)
	case isLie(err):
		_ = n.meterRoot(err)
		n.mirror.careful = true
		n.suspectCopies(err)
	case !n.mirror.careful:
		return err // the next peer goes on from here
	}
	if back := n.machine.Restore(*n.confirmed.Load()); back != nil {
		return n.fail(back)
	}
	return err
}

// checkLeftOut looks at what the peer left out since the last checkpoint.
func (n *Node) checkLeftOut(ctx context.Context, peer string) error {
	erased, err := n.machine.CheckLeftOut(n.confirmed.Load().At.TreeSize)
	if err != nil || !erased {
		return err
	}
	if len(n.mirror.copied) > 0 {
		peer = "" // not all of it is the peer's word
	}
	return n.checkLayout(ctx, peer)
}

// isLie tells what a peer sent from a peer that sent nothing.
func isLie(err error) bool {
	return errors.Is(err, ErrRootDiffers) || errors.Is(err, machine.ErrDiverged) || errors.Is(err, errNotCosigned)
}

// peerCheckpoint returns a peer's newest checkpoint, not verified yet, and waits
// for a while until it is larger than size.
func (n *Node) peerCheckpoint(ctx context.Context, peer string, size uint64) (tlog.SignedCheckpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	note, err := n.cfg.Peers.Checkpoint(ctx, peer, size)
	if err != nil {
		return tlog.SignedCheckpoint{}, fmt.Errorf("checkpoint of %s: %v", peer, err) // its failure is not ours: no %w
	}
	return parseNote(note)
}

// errNotCosigned says that a checkpoint lacks a majority of the voters of its
// own size.
var errNotCosigned = errors.New("no majority of the voters at its size has cosigned the checkpoint")

// judgedBy verifies a checkpoint with the voters that this copy knows, and
// returns the policy that it meets. Of one that is beyond the copy it is nil if
// it meets none: the voters may have changed up to there, and the envelopes up
// to it will tell.
func (n *Node) judgedBy(sc tlog.SignedCheckpoint) (*tlog.Policy, error) {
	policy, err := n.Policy(sc.Size)
	if err != nil {
		return nil, err
	}
	if _, err = policy.Verify(sc); err == nil {
		return policy, nil
	}
	view := n.View()
	later := isLater(view, sc.Origin)
	if later {
		n.passed.Store(true)
	}
	if sc.Size > view.Tree.Size() && (sc.Origin == Origin(view) || later) {
		return nil, nil
	}
	return nil, err
}

// judge verifies a checkpoint whose size the copy has reached, unless that was
// done with the same voters.
func (n *Node) judge(sc tlog.SignedCheckpoint, judged *tlog.Policy) error {
	policy, err := n.Policy(sc.Size)
	if err != nil || policy == judged {
		return err
	}
	if _, err := policy.Verify(sc); err != nil {
		return fmt.Errorf("%w: %d entries: %v", errNotCosigned, sc.Size, err)
	}
	return nil
}

// confirm makes the copy, which has the checkpoint's size and root, the one
// that this mirror answers from.
func (n *Node) confirm(sc tlog.SignedCheckpoint) error {
	s, err := n.machine.Snapshot()
	if err != nil {
		return err
	}
	n.vouched(s)
	n.passed.Store(false)
	n.checkpoints.accept(sc)
	return nil
}

// vouched notes the copy that a mirror answers from.
func (n *Node) vouched(s machine.Snapshot) {
	n.confirmed.Store(&s)
	n.machine.Vouched(s.At.Envelopes)
}

// pullTo applies envelopes, of static copies first and then a peer's, until the copy
// is that of the checkpoint.
func (n *Node) pullTo(ctx context.Context, peer string, c tlog.Checkpoint) error {
	if err := n.pullFromCopies(ctx, peer, c.Size); err != nil {
		return err
	}
	for at := n.machine.Ledger().Lengths(); at.TreeSize < c.Size; at = n.machine.Ledger().Lengths() {
		err := n.eachPulled(ctx, peer, at.Envelopes, math.MaxUint64, func(list []Pulled) error {
			return n.applyPulled(list, c.Size)
		})
		if err != nil && !errors.Is(err, errEnough) {
			return fmt.Errorf("pulled from %s: %w", peer, err)
		}
	}
	root, err := n.machine.RootAt(c.Size)
	if err != nil {
		return err
	}
	if fault.Planted(fault.TrustPeer) {
		return nil
	}
	switch size := n.machine.Ledger().Lengths().TreeSize; {
	case root != c.Root:
		return fmt.Errorf("envelopes of %s do not lead to the checkpoint at %d: %w", peer, c.Size, ErrRootDiffers)
	case size != c.Size:
		return fmt.Errorf("%s has a checkpoint at %d, and another sent envelopes up to %d: %w", peer, c.Size, size, ErrNotYet)
	}
	return nil
}

// errEnough ends a pull at the checkpoint.
var errEnough = errors.New("the checkpoint is reached")

// applyPulled applies envelopes until the tree has the given size.
func (n *Node) applyPulled(pulled []Pulled, size uint64) error {
	began, before := time.Now(), n.machine.Ledger().Lengths().Envelopes
	if err := n.machine.Follow(commands(pulled), size); err != nil {
		return err
	}
	n.cfg.Meter.Applied(int(n.machine.Ledger().Lengths().Envelopes-before), time.Since(began)) // it stops at the size
	if n.machine.Ledger().Lengths().TreeSize >= size {
		return errEnough
	}
	if time.Since(n.mirror.saved) < savePeriod {
		return nil
	}
	n.mirror.saved = time.Now()
	return n.machine.SaveProgress()
}
