package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// withLength returns size bytes that claim to hold n and are zero but for
// the bytes at the given places.
func withLength(size int, n uint32, nonzero ...int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, n)
	for _, i := range nonzero {
		b[i] = 1
	}
	return b
}

func TestOnlyTheOnePaddingIsAccepted(t *testing.T) {
	for name, tc := range map[string]struct {
		padded []byte
		ok     bool
	}{
		"nothing in the smallest class":         {withLength(512, 0), true},
		"a full smallest class":                 {withLength(512, 508, 511), true},
		"one byte in the padding, at its start": {withLength(512, 10, 14), false},
		"one byte in the padding, at its end":   {withLength(512, 507, 511), false},
		"a length beyond the class":             {withLength(512, 509), false},
		"a length that wraps":                   {withLength(512, 0xffffffff), false},
		"a larger class than needed":            {withLength(1024, 508), false},
		"the least of a class":                  {withLength(1024, 509), true},
		"a length just above the limit":         {withLength(maxPaddedBytes, MaxPlaintextBytes+1), false},
		"a length of the limit":                 {withLength(maxPaddedBytes, MaxPlaintextBytes), true},
		"a length of 2^31, negative on 32 bits": {withLength(512, 1<<31), false},
	} {
		got, err := unpad(tc.padded)
		if tc.ok != (err == nil) || (!tc.ok && !errors.Is(err, ErrBody)) {
			t.Errorf("%s: %v", name, err)
		}
		if tc.ok && !bytes.Equal(pad(got), tc.padded) {
			t.Errorf("%s: pads back to other bytes", name)
		}
	}
}
