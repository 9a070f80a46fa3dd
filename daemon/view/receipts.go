package view

import (
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// receipt is a node's word that it has erased what was withdrawn.
type receipt struct {
	act.ErasureReceipt
	logTime uint64 // ms
}

// receiptAt reads the receipt in an envelope that held nothing to open, nil if it is
// something else.
func (v *View) receiptAt(number uint64) (*receipt, error) {
	m := v.cfg.Node.Machine()
	meta, err := m.Meta(number)
	if err != nil || meta.Count != 1 {
		return nil, err
	}
	raw, err := m.Leaf(meta.First)
	if err != nil {
		return nil, err
	}
	if leaf, err := envelope.ParseLeaf(raw); err != nil || leaf.Kind != envelope.KindAct {
		return nil, err
	}
	e, logTime, err := m.Envelope(number)
	if err != nil {
		return nil, err
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil || a.Type != act.TypeErasureReceipt {
		return nil, err
	}
	r, err := act.DecodeErasureReceipt(a.Payload)
	return &receipt{r, logTime}, err
}

// ErasedOn returns when each node first declared that what an envelope withdrew is
// erased on it, as log times in ms. A node that has not is not there.
func (q Query) ErasedOn(withdrawal uint64) (map[string]uint64, error) {
	out := map[string]uint64{}
	return out, q.Each(`SELECT node, min(log_time) FROM receipts WHERE through >= ? GROUP BY node`, func(row Row) error {
		var node string
		var at int64
		err := row(&node, &at)
		out[node] = uint64(at)
		return err
	}, int64(withdrawal))
}
