package consensus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// A voter that was away while an act made a mirror of it hears nothing from Raft
// any more, that act included. It reads on in the others' copies, as a mirror
// would, until it finds it.

// lostAfter is after how many heartbeats without a leader a voter looks whether it
// is one still.
const lostAfter = 10

// runWayBack looks, while no leader is heard, whether this node is to be a mirror.
func (n *Node) runWayBack(ctx context.Context) {
	began := time.Now()
	for pause(ctx, lostAfter*n.cfg.Timing.Heartbeat) {
		if !n.isWhole() || !n.lost(began) {
			continue
		}
		for _, peer := range n.peersInTurn() {
			ahead, err := n.readAhead(ctx, peer)
			if errors.Is(err, state.ErrTooOld) {
				_ = n.fail(err) // the caller of Open has it
				return
			}
			if err != nil {
				n.log.Debug("not told what has become of this node", "peer", peer, "reason", err.Error())
				continue
			}
			if n.partIn(ahead) == act.Mirror && n.majorityAnswers(ctx, ahead) {
				n.becomeMirror(ahead.Envelopes)
				return
			}
		}
	}
}

// lost reports whether no leader was heard for long, counted from a time at the
// earliest.
func (n *Node) lost(since time.Time) bool {
	if heard := n.raft.LastContact(); heard.After(since) {
		since = heard
	}
	return !n.Leading() && time.Since(since) >= lostAfter*n.cfg.Timing.Heartbeat
}

// majorityAnswers reports whether a majority of a state's voters answers: while one
// does and this voter hears no leader, they do without its vote.
func (n *Node) majorityAnswers(ctx context.Context, view *state.State) bool {
	voters, answered := view.Voters(), 0
	for _, v := range voters {
		if v.ID != n.cfg.Self && n.answers(ctx, v.ID) {
			answered++
		}
	}
	return answered >= len(voters)/2+1
}

// readAhead reads a peer's envelopes from the end of this copy to a checkpoint,
// without keeping them, and returns the state then; this copy's own if the peer has
// no more. What it read counts if a majority of the voters at that size has cosigned
// it.
func (n *Node) readAhead(ctx context.Context, peer string) (*state.State, error) {
	sc, err := n.peerCheckpoint(ctx, peer, 0)
	if err != nil {
		return nil, err
	}
	ahead := n.machine.View().Clone()
	if sc.Size <= ahead.Tree.Size() {
		return ahead, nil
	}
	err = n.eachPulled(ctx, peer, ahead.Envelopes, math.MaxUint64, func(list []Pulled) error { return readOn(ahead, list, sc.Size) })
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return ahead, checkAhead(ahead, sc)
}

// readOn takes envelopes into a state, until its tree has a size.
func readOn(s *state.State, list []Pulled, size uint64) error {
	for _, p := range list {
		e, err := envelope.DecodeHeld(p.Envelope)
		if err != nil {
			return err
		}
		commitments := e.Commitments()
		logTime, refusal := s.Admit(e, p.LogTime, commitments)
		if refusal != nil {
			return refusal
		}
		if err := s.Follow(e); err != nil {
			return err
		}
		s.Accept(e, logTime, commitments)
		if s.Tree.Size() >= size {
			return errEnough
		}
	}
	return nil
}

func checkAhead(s *state.State, sc tlog.SignedCheckpoint) error {
	if s.Tree.Size() != sc.Size || s.Tree.Root() != sc.Root {
		return fmt.Errorf("read on to %d entries, checkpoint of %d: %w", s.Tree.Size(), sc.Size, ErrRootDiffers)
	}
	policy, err := PolicyOf(s)
	if err != nil {
		return err
	}
	if _, err := policy.Verify(sc); err != nil {
		return fmt.Errorf("%w: %v", errNotCosigned, err)
	}
	return nil
}

// becomeMirror notes durably that this node is opened as a mirror next, and asks
// for that.
func (n *Node) becomeMirror(envelopes uint64) {
	n.log.Warn("an act has made a mirror of this voter while it was away")
	if err := n.notePart(notedPart{Kind: act.Mirror, Envelopes: envelopes}); err != nil {
		_ = n.fail(err) // the caller of Open has it
		return
	}
	n.changePart()
}
