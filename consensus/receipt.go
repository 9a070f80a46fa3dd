package consensus

import (
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/crypto/tlog"
)

// Receipt proves the entry at the given index: its leaf, and a C2SP tlog-proof
// against the newest valid checkpoint. The error is ErrNotYet if none covers
// the entry, and ErrQuarantined if the proof read from this node's disk does
// not lead to the checkpoint.
func (n *Node) Receipt(index uint64) (leaf []byte, proof tlog.Proof, err error) {
	leaf, proof, err = n.receipt(index)
	if err != nil {
		return nil, tlog.Proof{}, fmt.Errorf("receipt for entry %d: %w", index, err)
	}
	return leaf, proof, nil
}

func (n *Node) receipt(index uint64) (leaf []byte, proof tlog.Proof, err error) {
	if err := n.ended(); err != nil {
		return nil, proof, err
	}
	cp := n.Checkpoint()
	if n.hasGap() || cp.Size <= index || n.machine.View().Tree.Size() < cp.Size {
		return nil, proof, ErrNotYet
	}
	if leaf, err = n.machine.Ledger().Leaf(index); err != nil {
		return nil, proof, err
	}
	hashes, err := tlog.InclusionProof(n.machine.Ledger(), index, cp.Size)
	if err != nil {
		return nil, proof, err
	}
	if err := tlog.VerifyInclusion(tlog.LeafHash(leaf), index, cp.Size, hashes, cp.Root); err != nil && !fault.Planted(fault.ReceiptUnchecked) {
		return nil, proof, n.quarantine(fmt.Errorf("the ledger on disk does not lead to the checkpoint at %d: %w", cp.Size, err))
	}
	return leaf, tlog.Proof{Index: index, Hashes: hashes, Checkpoint: cp}, nil
}
