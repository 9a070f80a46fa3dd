package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

// Rotation gives an institution new keys in place of those it has: the payload
// of [TypeRotation], which the institution sends itself in an envelope signed
// with its present envelope key, and of [TypeReplace], which q lead hospitals
// approve for one that lost its keys. Each key is optional; at least one is
// there.
//
// The log and cosigning keys of a node are not among them: a checkpoint names
// its signers, and a name belongs to one key for ever (C2SP tlog-cosignature).
// A voter gets new ones with a new node id.
type Rotation struct {
	Institution uint32
	Envelope    *sign.PublicKey // nil: stays as it is
	Request     *sign.PublicKey
	Response    *sign.PublicKey
	Sealing     seal.ReaderPublic // the zero value: stays as it is
	Nodes       []NodeKey         // TLS keys of its own nodes, ascending by id
	Possession  sign.Signature    // by the new envelope key; zero where there is none
}

// NodeKey is a node's new TLS key.
type NodeKey struct {
	ID  string
	TLS *sign.PublicKey
}

// NewSealing returns the new sealing key, if there is one.
func (r *Rotation) NewSealing() (seal.ReaderPublic, bool) {
	return r.Sealing, r.Sealing.ID() != seal.KeyID{}
}

// signing lists the new keys of the institution that sign, ascending by
// purpose.
func (r *Rotation) signing() []*sign.PublicKey {
	var list []*sign.PublicKey
	for _, k := range []*sign.PublicKey{r.Envelope, r.Request, r.Response} {
		if k != nil {
			list = append(list, k)
		}
	}
	return list
}

// KeyIDs returns the ids of the new keys, in no particular order.
func (r *Rotation) KeyIDs() [][32]byte {
	var ids [][32]byte
	for _, k := range r.signing() {
		ids = append(ids, k.ID())
	}
	if k, ok := r.NewSealing(); ok {
		ids = append(ids, k.ID())
	}
	for _, n := range r.Nodes {
		ids = append(ids, n.TLS.ID())
	}
	return ids
}

// head appends the first four fields: what the proof of possession signs.
func (r *Rotation) head(b []byte) []byte {
	b = cbor.AppendUint(b, uint64(r.Institution))
	signing := r.signing()
	b = cbor.AppendArray(b, len(signing))
	for _, k := range signing {
		b = k.AppendCBOR(b)
	}
	var sealing []byte
	if k, ok := r.NewSealing(); ok {
		sealing = k.Bytes()
	}
	b = cbor.AppendBytes(b, sealing)
	b = cbor.AppendArray(b, len(r.Nodes))
	for _, n := range r.Nodes {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendText(b, n.ID)
		b = n.TLS.AppendCBOR(b)
	}
	return b
}

// possessionMessage returns the bytes that the new envelope key signs under
// [sign.LabelPossession].
func (r *Rotation) possessionMessage(network [32]byte) []byte {
	return r.head(cbor.AppendArray(network[:], 4))
}

// Prove puts the proof of possession of the new envelope key in its place. The
// other fields do not change any more.
func (r *Rotation) Prove(network [32]byte, key *sign.PrivateKey) error {
	if r.Envelope == nil || key.Public().ID() != r.Envelope.ID() {
		return errors.New("prove possession: not the new envelope key")
	}
	var err error
	r.Possession, err = key.Sign(sign.LabelPossession, r.possessionMessage(network))
	return err
}

// VerifyPossession checks the proof of possession of the new envelope key, if
// there is one.
func (r *Rotation) VerifyPossession(network [32]byte) error {
	if r.Envelope == nil {
		return nil
	}
	if err := r.Envelope.Verify(sign.LabelPossession, r.possessionMessage(network), r.Possession); err != nil {
		return fmt.Errorf("proof that the sender holds the new envelope key: %w", err)
	}
	return nil
}

// Marshal returns the payload's deterministic CBOR: an array of 5.
func (r *Rotation) Marshal() []byte {
	b := r.head(cbor.AppendArray(nil, 5))
	if r.Envelope == nil {
		return cbor.AppendArray(b, 0)
	}
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendBytes(b, r.Possession.Ed25519[:])
	return cbor.AppendBytes(b, r.Possession.MLDSA)
}

// DecodeRotation reads the payload of an act of [TypeRotation] or
// [TypeReplace]. Whether it makes sense is [Rotation.Validate]'s to say.
func DecodeRotation(raw []byte) (*Rotation, error) {
	d := cbor.NewDecoder(raw)
	d.Array(5)
	r := &Rotation{Institution: d.Uint32()}
	r.decodeSigning(d)
	r.decodeSealing(d)
	n := d.ArrayMax(MaxNodes)
	for range n {
		d.Array(2)
		node := NodeKey{ID: d.Text(32), TLS: decodeKey(d, sign.PurposeTLS)}
		if d.Err() != nil {
			break
		}
		r.Nodes = append(r.Nodes, node)
	}
	if n := d.ArrayMax(2); d.Err() == nil && (n == 2) != (r.Envelope != nil) {
		d.Fail("a proof of possession goes with a new envelope key")
	} else if n == 2 {
		d.BytesInto(r.Possession.Ed25519[:])
		r.Possession.MLDSA = d.BytesFixed(mldsa65Bytes)
	}
	return r, done(d, "rotation")
}

func (r *Rotation) decodeSigning(d *cbor.Decoder) {
	places := []**sign.PublicKey{&r.Envelope, &r.Request, &r.Response}
	last := sign.Purpose(0)
	for range d.ArrayMax(len(places)) {
		k := sign.DecodePublicKey(d)
		if d.Err() != nil {
			return
		}
		if k.Purpose() <= last || int(k.Purpose()) > len(places) {
			d.Fail("new keys ascend by purpose: envelope, request, response, each once")
			return
		}
		last = k.Purpose()
		*places[last-1] = k
	}
}

func (r *Rotation) decodeSealing(d *cbor.Decoder) {
	raw := d.Bytes(seal.ReaderPublicBytes)
	if d.Err() != nil || len(raw) == 0 {
		return
	}
	var err error
	if r.Sealing, err = seal.ParseReaderPublic(raw); err != nil {
		d.Fail("sealing key: %v", err)
	}
}

// Validate reports every reason why the rotation cannot be, whatever the
// network, joined into one error.
func (r *Rotation) Validate() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	ids := r.KeyIDs()
	if len(ids) == 0 {
		add("it brings no key")
	}
	if r.Institution == 0 {
		add("it names no institution")
	}
	keySet{}.take(add, "rotation", ids)
	for n, node := range r.Nodes {
		switch {
		case !nodeID.MatchString(node.ID):
			add("node %q: use 1 to 32 of a-z 0-9 -", node.ID)
		case n > 0 && node.ID <= r.Nodes[n-1].ID:
			add("node %q: nodes ascend by id, each once", node.ID)
		}
	}
	return errors.Join(problems...)
}
