package survivor

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	blockRecovery = "RARESYNC RECOVERY"

	// MaxTailBytes bounds the envelopes that a recovery file brings to survivors
	// whose copies end before the cut.
	MaxTailBytes = 64 << 20
	// MaxFileBytes bounds a recovery file.
	MaxFileBytes = 100 << 20

	maxTail = 1 << 20
)

// Recovery is what begins a new log epoch on every survivor.
type Recovery struct {
	Envelope *envelope.Envelope // the act, with its approvals
	Act      *act.Recovery      // what it says
	From     uint64             // envelope number of the first of Tail
	Tail     []Held             // the longest copy's envelopes up to the cut, for those that lack them
}

// Held is an accepted envelope with its log time in ms.
type Held struct {
	LogTime  uint64
	Envelope []byte
}

// Marshal returns the recovery as an armoured text file.
func (r *Recovery) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendBytes(b, r.Envelope.Marshal())
	b = cbor.AppendUint(b, r.From)
	b = cbor.AppendArray(b, len(r.Tail))
	for _, h := range r.Tail {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, h.LogTime)
		b = cbor.AppendBytes(b, h.Envelope)
	}
	return armour.Wrap(blockRecovery, b)
}

// Parse reads an armoured recovery. Who approved it, a survivor's copy tells.
func Parse(file []byte) (*Recovery, error) {
	r, err := parse(file)
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	return r, nil
}

func parse(file []byte) (*Recovery, error) {
	raw, err := armour.Unwrap(blockRecovery, file, MaxFileBytes)
	if err != nil {
		return nil, err
	}
	r := &Recovery{}
	d := cbor.NewDecoder(raw)
	d.Array(3)
	encoded := d.Bytes(envelope.MaxBytes)
	r.From = d.Uint()
	for range d.ArrayMax(maxTail) {
		d.Array(2)
		h := Held{LogTime: d.Uint(), Envelope: d.Bytes(envelope.MaxBytes)}
		if d.Err() != nil {
			break
		}
		r.Tail = append(r.Tail, h)
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	if r.Envelope, err = envelope.Decode(encoded); err != nil {
		return nil, err
	}
	if r.Envelope.Kind != envelope.KindAct || len(r.Envelope.Bodies) != 1 {
		return nil, fmt.Errorf("its envelope holds no act")
	}
	a, err := act.Decode(r.Envelope.Bodies[0].Ciphertext)
	if err != nil {
		return nil, err
	}
	r.Act, err = payloadOf(a)
	return r, err
}
