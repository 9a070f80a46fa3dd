package founding

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
)

const maxNodesPerCard = 4

// Card is what an institution tells the others of itself: its entry of the
// roster and its nodes, whose institution number is filled in by the draft.
type Card struct {
	Institution act.Institution
	Nodes       []act.Node
}

func (c *Card) appendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 2)
	b = c.Institution.AppendCBOR(b)
	b = cbor.AppendArray(b, len(c.Nodes))
	for i := range c.Nodes {
		b = c.Nodes[i].AppendCBOR(b)
	}
	return b
}

// Marshal returns the card as an armoured text file.
func (c *Card) Marshal() []byte { return armour.Wrap(blockCard, c.appendCBOR(nil)) }

// ParseCard reads an armoured card.
func ParseCard(file []byte) (*Card, error) {
	raw, err := disarm(blockCard, file)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	c := &Card{}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	c.Institution = act.DecodeInstitution(d)
	n := d.ArrayMax(maxNodesPerCard)
	for range n {
		c.Nodes = append(c.Nodes, act.DecodeNode(d))
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	return c, nil
}
