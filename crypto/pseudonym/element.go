package pseudonym

import (
	"crypto/sha512"
	"fmt"

	"github.com/cloudflare/circl/group"
)

// MaxBatch is the largest number of elements in one request.
const MaxBatch = 4096

var ristretto = group.Ristretto255

// HashElements returns the SHA-512 of the elements' encodings in order.
func HashElements(elements [][32]byte) [64]byte {
	h := sha512.New()
	for i := range elements {
		h.Write(elements[i][:])
	}
	return [64]byte(h.Sum(nil))
}

// decodeElement refuses what is not the canonical encoding of an element, and
// the identity: the group library accepts that one, but it would make every
// evaluation the same.
func decodeElement(b [32]byte) (group.Element, error) {
	e := ristretto.NewElement()
	if err := e.UnmarshalBinary(b[:]); err != nil {
		return nil, ErrElement
	}
	if e.IsIdentity() {
		return nil, fmt.Errorf("%w: the identity", ErrElement)
	}
	return e, nil
}

func decodeElements(in [][32]byte) ([]group.Element, error) {
	out := make([]group.Element, len(in))
	for i, b := range in {
		e, err := decodeElement(b)
		if err != nil {
			return nil, fmt.Errorf("element %d of %d: %w", i, len(in), err)
		}
		out[i] = e
	}
	return out, nil
}

func encodeElement(e group.Element) (out [32]byte, err error) {
	b, err := e.MarshalBinaryCompress()
	copy(out[:], b)
	return out, err
}

func encodeElements(in []group.Element) ([][32]byte, error) {
	out := make([][32]byte, len(in))
	for i, e := range in {
		b, err := encodeElement(e)
		if err != nil {
			return nil, fmt.Errorf("encode element %d: %w", i, err)
		}
		out[i] = b
	}
	return out, nil
}
