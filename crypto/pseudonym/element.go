package pseudonym

import (
	"crypto/sha512"
	"fmt"

	"github.com/raresync/raresync/crypto/internal/ristretto"
)

// MaxBatch is the largest number of elements in one request.
const MaxBatch = 4096

// HashElements returns the SHA-512 of the elements' encodings in order.
func HashElements(elements [][32]byte) [64]byte {
	h := sha512.New()
	for i := range elements {
		h.Write(elements[i][:])
	}
	return [64]byte(h.Sum(nil))
}

// decodeElement refuses what is not the canonical encoding of an element, and
// the identity, which is an element, but would make every evaluation the same.
func decodeElement(b [32]byte) (*ristretto.Element, error) {
	e, err := ristretto.Decode(b)
	if err != nil {
		return nil, ErrElement
	}
	if e.IsIdentity() {
		return nil, fmt.Errorf("%w: the identity", ErrElement)
	}
	return e, nil
}

func decodeElements(in [][32]byte) ([]*ristretto.Element, error) {
	out := make([]*ristretto.Element, len(in))
	for i, b := range in {
		e, err := decodeElement(b)
		if err != nil {
			return nil, fmt.Errorf("element %d of %d: %w", i, len(in), err)
		}
		out[i] = e
	}
	return out, nil
}
