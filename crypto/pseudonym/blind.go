package pseudonym

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"

	"github.com/raresync/raresync/crypto/internal/ristretto"
)

const (
	redactedBlinding = "blinding(redacted)"
	// maxInputBytes is what the length prefix of RFC 9497 can say.
	maxInputBytes = 1<<16 - 1
	// hashToGroupTag is RFC 9497's for base mode (section 3.1: mode 0).
	hashToGroupTag = "HashToGroup-OPRFV1-\x00-ristretto255-SHA512"
)

// Blinding is what a hospital keeps of a batch until the answers are in: the
// inputs and the blinds. It prints only a placeholder and is never stored; a
// batch that is lost is blinded anew.
type Blinding struct {
	secret       *blinded
	elementsHash [64]byte
}

// blinded is behind a pointer, of which fmt prints the address.
type blinded struct {
	inputs [][]byte
	blinds []*ristretto.Scalar // one for each input
}

// Blind hides 1 to MaxBatch inputs, made by Params.Input, each under a fresh
// random blind. The elements go to the holders, in the order of the inputs.
// It returns ErrBatch for another number of inputs or one above 65,535 bytes.
func Blind(inputs [][]byte) (*Blinding, [][32]byte, error) {
	if err := checkInputs(inputs); err != nil {
		return nil, nil, fmt.Errorf("blind: %w", err)
	}
	blinds := make([]*ristretto.Scalar, len(inputs))
	for i := range blinds {
		blinds[i] = ristretto.RandomScalar()
	}
	return blindWith(inputs, blinds)
}

func checkInputs(inputs [][]byte) error {
	if len(inputs) == 0 || len(inputs) > MaxBatch {
		return fmt.Errorf("%w: %d inputs, want 1 to %d", ErrBatch, len(inputs), MaxBatch)
	}
	for i := range inputs {
		if len(inputs[i]) > maxInputBytes {
			return fmt.Errorf("%w: input %d has %d bytes, at most %d", ErrBatch, i, len(inputs[i]), maxInputBytes)
		}
	}
	return nil
}

// blindWith is Blind with the blinds given, one for each input. It copies the
// inputs: they are hashed again at the end, and a buffer the caller has reused
// by then would make wrong pseudonyms that nothing shows to be wrong.
func blindWith(inputs [][]byte, blinds []*ristretto.Scalar) (*Blinding, [][32]byte, error) {
	kept := make([][]byte, len(inputs))
	elements := make([][32]byte, len(inputs))
	for i := range inputs {
		kept[i] = bytes.Clone(inputs[i])
		point := ristretto.HashToElement(kept[i], []byte(hashToGroupTag))
		if point.IsIdentity() || ristretto.IsZero(blinds[i]) {
			return nil, nil, fmt.Errorf("blind: %w: input %d", ErrElement, i)
		}
		elements[i] = ristretto.Mul(blinds[i], point).Bytes()
	}
	return &Blinding{secret: &blinded{kept, blinds}, elementsHash: HashElements(elements)}, elements, nil
}

// String returns a placeholder.
func (b *Blinding) String() string { return redactedBlinding }

// Format writes the placeholder whatever the verb.
func (b *Blinding) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedBlinding) }

// LogValue returns the placeholder.
func (b *Blinding) LogValue() slog.Value { return slog.StringValue(redactedBlinding) }
