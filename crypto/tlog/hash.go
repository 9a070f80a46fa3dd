package tlog

import (
	"crypto/sha256"
	"math"
)

// HashSize is the length of a [Hash] in bytes.
const HashSize = sha256.Size

// MaxSize is the largest tree size any function here accepts: 2^63 - 1
// leaves, so that sizes and indexes fit signed integers of other programs.
const MaxSize uint64 = math.MaxInt64

// A Hash is a SHA-256 hash of the RFC 6962 tree: of a leaf, a node or the
// whole tree.
type Hash [HashSize]byte

// Prefixes of RFC 6962 section 2.1 that keep leaves and nodes apart.
const (
	leafPrefix = 0x00
	nodePrefix = 0x01
)

// EmptyRoot is the root of the tree without leaves: SHA-256 of no bytes
// (RFC 6962 section 2.1).
var EmptyRoot = Hash(sha256.Sum256(nil))

// LeafHash returns the hash of a leaf: SHA-256(0x00 ‖ leaf), RFC 6962 section
// 2.1.
func LeafHash(leaf []byte) Hash {
	// A leaf of the log is 90 bytes, so the common case stays on the stack.
	buf := append(make([]byte, 0, 128), leafPrefix)
	return sha256.Sum256(append(buf, leaf...))
}

// NodeHash returns the hash of an inner node: SHA-256(0x01 ‖ left ‖ right),
// RFC 6962 section 2.1.
func NodeHash(left, right Hash) Hash {
	var buf [1 + 2*HashSize]byte
	buf[0] = nodePrefix
	copy(buf[1:], left[:])
	copy(buf[1+HashSize:], right[:])
	return sha256.Sum256(buf[:])
}

// rootOf joins the hashes of perfect subtrees, largest and leftmost first,
// into the root of the tree they make up.
func rootOf(subtrees []Hash) Hash {
	if len(subtrees) == 0 {
		return EmptyRoot
	}
	root := subtrees[len(subtrees)-1]
	for i := len(subtrees) - 2; i >= 0; i-- {
		root = NodeHash(subtrees[i], root)
	}
	return root
}
