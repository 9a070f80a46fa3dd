package consensus

import (
	"context"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
)

// Whole returns nil if this node is a copy: no gap at the end, no damage in the
// middle, and no salts that a backup left out. Otherwise it says what is
// missing, and [machine.ErrGap]. Only a whole copy is served, cosigned and
// receipted from.
func (n *Node) Whole() error {
	if err := errors.Join(n.saltless.check(), n.current.check()); err != nil {
		return err
	}
	if from, to, open := n.gapNow(); open {
		return fmt.Errorf("envelopes %d to %d are still missing: %w", from, to-1, machine.ErrGap)
	}
	if damage := n.machine.Damage(); damage != nil {
		return fmt.Errorf("%v: %w", damage, machine.ErrGap) // nobody's failure: one %w
	}
	return nil
}

func (n *Node) isWhole() bool { return n.Whole() == nil }

// runRepair repairs what this node's disk has damaged, from what the disk still
// has and from any peer, without an operator.
func (n *Node) runRepair(ctx context.Context) {
	told := ""
	for {
		changed := n.machine.Changed()
		if damage := n.machine.Damage(); damage != nil {
			if reason := damage.Error(); reason != told {
				n.log.Error("this node's disk returned what was not written", "reason", reason)
				told = reason
			}
			if !n.repairFromAnyone(ctx) && !pause(ctx, pullPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func (n *Node) repairFromAnyone(ctx context.Context) bool {
	peers := n.peersInTurn()
	if len(peers) == 0 { // what the disk still has may be enough
		peers = []string{""}
	}
	for _, peer := range peers {
		err := n.repairFrom(ctx, peer)
		switch {
		case err == nil:
			n.log.Info("the ledger is repaired")
			return true
		case ctx.Err() != nil:
			return false
		case errors.Is(err, ledger.ErrStorage) || errors.Is(err, machine.ErrDiverged):
			_ = n.fail(err) // the caller of Open has it
			return false
		}
		n.log.Info("not repaired from this peer", "peer", peer, "reason", err.Error())
	}
	return false
}

// repairFrom mends every damaged envelope, in order, and takes it for repaired
// if the tree then has the root that this node knows.
func (n *Node) repairFrom(ctx context.Context, peer string) error {
	n.mending.Lock()
	defer n.mending.Unlock()
	numbers, err := n.machine.Survey()
	if err != nil {
		return err
	}
	p := &pulledFrom{n: n, peer: peer}
	for _, number := range numbers {
		err := n.machine.MendAlone(number)
		if err != nil && !errors.Is(err, ledger.ErrStorage) {
			err = p.mend(ctx, number)
		}
		if err != nil {
			return err
		}
	}
	return n.machine.Settle()
}

// pulledFrom keeps a peer's last answer: damaged envelopes often lie together.
type pulledFrom struct {
	n     *Node
	peer  string
	first uint64
	list  []Pulled
}

func (p *pulledFrom) mend(ctx context.Context, number uint64) error {
	if number < p.first || number-p.first >= uint64(len(p.list)) {
		list, err := p.n.envelopes(ctx, p.peer, number)
		if err != nil {
			return err
		}
		p.first, p.list = number, list
	}
	one := p.list[number-p.first]
	if err := p.n.machine.Mend(number, one.Envelope, one.LogTime); err != nil {
		return fmt.Errorf("from %s: %w", p.peer, err)
	}
	return nil
}
