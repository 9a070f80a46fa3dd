package act

import (
	"errors"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
)

// MaxGranted is the number of envelopes that one grant can open: as many as
// fit an act.
const MaxGranted = 150

// Grant gives a reader the keys of envelopes that were sealed before its key
// was in the reader set. Its sender can open them: a national reader, or the
// hospital for its own. The recipient believes no key that the envelope's
// header does not commit to.
type Grant struct {
	Recipient uint32     // institution
	From      seal.KeyID // the sender's sealing key
	To        seal.KeyID // the recipient's
	Keys      []Granted  // ascending by envelope number
}

// Granted is an envelope with its keys, wrapped to the recipient
// ([seal.Context.WrapGrant]).
type Granted struct {
	Envelope uint64 // number
	Wrap     [seal.WrapBytes]byte
}

// Marshal returns the payload's deterministic CBOR: an array of 4.
func (g *Grant) Marshal() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, uint64(g.Recipient))
	b = cbor.AppendBytes(b, g.From[:])
	b = cbor.AppendBytes(b, g.To[:])
	b = cbor.AppendArray(b, len(g.Keys))
	for i := range g.Keys {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, g.Keys[i].Envelope)
		b = cbor.AppendBytes(b, g.Keys[i].Wrap[:])
	}
	return b
}

// DecodeGrant reads the payload of an act of [TypeGrant]. Whether it makes
// sense is [Grant.Validate]'s to say.
func DecodeGrant(raw []byte) (*Grant, error) {
	d := cbor.NewDecoder(raw)
	d.Array(4)
	g := &Grant{Recipient: d.Uint32()}
	d.BytesInto(g.From[:])
	d.BytesInto(g.To[:])
	n := d.ArrayMax(MaxGranted)
	for range n {
		d.Array(2)
		k := Granted{Envelope: d.Uint()}
		d.BytesInto(k.Wrap[:])
		if d.Err() != nil {
			break
		}
		g.Keys = append(g.Keys, k)
	}
	return g, done(d, "grant")
}

// Validate reports why the grant cannot be, whatever the network.
func (g *Grant) Validate() error {
	if len(g.Keys) == 0 {
		return errors.New("it grants nothing")
	}
	for i := 1; i < len(g.Keys); i++ {
		if g.Keys[i].Envelope <= g.Keys[i-1].Envelope {
			return errors.New("envelope numbers ascend, each once")
		}
	}
	return nil
}
