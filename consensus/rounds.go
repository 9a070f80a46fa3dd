package consensus

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

const (
	roundTimeout = 3 * time.Second
	roundPause   = 200 * time.Millisecond // after a round without a majority
)

// runRounds makes checkpoints while this node leads: a round for every growth
// of the tree, back to back. A round covers all that was applied when it
// began, so a busy log has few rounds with many envelopes each.
func (n *Node) runRounds(ctx context.Context) {
	for {
		changed := n.machine.Changed()
		due := n.raft.State() == raft.Leader && n.machine.View().Tree.Size() > n.checkpoints.size()
		if due && n.round(ctx) {
			continue
		}
		pause := time.Hour
		if due {
			pause = roundPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-changed:
		case <-n.raft.LeaderCh():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round asks every voter to cosign the current tree and publishes the
// checkpoint once a majority has. It reports whether it got one.
func (n *Node) round(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	if err := n.raft.VerifyLeader().Error(); err != nil {
		return false
	}
	view := n.machine.View()
	p := Proposal{
		Checkpoint: tlog.Checkpoint{Origin: Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root()},
		RaftIndex:  n.appliedIndex.Load(), Term: n.raft.CurrentTerm(),
	}
	sc, err := n.collect(ctx, view, p)
	if err != nil {
		n.log.Warn("no checkpoint in this round", "size", p.Checkpoint.Size, "reason", err.Error())
		return false
	}
	if err := n.checkpoints.accept(sc); err != nil {
		n.log.Error("own checkpoint not valid", "reason", err.Error())
		return false
	}
	n.announce(view, sc)
	return true
}

// answer is one voter's reply to a proposal.
type answer struct {
	node string
	sigs []tlog.NoteSignature
	err  error
}

// collect gathers cosignatures until a majority has signed. If a majority
// answers that its root differs, this node's copy is the wrong one.
func (n *Node) collect(ctx context.Context, view *state.State, p Proposal) (tlog.SignedCheckpoint, error) {
	voters := view.Voters()
	answers := make(chan answer, len(voters))
	for _, v := range voters {
		go func() {
			sigs, err := n.ask(ctx, v.ID, p)
			answers <- answer{v.ID, sigs, err}
		}()
	}
	logSig, err := n.signer.log.Sign(p.Checkpoint)
	if err != nil {
		return tlog.SignedCheckpoint{}, err
	}
	sc := tlog.SignedCheckpoint{Checkpoint: p.Checkpoint, Signatures: []tlog.NoteSignature{logSig}}
	signed, differ, majority := 0, 0, len(voters)/2+1
	problems := []error{errors.New("too few voters cosigned")}
	for range voters {
		a := <-answers
		if a.err == nil {
			a.err = n.checkpoints.verifyCosigner(a.node, p.Checkpoint, a.sigs)
		}
		if a.err != nil {
			problems = append(problems, a.err)
			if errors.Is(a.err, ErrRootDiffers) {
				differ++
			}
			continue
		}
		sc.Signatures = append(sc.Signatures, a.sigs...)
		if signed++; signed == majority {
			return sc, nil
		}
	}
	if differ >= majority {
		return sc, n.quarantine(ErrRootDiffers)
	}
	return sc, errors.Join(problems...)
}

func (n *Node) ask(ctx context.Context, node string, p Proposal) ([]tlog.NoteSignature, error) {
	if node == n.cfg.Self {
		return n.HandleCosign(ctx, p)
	}
	return n.cfg.Peers.Cosign(ctx, node, p)
}

// announce tells the other voters. Who misses it hears of the next, or asks.
func (n *Node) announce(view *state.State, sc tlog.SignedCheckpoint) {
	note := sc.Marshal()
	for _, v := range view.Voters() {
		if v.ID == n.cfg.Self {
			continue
		}
		n.workers.Add(1)
		go func() {
			defer n.workers.Done()
			ctx, cancel := context.WithTimeout(context.Background(), roundTimeout)
			defer cancel()
			if err := n.cfg.Peers.Announce(ctx, v.ID, note); err != nil {
				n.log.Debug("checkpoint not announced", "peer", v.ID, "reason", err.Error())
			}
		}()
	}
}

// HandleAnnounce takes a checkpoint from a peer.
func (n *Node) HandleAnnounce(note []byte) error { return n.acceptCheckpoint(note) }
