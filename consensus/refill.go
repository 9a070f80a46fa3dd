package consensus

import (
	"bytes"
	"context"
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	maxSaltsBytes     = 512 << 10 // of salts in one answer, but for the last envelope
	maxSaltsEnvelopes = 4096
)

// HandleSalts answers a peer's [Peers.Salts] from this node's ledger.
func (n *Node) HandleSalts(from uint64) ([][]byte, error) {
	if err := n.ended(); err != nil {
		return nil, err
	}
	if err := n.Whole(); err != nil {
		return nil, err
	}
	if !n.caughtUpOnce() {
		return nil, fmt.Errorf("salts from %d: %w", from, ErrNotYet)
	}
	end := n.View().Envelopes
	var out [][]byte
	for total := 0; from < end && total < maxSaltsBytes && len(out) < maxSaltsEnvelopes; from++ {
		e, _, err := n.machine.Envelope(from) // which looks whether they fit the bodies
		if err != nil {
			return nil, err
		}
		salts := make([]byte, 0, len(e.Bodies)*ledger.SaltBytes)
		for i := range e.Bodies {
			salts = append(salts, e.Bodies[i].Salt[:]...)
		}
		out = append(out, salts)
		total += len(salts)
	}
	return out, nil
}

// runRefiller fetches the missing salts from whichever peers have them.
func (n *Node) runRefiller(ctx context.Context) {
	if n.saltless.check() == nil {
		return
	}
	for n.saltless.check() != nil {
		if !n.refillFromAnyone(ctx) && !pause(ctx, pullPause) {
			return
		}
	}
	n.log.Info("the salts that the backup left out are all there")
	n.checkpoints.wake() // who waited for a whole copy looks again
}

func (n *Node) refillFromAnyone(ctx context.Context) bool {
	for _, peer := range n.peersInTurn() {
		err := n.refillFrom(ctx, peer)
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case isOwnFailure(err):
			_ = n.fail(err) // the caller of Open has it
			return false
		}
		n.log.Info("salts not fetched from this peer", "peer", peer, "reason", err.Error())
	}
	return false
}

// refillFrom takes what one peer has of the missing salts. Each envelope shows
// by itself whether they are the ones that its header commits to.
func (n *Node) refillFrom(ctx context.Context, peer string) error {
	for {
		from, to, open := n.saltless.missing()
		if !open {
			return nil
		}
		list, err := n.cfg.Peers.Salts(ctx, peer, from)
		if err != nil {
			return fmt.Errorf("salts from %d of %s: %v", from, peer, err) // its failure is not ours: no %w
		}
		if len(list) == 0 {
			return fmt.Errorf("%w: %s has no envelope %d", ErrNotYet, peer, from)
		}
		list = list[:min(uint64(len(list)), to-from)]
		for i, salts := range list {
			if err := n.refill(ctx, peer, from+uint64(i), salts); err != nil {
				return fmt.Errorf("salts of envelope %d: %w", from+uint64(i), err)
			}
		}
		if _, err := n.machine.Ledger().Sync(); err != nil {
			return err
		}
		fault.At(fault.SaltsRefilled)
		if err := n.saltless.advance(from + uint64(len(list))); err != nil {
			return err
		}
	}
}

// refill puts salts beside the bodies of an envelope. If they do not fit, the
// peer lies or a body of the backup is another than it was: then the whole
// envelope is fetched, which shows.
func (n *Node) refill(ctx context.Context, peer string, number uint64, salts []byte) error {
	rec, bodies, err := n.machine.Ledger().WholeEnvelope(number)
	if err != nil {
		return err
	}
	if len(salts) == len(bodies)*ledger.SaltBytes {
		for i := range bodies {
			copy(bodies[i].Salt[:], salts[i*ledger.SaltBytes:])
		}
		e, err := n.machine.Assemble(rec, bodies)
		if err == nil && e.CheckBodies(e.Commitments()) == nil {
			return n.machine.Ledger().Refill(number, machine.Kept(e))
		}
	}
	return n.refillWhole(ctx, peer, rec)
}

// refillWhole takes the bodies of an envelope whose header this copy has.
func (n *Node) refillWhole(ctx context.Context, peer string, mine ledger.EnvelopeRec) error {
	pulled, err := n.envelopes(ctx, peer, mine.Number)
	if err != nil {
		return err
	}
	e, err := envelope.DecodeHeld(pulled[0].Envelope)
	if err != nil {
		return err
	}
	if !bytes.Equal(e.HeaderBytes, mine.Header) {
		return fmt.Errorf("%s gives %s, this copy has %s", peer, e.ID(), envelope.ID(mine.ID))
	}
	if err := e.CheckBodies(e.Commitments()); err != nil {
		return err
	}
	if e, err = n.machine.OnlyErased(e, mine.First); err != nil {
		return fmt.Errorf("%s gives: %w", peer, err)
	}
	return n.machine.Ledger().Refill(mine.Number, machine.Kept(e))
}
