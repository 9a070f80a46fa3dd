package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
)

// MaxFalsehoodElements is the largest batch that a [Falsehood] shows. A holder
// that answered a larger one falsely is asked again for a small one.
const MaxFalsehoodElements = 64

// maxMessage bounds a request's or response's CBOR: both are below 300 bytes.
const maxMessage = 512

// Falsehood is evidence that a share holder answered falsely: a hospital's
// signed request, and the holder's signed response to that very request whose
// proof does not bear out what it evaluated. Whoever has the roster and the key
// record can check it, and nobody but the holder could have made it.
type Falsehood struct {
	Request           []byte // CBOR, see crypto/pseudonym
	RequestSignature  sign.Signature
	Response          []byte // CBOR
	ResponseSignature sign.Signature
	Elements          [][32]byte // blinded, as the hospital sent them
	Evaluated         [][32]byte // as the holder sent them back
}

// Marshal returns the payload's deterministic CBOR: an array of 8.
func (f *Falsehood) Marshal() []byte {
	b := cbor.AppendArray(nil, 8)
	b = cbor.AppendBytes(b, f.Request)
	b = appendSignature(b, f.RequestSignature)
	b = cbor.AppendBytes(b, f.Response)
	b = appendSignature(b, f.ResponseSignature)
	b = appendElements(b, f.Elements)
	return appendElements(b, f.Evaluated)
}

// DecodeFalsehood reads the payload of an act of [TypeFalsehood]. Whether the
// evidence shows what it claims is for a roster to say: consensus/state's
// CheckFalsehood.
func DecodeFalsehood(raw []byte) (*Falsehood, error) {
	f := &Falsehood{}
	d := cbor.NewDecoder(raw)
	d.Array(8)
	f.Request = d.Bytes(maxMessage)
	f.RequestSignature = readSignature(d)
	f.Response = d.Bytes(maxMessage)
	f.ResponseSignature = readSignature(d)
	f.Elements = readElements(d)
	f.Evaluated = readElements(d)
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("falsehood: %w", err)
	}
	return f, nil
}

// appendSignature appends both halves, as two byte strings.
func appendSignature(b []byte, s sign.Signature) []byte {
	b = cbor.AppendBytes(b, s.Ed25519[:])
	return cbor.AppendBytes(b, s.MLDSA)
}

func readSignature(d *cbor.Decoder) (s sign.Signature) {
	d.BytesInto(s.Ed25519[:])
	s.MLDSA = d.BytesFixed(mldsa65Bytes)
	return s
}

// appendElements appends the elements as one byte string.
func appendElements(b []byte, elements [][32]byte) []byte {
	flat := make([]byte, 0, 32*len(elements))
	for i := range elements {
		flat = append(flat, elements[i][:]...)
	}
	return cbor.AppendBytes(b, flat)
}

func readElements(d *cbor.Decoder) [][32]byte {
	flat := d.Bytes(32 * MaxFalsehoodElements)
	if len(flat)%32 != 0 {
		d.Fail("elements of %d bytes, want 32 each", len(flat))
		return nil
	}
	var elements [][32]byte
	for ; len(flat) > 0; flat = flat[32:] {
		elements = append(elements, [32]byte(flat[:32]))
	}
	return elements
}
