package consensus

import (
	"cmp"
	"context"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
)

// HandleLengths answers a peer's [Peers.Lengths] from this node's ledger.
func (n *Node) HandleLengths(envelopes uint64) (ledger.Lengths, error) {
	if err := n.ended(); err != nil {
		return ledger.Lengths{}, err
	}
	if err := n.Whole(); err != nil {
		return ledger.Lengths{}, err
	}
	if !n.caughtUpOnce() || envelopes > n.View().Envelopes {
		return ledger.Lengths{}, fmt.Errorf("lengths at %d envelopes: %w", envelopes, ErrNotYet)
	}
	at, err := n.machine.Ledger().LengthsAt(envelopes)
	return at, n.machine.Noticed(err)
}

// checkLayout compares the lengths of a mirror's files with those that a majority
// of the voters have: how long an erased body was, nothing else vouches for. The
// peer that sent it counts as one of them; it is empty if no peer alone sent it.
func (n *Node) checkLayout(ctx context.Context, peer string) error {
	mine, peers := n.machine.Ledger().Lengths(), n.peersInTurn()
	agree, differ := 1, 0
	if peer == "" {
		agree = 0
	}
	for _, other := range peers {
		if agree > len(peers)/2 {
			return nil
		}
		if other == peer {
			continue
		}
		theirs, err := n.cfg.Peers.Lengths(ctx, other, mine.Envelopes)
		switch {
		case err != nil:
			continue // another may answer
		case theirs == mine:
			agree++
		default:
			differ++
		}
	}
	switch {
	case agree > len(peers)/2:
		return nil
	case differ > 0:
		return fmt.Errorf("erased bodies of %s have other lengths than elsewhere: %w", cmp.Or(peer, "a static copy or a peer"), machine.ErrDiverged)
	}
	return fmt.Errorf("%w: too few voters say how long erased bodies were", ErrNotYet)
}
