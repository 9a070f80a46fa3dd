package act

import "github.com/raresync/raresync/crypto/cbor"

// Revocation says that a key of an institution holds no longer, and from which
// envelope on what it signed is in doubt. It is approved by q lead hospitals,
// or sent by the institution itself without approvals.
type Revocation struct {
	Institution uint32
	Key         [32]byte // id of the key
	Since       uint64   // first envelope number from which the key may have been another's
}

// Marshal returns the payload's deterministic CBOR: an array of 3.
func (r Revocation) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, uint64(r.Institution))
	b = cbor.AppendBytes(b, r.Key[:])
	return cbor.AppendUint(b, r.Since)
}

// DecodeRevocation reads the payload of an act of [TypeRevoke]. Whether it
// makes sense is the state machine's to say.
func DecodeRevocation(raw []byte) (Revocation, error) {
	d := cbor.NewDecoder(raw)
	d.Array(3)
	r := Revocation{Institution: d.Uint32()}
	d.BytesInto(r.Key[:])
	r.Since = d.Uint()
	return r, done(d, "revocation")
}
