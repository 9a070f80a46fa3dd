package consensus

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

const (
	roundTimeout = 3 * time.Second
	roundPause   = 200 * time.Millisecond // after a round without a majority

	// roundSpacing is the least time from one round's beginning to the next
	// while submissions are under way: a round costs every voter signatures
	// and two fsyncs, which the next commits wait for.
	roundSpacing = 50 * time.Millisecond

	// everyoneWait is how long a majority waits for the other voters while a
	// key ceremony needs a checkpoint that its holders have all cosigned.
	everyoneWait = 300 * time.Millisecond
)

// runRounds makes checkpoints while this node leads: a round for every growth
// of the tree, back to back unless the log is busy, and one in about an hour of
// a log that does not grow. A round covers all that was applied when it began, so
// a busy log has few rounds with many envelopes each. It is the one reader of
// Raft's leader channel.
func (n *Node) runRounds(ctx context.Context) {
	var began time.Time
	again := time.NewTicker(n.cfg.limits.renewAfter / 6)
	defer again.Stop()
	old := false
	for {
		changed := n.machine.Changed()
		if n.Leading() && !n.isWhole() {
			n.handOver(ctx) // it could not answer a single submission
		} else if n.Leading() && (old || n.due()) {
			n.spaceRounds(ctx, began)
			began, old = time.Now(), false
			if !n.round(ctx) && !pause(ctx, roundPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-again.C:
			old = n.old()
		case leading := <-n.raft.LeaderCh():
			if leading {
				n.checkpoints.wake()             // who missed the last leader's hears it from this one
				n.raft.Apply(nil, markerTimeout) // a command of this term, see recovery
			}
		}
	}
}

// spaceRounds waits until no submission is under way, or roundSpacing after the
// last round began: whoever is alone has the receipt at once, and many share a
// round.
func (n *Node) spaceRounds(ctx context.Context, last time.Time) {
	timer := time.NewTimer(roundSpacing - time.Since(last))
	defer timer.Stop()
	for n.inFlight.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-n.idle:
		}
	}
}

// due reports whether there is something to make a checkpoint of. After a
// start nothing is until this node has applied again what it cosigned before.
func (n *Node) due() bool {
	size := n.machine.Ledger().Lengths().TreeSize
	return size > n.checkpoints.size() && size >= n.signer.lastSize()
}

// old reports whether the newest checkpoint covers all there is, and was
// cosigned too long ago.
func (n *Node) old() bool {
	cp := n.Checkpoint()
	if cp.Size == 0 || cp.Size != n.machine.Ledger().Lengths().TreeSize {
		return false
	}
	return n.cfg.Now().Sub(n.checkpoints.time(cp)) > n.cfg.limits.renewAfter
}

// round asks every voter to cosign the current tree and keeps the checkpoint
// once a majority has. It reports whether it got one. A leader that was
// replaced unnoticed does no harm: what it has applied was committed.
func (n *Node) round(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	applied := n.raft.AppliedIndex()
	view := n.machine.View()
	if n.partIn(view) != act.Voter {
		return false // it is to hand over: nobody would take its signature
	}
	p := Proposal{
		Checkpoint: tlog.Checkpoint{Origin: Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root()},
		RaftIndex:  applied, Term: n.raft.CurrentTerm(),
	}
	sc, err := n.collect(ctx, view, p)
	if err == nil {
		err = n.take(sc) // its signatures were verified one by one
	}
	if err != nil && n.ctx.Err() == nil {
		n.log.Warn("no checkpoint in this round", "size", p.Checkpoint.Size, "reason", err.Error())
	}
	return err == nil
}

// answer is one voter's reply to a proposal.
type answer struct {
	node string
	sigs []tlog.NoteSignature
	err  error
}

// collect gathers cosignatures until a majority has signed, or a little longer
// while a key ceremony wants them all. If a majority
// answers that its root differs, this node's copy is the wrong one.
func (n *Node) collect(ctx context.Context, view *state.State, p Proposal) (tlog.SignedCheckpoint, error) {
	logSig, err := n.signer.signLog(view, n.cfg.Self, p.Checkpoint)
	if err != nil {
		return tlog.SignedCheckpoint{}, err
	}
	voters := view.Voters()
	answers := make(chan answer, len(voters))
	for _, v := range voters {
		n.workers.Go(func() {
			sigs, err := n.ask(ctx, v.ID, p)
			answers <- answer{v.ID, sigs, err}
		})
	}
	sc := tlog.SignedCheckpoint{Checkpoint: p.Checkpoint, Signatures: []tlog.NoteSignature{logSig}}
	signed, differ, majority := 0, 0, len(voters)/2+1
	problems := []error{errors.New("too few voters cosigned")}
	var late <-chan time.Time // set once a majority has signed and more are wanted
	for range voters {
		var a answer
		select {
		case a = <-answers:
		case <-late:
			return sc, nil
		}
		if a.err == nil {
			a.err = n.checkpoints.verifyCosigner(a.node, p.Checkpoint, a.sigs)
		}
		if a.err != nil {
			problems = append(problems, a.err)
			if errors.Is(n.meterRoot(a.err), ErrRootDiffers) {
				differ++
			}
			continue
		}
		sc.Signatures = append(sc.Signatures, a.sigs...)
		if signed++; signed == majority {
			if !view.WantsEveryCosignature() {
				return sc, nil
			}
			late = time.After(everyoneWait)
		}
	}
	if signed >= majority {
		return sc, nil
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

// Leading reports whether this node leads.
func (n *Node) Leading() bool { return n.raft != nil && n.raft.State() == raft.Leader }
