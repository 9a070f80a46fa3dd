package seal

import (
	"encoding/binary"
	"fmt"
)

// Sizes of plaintexts and ciphertexts in bytes. A padded plaintext has
// 512·2^k bytes for a k from 0 to 8; its ciphertext 16 more.
const (
	MaxPlaintextBytes = maxPaddedBytes - lengthBytes // 131,068

	minPaddedBytes = 512
	maxPaddedBytes = 512 << 8
	lengthBytes    = 4
	overheadBytes  = 16 // the GCM tag
)

// CheckCiphertextLen returns ErrLength unless n is the length in bytes of a
// ciphertext of some size class: 512·2^k + 16, k from 0 to 8.
func CheckCiphertextLen(n int) error {
	padded := n - overheadBytes
	if padded < minPaddedBytes || padded > maxPaddedBytes || padded&(padded-1) != 0 {
		return fmt.Errorf("%w: %d bytes", ErrLength, n)
	}
	return nil
}

// paddedLen returns the smallest size class that holds n bytes of plaintext
// and their length.
func paddedLen(n int) int {
	padded := minPaddedBytes
	for padded < n+lengthBytes {
		padded *= 2
	}
	return padded
}

// pad returns plaintext between its length and zeros, with capacity for the
// GCM tag.
func pad(plaintext []byte) []byte {
	size := paddedLen(len(plaintext))
	b := make([]byte, size, size+overheadBytes)
	binary.BigEndian.PutUint32(b, uint32(len(plaintext)))
	copy(b[lengthBytes:], plaintext)
	return b
}

// unpad returns the plaintext in b, a view of it. It accepts only what pad
// returns, so that a sender has no bytes of its own choice to hide or vary.
func unpad(b []byte) ([]byte, error) {
	n := binary.BigEndian.Uint32(b)
	if n > MaxPlaintextBytes || paddedLen(int(n)) != len(b) {
		return nil, fmt.Errorf("%w: length does not fit its size class", ErrBody)
	}
	end := lengthBytes + int(n)
	for _, v := range b[end:] {
		if v != 0 {
			return nil, fmt.Errorf("%w: padding is not zero", ErrBody)
		}
	}
	return b[lengthBytes:end:end], nil
}
