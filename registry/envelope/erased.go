package envelope

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
)

// DecodeHeld reads an envelope as nodes hold it and hand it on: like [Decode],
// but bodies may be erased, as [commitment, ciphertext length]. What is erased
// reads as zeros of that length. Whether it should be is for a state to say.
func DecodeHeld(raw []byte) (*Envelope, error) {
	e, err := decode(raw, decodeHeldBodies)
	if err != nil {
		return nil, err
	}
	for i := range e.Bodies {
		if e.Bodies[i].Erased != nil && e.Kind != KindEntries {
			return nil, fmt.Errorf("envelope: %w: an erased body of kind %d", cbor.ErrEncoding, e.Kind)
		}
	}
	return e, nil
}

// decodeHeldBodies allocates no more than an envelope had when it was sent.
func decodeHeldBodies(d *cbor.Decoder) []seal.Body {
	n := d.ArrayMax(MaxEntries)
	if d.Err() != nil {
		return nil
	}
	bodies := make([]seal.Body, n)
	total := 0
	for i := range bodies {
		b := &bodies[i]
		switch d.ArrayMax(3) {
		case 3:
			d.BytesInto(b.Salt[:])
			d.BytesInto(b.Tag[:])
			b.Ciphertext = d.Bytes(MaxBytes)
		case 2:
			b.Erased = new([32]byte)
			d.BytesInto(b.Erased[:])
			length := int(d.UintMax(MaxBytes))
			if d.Err() == nil && seal.CheckCiphertextLen(length) != nil {
				d.Fail("an erased body of %d bytes", length)
			}
			if total+length <= MaxBytes && d.Err() == nil {
				b.Ciphertext = make([]byte, length)
			}
		default:
			d.Fail("a body is an array of 3, or of 2 if it is erased")
		}
		if total += len(b.Ciphertext); d.Err() == nil && (total > MaxBytes || b.Erased != nil && b.Ciphertext == nil) {
			d.Fail("bodies of more than %d bytes", MaxBytes)
		}
		if d.Err() != nil {
			return nil
		}
	}
	return bodies
}

// Erase returns the envelope without the bodies at the places that erased
// picks; the envelope itself if it picks none that is still there.
func (e *Envelope) Erase(erased func(place int) bool) *Envelope {
	var bodies []seal.Body
	for place := range e.Bodies {
		if e.Bodies[place].Erased != nil || !erased(place) {
			continue
		}
		if bodies == nil {
			bodies = append(bodies, e.Bodies...)
		}
		bodies[place] = bodies[place].Erase(e.Context(), uint32(place))
	}
	if bodies == nil {
		return e
	}
	out := *e
	out.Bodies = bodies
	out.raw = appendEnvelope(nil, e.HeaderBytes, e.Signature, bodies)
	return &out
}
