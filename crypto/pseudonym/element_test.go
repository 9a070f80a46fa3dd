package pseudonym

import (
	"crypto/sha512"
	"errors"
	"slices"
	"testing"
)

// Small field elements have a second encoding below 2^255: themselves plus
// the field's prime p = 2^255 - 19. Where the first one is a group element,
// the second must not be.
func TestSecondEncodingsAreRefused(t *testing.T) {
	pairs := 0
	for s := byte(2); s < 19; s += 2 {
		first := [32]byte{s}
		if _, err := decodeElement(first); err != nil {
			continue
		}
		pairs++
		second := [32]byte(slices.Concat([]byte{0xed + s}, slices.Repeat([]byte{0xff}, 30), []byte{0x7f}))
		if _, err := decodeElement(second); !errors.Is(err, ErrElement) {
			t.Errorf("%d + p: got %v, want %v", s, err, ErrElement)
		}
		first[31] |= 0x80
		if _, err := decodeElement(first); !errors.Is(err, ErrElement) {
			t.Errorf("%d with the top bit set: got %v, want %v", s, err, ErrElement)
		}
	}
	if pairs == 0 {
		t.Fatal("no small field element is a group element")
	}
	if _, err := decodeElement(nonCanonical); !errors.Is(err, ErrElement) {
		t.Errorf("got %v, want %v", err, ErrElement)
	}
}

func TestIdentityIsRefused(t *testing.T) {
	if e := circlGroup.NewElement(); e.UnmarshalBinary(identity[:]) != nil || !e.IsIdentity() {
		t.Fatal("zeros do not encode the identity")
	}
	if _, err := decodeElement(identity); !errors.Is(err, ErrElement) {
		t.Errorf("got %v, want %v", err, ErrElement)
	}
}

func TestHashElementsIsOfTheirEncodingsInOrder(t *testing.T) {
	a, b := [32]byte{1}, [32]byte{2}
	if got, want := HashElements([][32]byte{a, b}), sha512.Sum512(slices.Concat(a[:], b[:])); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}
