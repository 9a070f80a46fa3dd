package consensus

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/tlog"
)

// Receipt proves the entry at the given index: its leaf, and a C2SP tlog-proof
// against the newest valid checkpoint. The error is ErrNotYet if none covers
// the entry, or if what this node's disk returns does not lead to it: that is
// damage, and repaired.
func (n *Node) Receipt(index uint64) (leaf []byte, proof tlog.Proof, err error) {
	leaf, proof, err = n.receipt(index)
	if err != nil {
		return nil, tlog.Proof{}, fmt.Errorf("receipt for entry %d: %w", index, err)
	}
	return leaf, proof, nil
}

// ReceiptUnder is [Node.Receipt] against a given checkpoint of this node's, for
// several entries that share it.
func (n *Node) ReceiptUnder(cp tlog.SignedCheckpoint, index uint64) (leaf []byte, proof tlog.Proof, err error) {
	leaf, proof, err = n.receiptUnder(cp, index)
	if err != nil {
		return nil, tlog.Proof{}, fmt.Errorf("receipt for entry %d: %w", index, err)
	}
	return leaf, proof, nil
}

func (n *Node) receipt(index uint64) (leaf []byte, proof tlog.Proof, err error) {
	return n.receiptUnder(n.Checkpoint(), index)
}

func (n *Node) receiptUnder(cp tlog.SignedCheckpoint, index uint64) (leaf []byte, proof tlog.Proof, err error) {
	if err := n.ended(); err != nil {
		return nil, proof, err
	}
	if !n.isWhole() || cp.Size <= index || n.machine.View().Tree.Size() < cp.Size {
		return nil, proof, ErrNotYet
	}
	leaf, hashes, err := n.machine.Prove(index, cp.Size, cp.Root)
	if errors.Is(err, machine.ErrGap) {
		return nil, proof, fmt.Errorf("%w: %w", ErrNotYet, err)
	}
	if err != nil {
		return nil, proof, err
	}
	return leaf, tlog.Proof{Index: index, Hashes: hashes, Checkpoint: cp}, nil
}
