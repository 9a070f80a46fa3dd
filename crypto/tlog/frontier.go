package tlog

import (
	"fmt"
	"math/bits"
	"slices"
)

// A Frontier is the right edge of a tree: the roots of the perfect subtrees
// that its leaves fill, one per one-bit of the size. It is all that is needed
// to append leaves and to know the root, and takes at most 63 hashes.
//
// The zero Frontier is the empty tree. A Frontier is not safe for concurrent
// use while it is appended to.
type Frontier struct {
	size     uint64
	subtrees []Hash
}

// NewFrontier restores the frontier of a tree with size leaves from what
// [Frontier.Hashes] returned. It copies hashes. The number of hashes must be
// the number of one-bits in size; whether they are the right ones shows only
// in the root.
func NewFrontier(size uint64, hashes []Hash) (*Frontier, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("frontier of size %d: %w: larger than %d", size, ErrMalformed, MaxSize)
	}
	if want := bits.OnesCount64(size); len(hashes) != want {
		return nil, fmt.Errorf("frontier of size %d: %w: %d hashes, want %d", size, ErrMalformed, len(hashes), want)
	}
	return &Frontier{size: size, subtrees: slices.Clone(hashes)}, nil
}

// Append adds a leaf by its hash. If complete is not nil, it is called for
// each perfect subtree the leaf completes whose height is stored (see
// [StoredHeights]), lowest first: always with height 0 and the leaf hash,
// with height 8 after each 256th leaf, and so on. The index of a completed
// subtree at its height is Size()>>height as it was before the call.
func (f *Frontier) Append(leaf Hash, complete func(height uint, h Hash)) {
	node, height := leaf, uint(0)
	for {
		if complete != nil && isStored(height) {
			complete(height, node)
		}
		if f.size>>height&1 == 0 {
			break
		}
		last := len(f.subtrees) - 1
		node = NodeHash(f.subtrees[last], node)
		f.subtrees = f.subtrees[:last]
		height++
	}
	f.subtrees = append(f.subtrees, node)
	f.size++
}

// Size returns the number of leaves.
func (f *Frontier) Size() uint64 { return f.size }

// Root returns the root of the tree (RFC 6962 section 2.1); of the empty tree
// it is [EmptyRoot].
func (f *Frontier) Root() Hash { return rootOf(f.subtrees) }

// Hashes returns a copy of the roots of the perfect subtrees, largest and
// leftmost first.
func (f *Frontier) Hashes() []Hash { return slices.Clone(f.subtrees) }

// Clone returns an independent copy.
func (f *Frontier) Clone() *Frontier {
	return &Frontier{size: f.size, subtrees: slices.Clone(f.subtrees)}
}
