package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
)

// WholeEnvelope as the place of an [Unopenable] act means every entry of the
// envelope.
const WholeEnvelope = 1<<32 - 1

// Unopenable is posted by a reader that could not open what an envelope
// claims to hold for it. It accuses the sender, not the network: every node
// has the envelope, and the reader's key holder can show why.
type Unopenable struct {
	Envelope uint64     // number of the envelope
	Place    uint32     // place of the entry, or WholeEnvelope
	Reader   seal.KeyID // sealing key of the reader that tried
	Code     string     // why, for example SEAL003
}

// Marshal returns the payload's deterministic CBOR.
func (u Unopenable) Marshal() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, u.Envelope)
	b = cbor.AppendUint(b, uint64(u.Place))
	b = cbor.AppendBytes(b, u.Reader[:])
	return cbor.AppendText(b, u.Code)
}

// DecodeUnopenable reads the payload of an act of [TypeUnopenable].
func DecodeUnopenable(raw []byte) (Unopenable, error) {
	var u Unopenable
	d := cbor.NewDecoder(raw)
	d.Array(4)
	u.Envelope = d.Uint()
	u.Place = d.Uint32()
	d.BytesInto(u.Reader[:])
	u.Code = d.Text(16)
	if err := d.Done(); err != nil {
		return Unopenable{}, fmt.Errorf("unopenable: %w", err)
	}
	return u, nil
}
