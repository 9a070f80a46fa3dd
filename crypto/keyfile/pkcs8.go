package keyfile

import (
	"bytes"

	"github.com/raresync/raresync/crypto/sign"
)

// A PKCS#8 key (RFC 5208) that holds a 32-byte seed is a constant head and the
// seed, since the algorithm has no parameters: Ed25519 as in RFC 8410 section
// 7, ML-DSA in the seed form of RFC 9881 section 6.
var (
	pkcs8Ed25519 = []byte{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
		0x04, 0x22, 0x04, 0x20}
	pkcs8MLDSA44 = []byte{0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
		0x01, 0x65, 0x03, 0x04, 0x03, 0x11, 0x04, 0x22, 0x80, 0x20}
	pkcs8MLDSA65 = []byte{0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
		0x01, 0x65, 0x03, 0x04, 0x03, 0x12, 0x04, 0x22, 0x80, 0x20}
)

// mldsaHead returns the head of the ML-DSA half of keys of purpose p, nil if
// they have none.
func mldsaHead(p sign.Purpose) []byte {
	switch p {
	case sign.PurposeEnvelope, sign.PurposeRequest, sign.PurposeResponse:
		return pkcs8MLDSA65
	case sign.PurposeCosign:
		return pkcs8MLDSA44
	}
	return nil
}

func joinPKCS8(head []byte, seed [32]byte) []byte { return append(bytes.Clone(head), seed[:]...) }

func splitPKCS8(head, der []byte) (seed [32]byte, ok bool) {
	rest, ok := bytes.CutPrefix(der, head)
	if !ok || len(rest) != len(seed) {
		return seed, false
	}
	return [32]byte(rest), true
}
