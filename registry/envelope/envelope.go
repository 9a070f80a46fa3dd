package envelope

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

const mldsa65Bytes = 3309

// Errors of building and of the checks that need no state.
var (
	// ErrTooLarge reports an envelope above MaxBytes.
	ErrTooLarge = errors.New("envelope is larger than 262144 bytes")
	// ErrCount reports entries that one envelope cannot hold: none, or more
	// than MaxEntries.
	ErrCount = errors.New("an envelope holds 1 to 1024 entries")
	// ErrBodies reports bodies that are not those the header commits to.
	ErrBodies = errors.New("bodies do not match the header")
)

// Envelope is a decoded envelope. The slices are views of the bytes it was
// decoded from; neither may be changed afterwards.
type Envelope struct {
	Header
	HeaderBytes []byte // as signed
	Signature   sign.Signature
	Bodies      []seal.Body

	id  ID
	raw []byte
}

// Decode reads an envelope as its sender made it. It checks the encoding and
// its limits, nothing else.
func Decode(raw []byte) (*Envelope, error) { return decode(raw, decodeBodies) }

func decode(raw []byte, bodies func(*cbor.Decoder) []seal.Body) (*Envelope, error) {
	if len(raw) > MaxBytes {
		return nil, ErrTooLarge
	}
	e := &Envelope{raw: raw}
	d := cbor.NewDecoder(raw)
	d.Array(4)
	e.HeaderBytes = d.Bytes(MaxBytes)
	d.BytesInto(e.Signature.Ed25519[:])
	e.Signature.MLDSA = d.BytesFixed(mldsa65Bytes)
	e.Bodies = bodies(d)
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	var err error
	if e.Header, err = DecodeHeader(e.HeaderBytes); err != nil {
		return nil, fmt.Errorf("envelope header: %w", err)
	}
	if int(e.Count) != len(e.Bodies) {
		return nil, fmt.Errorf("envelope: %w: %d bodies, header says %d", cbor.ErrEncoding, len(e.Bodies), e.Count)
	}
	e.id = HeaderID(e.HeaderBytes)
	return e, nil
}

func decodeBodies(d *cbor.Decoder) []seal.Body {
	n := d.ArrayMax(MaxEntries)
	if d.Err() != nil {
		return nil
	}
	bodies := make([]seal.Body, n)
	for i := range bodies {
		d.Array(3)
		d.BytesInto(bodies[i].Salt[:])
		d.BytesInto(bodies[i].Tag[:])
		bodies[i].Ciphertext = d.Bytes(MaxBytes)
	}
	return bodies
}

// Assemble puts an envelope together from its parts, as a ledger stores them:
// bodies may be erased.
func Assemble(header []byte, sig sign.Signature, bodies []seal.Body) (*Envelope, error) {
	size := len(header) + len(sig.Ed25519) + len(sig.MLDSA) + 5*maxHead
	for i := range bodies {
		size += len(bodies[i].Salt) + len(bodies[i].Tag) + len(bodies[i].Ciphertext) + 4*maxHead
	}
	return DecodeHeld(appendEnvelope(make([]byte, 0, size), header, sig, bodies))
}

// maxHead bounds what CBOR writes before a string or an array of an envelope.
const maxHead = 5

func appendEnvelope(b, header []byte, sig sign.Signature, bodies []seal.Body) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendBytes(b, header)
	b = cbor.AppendBytes(b, sig.Ed25519[:])
	b = cbor.AppendBytes(b, sig.MLDSA)
	b = cbor.AppendArray(b, len(bodies))
	for i := range bodies {
		if erased := bodies[i].Erased; erased != nil {
			b = cbor.AppendArray(b, 2)
			b = cbor.AppendBytes(b, erased[:])
			b = cbor.AppendUint(b, uint64(len(bodies[i].Ciphertext)))
			continue
		}
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendBytes(b, bodies[i].Salt[:])
		b = cbor.AppendBytes(b, bodies[i].Tag[:])
		b = cbor.AppendBytes(b, bodies[i].Ciphertext)
	}
	return b
}

// Marshal returns the envelope's bytes as they were decoded or built.
func (e *Envelope) Marshal() []byte { return e.raw }

// ID returns the envelope's id.
func (e *Envelope) ID() ID { return e.id }

// Commitments returns the commitment of each body in order of place.
func (e *Envelope) Commitments() [][32]byte { return e.Context().Commitments(e.Bodies) }

// CheckBodies reports ErrBodies unless the given commitments, computed by
// [Envelope.Commitments], are those that the header's hash covers.
func (e *Envelope) CheckBodies(commitments [][32]byte) error {
	if seal.BodiesHash(commitments) != e.BodiesHash {
		return ErrBodies
	}
	return nil
}

// VerifySignature checks both halves of the signature with the given envelope
// key.
func (e *Envelope) VerifySignature(key *sign.PublicKey) error {
	return key.Verify(e.Kind.Label(), e.HeaderBytes, e.Signature)
}
