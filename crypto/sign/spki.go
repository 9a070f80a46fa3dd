package sign

import (
	"bytes"
	"errors"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// A SubjectPublicKeyInfo (RFC 5280 section 4.1) of a fixed algorithm is a
// constant head and the key: the algorithm has no parameters and DER has one
// form. Comparing heads is stricter than parsing, and leaves nothing to parse.
// The object identifiers are those of RFC 8410 section 3 and RFC 9881
// section 2.
var (
	headEd25519 = []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}
	headMLDSA44 = []byte{0x30, 0x82, 0x05, 0x32, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x03, 0x11, 0x03, 0x82, 0x05, 0x21, 0x00}
	headMLDSA65 = []byte{0x30, 0x82, 0x07, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
		0x65, 0x03, 0x04, 0x03, 0x12, 0x03, 0x82, 0x07, 0xa1, 0x00}
)

// Sizes of public keys in SubjectPublicKeyInfo form, in bytes.
const (
	Ed25519SPKISize = 12 + 32                    // 44
	MLDSA44SPKISize = 22 + mldsa44.PublicKeySize // 1334
	MLDSA65SPKISize = 22 + mldsa65.PublicKeySize // 1974
)

var errSPKI = errors.New("not the SubjectPublicKeyInfo of the algorithm")

func joinSPKI(head, key []byte) []byte { return append(bytes.Clone(head), key...) }

// splitSPKI returns the key in der, a view of it, if der has exactly the head
// and size bytes in all.
func splitSPKI(der, head []byte, size int) ([]byte, error) {
	if len(der) != size || !bytes.HasPrefix(der, head) {
		return nil, errSPKI
	}
	return der[len(head):], nil
}
