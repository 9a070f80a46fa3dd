package certificate

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrUnproven reports a certificate that claims what its proofs do not show.
var ErrUnproven = errors.New("the certificate does not prove what it says")

// Result is what a verified certificate proves.
type Result struct {
	Hospital   uint32 // whose entries were withdrawn
	Entries    []act.Span
	Index      uint64   // of the withdrawal's leaf
	LogTime    uint64   // of the withdrawal, ms
	Declared   []string // nodes with a proven receipt
	Checkpoint tlog.SignedCheckpoint
	Cosigned   []tlog.Cosignature
}

// Verify checks every proof in the certificate against a policy. The error is
// ErrUnproven.
func (c *Certificate) Verify(policy *tlog.Policy) (*Result, error) {
	r, err := c.verify(policy)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnproven, err)
	}
	return r, nil
}

func (c *Certificate) verify(policy *tlog.Policy) (*Result, error) {
	sc, err := tlog.ParseSignedCheckpoint(c.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	r := &Result{Checkpoint: sc, Index: c.Withdrawal.Index}
	if r.Cosigned, err = policy.Verify(sc); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	said, err := c.Withdrawal.open(c.NetworkID)
	if err == nil {
		err = c.Withdrawal.included(sc)
	}
	if err != nil {
		return nil, fmt.Errorf("withdrawal: %w", err)
	}
	w, err := said.withdrawal()
	if err != nil {
		return nil, fmt.Errorf("withdrawal: %w", err)
	}
	r.Hospital, r.Entries, r.LogTime = w.Hospital, w.Entries, said.leaf.LogTime
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if i > 0 && n.ID <= c.Nodes[i-1].ID {
			return nil, fmt.Errorf("nodes do not ascend by id, each once: %s", n.ID)
		}
		if n.Receipt == nil {
			continue
		}
		if err := c.checkReceipt(n, sc); err != nil {
			return nil, fmt.Errorf("receipt of node %s: %w", n.ID, err)
		}
		r.Declared = append(r.Declared, n.ID)
	}
	return r, nil
}

// checkReceipt checks that a node's own institution has declared it, after the
// withdrawal and of it.
func (c *Certificate) checkReceipt(n *Node, sc tlog.SignedCheckpoint) error {
	said, err := n.Receipt.open(c.NetworkID)
	if err == nil {
		err = n.Receipt.included(sc)
	}
	if err != nil {
		return err
	}
	r, err := said.receipt()
	switch {
	case err != nil:
		return err
	case r.Node != n.ID || said.leaf.Hospital != n.Institution:
		return fmt.Errorf("it is of node %s, sent by institution %d", r.Node, said.leaf.Hospital)
	case r.Index < c.Withdrawal.Index || n.Receipt.Index <= r.Index:
		return fmt.Errorf("it is through leaf %d, the withdrawal is leaf %d", r.Index, c.Withdrawal.Index)
	}
	return nil
}

// said is an act with its leaf.
type said struct {
	leaf envelope.Leaf
	act  *act.Act
}

// open reads an act and checks that the leaf is its own.
func (p *Proven) open(network [32]byte) (said, error) {
	e, err := envelope.Decode(p.Envelope)
	if err != nil {
		return said{}, err
	}
	leaf, err := envelope.ParseLeaf(p.Leaf)
	if err != nil {
		return said{}, err
	}
	commitments := e.Commitments()
	switch {
	case e.Network != network:
		return said{}, errors.New("it is of another network")
	case e.Kind != envelope.KindAct || len(e.Bodies) != 1:
		return said{}, errors.New("it is no act")
	case e.CheckBodies(commitments) != nil || e.Leaf(0, leaf.LogTime, commitments[0]) != leaf:
		return said{}, errors.New("its leaf is another's")
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	return said{leaf, a}, err
}

func (p *Proven) included(sc tlog.SignedCheckpoint) error {
	return tlog.VerifyInclusion(tlog.LeafHash(p.Leaf), p.Index, sc.Size, p.Hashes, sc.Root)
}

func (s said) withdrawal() (act.Withdrawal, error) {
	if s.act.Type != act.TypeWithdrawal {
		return act.Withdrawal{}, fmt.Errorf("it is an act of type %s", s.act.Type)
	}
	return act.DecodeWithdrawal(s.act.Payload)
}

func (s said) receipt() (act.ErasureReceipt, error) {
	if s.act.Type != act.TypeErasureReceipt {
		return act.ErasureReceipt{}, fmt.Errorf("it is an act of type %s", s.act.Type)
	}
	return act.DecodeErasureReceipt(s.act.Payload)
}

// Count returns how many of how many nodes declare.
func (c *Certificate) Count() (declared, of int) {
	of = len(c.Nodes)
	for i := range c.Nodes {
		if c.Nodes[i].Receipt != nil {
			declared++
		}
	}
	return declared, of
}
