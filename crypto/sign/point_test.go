package sign

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"testing"
)

// identity is the neutral point as R, with 0 as S: a signature that only a key
// of small order verifies.
var identity = append([]byte{1}, make([]byte, 63)...)

// forges reports whether some message verifies under key with a signature
// that nobody made.
func forges(key []byte) bool {
	for i := range uint32(200) {
		if ed25519.Verify(key, binary.BigEndian.AppendUint32(nil, i), identity) {
			return true
		}
	}
	return false
}

func TestKeysOfSmallOrderVerifyForgeriesAndAreRefused(t *testing.T) {
	for _, y := range smallOrderY {
		for _, sign := range []byte{0, 0x80} {
			key := y
			key[31] |= sign
			// Where x is 0 there is no negative, so the sign proves nothing.
			if sign == 0 && !forges(key[:]) {
				t.Errorf("no forgery verifies under %x: it has no small order", key)
			}
			if _, err := ParsePublicKey(PurposeLog, joinSPKI(headEd25519, key[:]), nil); !errors.Is(err, ErrKey) {
				t.Errorf("key %x: got %v, want ErrKey", key, err)
			}
		}
	}
	honest := ed25519.NewKeyFromSeed(make([]byte, 32))[32:]
	if forges(honest) {
		t.Error("a forgery verifies under an honest key")
	}
}

func TestKeysThatAreNotCanonicalAreRefused(t *testing.T) {
	for low := byte(0xec); low >= 0xec; low++ {
		key := smallOrderY[2] // p-1 = 2^255-20
		key[0] = low
		if _, err := ParsePublicKey(PurposeLog, joinSPKI(headEd25519, key[:]), nil); !errors.Is(err, ErrKey) {
			t.Errorf("key %x: got %v, want ErrKey", key, err)
		}
	}
	largest := smallOrderY[2]
	largest[0] = 0xeb // p-2, canonical and not of small order
	if weakPoint(largest[:]) {
		t.Error("a canonical key is taken for one that is not")
	}
}
