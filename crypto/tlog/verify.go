package tlog

import (
	"fmt"
	"math/bits"
)

// VerifyInclusion checks that proof leads from a leaf's hash at index to the
// root of a tree of size leaves (RFC 6962 section 2.1.1). It returns
// [ErrProof] if not.
func VerifyInclusion(leaf Hash, index, size uint64, proof []Hash, root Hash) error {
	if size > MaxSize || index >= size {
		return fmt.Errorf("verify leaf %d of %d: %w: no such leaf", index, size, ErrProof)
	}
	inner, border := pathShape(index, size)
	if len(proof) != inner+border {
		return fmt.Errorf("verify leaf %d of %d: %w: %d hashes, want %d", index, size, ErrProof, len(proof), inner+border)
	}
	node := leaf
	for level, sibling := range proof {
		if level >= inner || index>>level&1 == 1 {
			node = NodeHash(sibling, node)
		} else {
			node = NodeHash(node, sibling)
		}
	}
	if node != root {
		return fmt.Errorf("verify leaf %d of %d: %w: another root", index, size, ErrProof)
	}
	return nil
}

// VerifyConsistency checks that the tree of from leaves with root fromRoot is
// a prefix of the tree of to leaves with root toRoot (RFC 6962 section
// 2.1.2). It returns [ErrProof] if not. The empty tree, by its own root, is a
// prefix of every tree.
func VerifyConsistency(from, to uint64, proof []Hash, fromRoot, toRoot Hash) error {
	fail := func(why string) error {
		return fmt.Errorf("verify %d is a prefix of %d: %w: %s", from, to, ErrProof, why)
	}
	if to > MaxSize || from > to {
		return fail("sizes out of order")
	}
	if from == 0 || from == to {
		switch {
		case len(proof) != 0:
			return fail("hashes where none are needed")
		case from == 0 && fromRoot != EmptyRoot, to == 0 && toRoot != EmptyRoot:
			return fail("another root of the empty tree")
		case from == to && fromRoot != toRoot:
			return fail("two roots of one size")
		}
		return nil
	}
	oldRoot, newRoot, ok := replayConsistency(from, to, proof, fromRoot)
	switch {
	case !ok:
		return fail("wrong number of hashes")
	case oldRoot != fromRoot:
		return fail("another root of the smaller tree")
	case newRoot != toRoot:
		return fail("another root of the larger tree")
	}
	return nil
}

// replayConsistency computes both roots from a proof, for 0 < from < to. The
// proof is the audit path in the larger tree of the last perfect subtree of
// the smaller one, led by that subtree's hash unless it is the whole smaller
// tree. Siblings on the left belong to both trees, those on the right to the
// larger alone.
func replayConsistency(from, to uint64, proof []Hash, fromRoot Hash) (oldRoot, newRoot Hash, ok bool) {
	height := bits.TrailingZeros64(from)
	seed := fromRoot
	if from != 1<<height {
		if len(proof) == 0 {
			return Hash{}, Hash{}, false
		}
		seed, proof = proof[0], proof[1:]
	}
	inner, border := pathShape(from-1, to)
	if len(proof) != inner-height+border {
		return Hash{}, Hash{}, false
	}
	oldRoot, newRoot = seed, seed
	for i, sibling := range proof {
		level := height + i
		if level >= inner || (from-1)>>level&1 == 1 {
			oldRoot, newRoot = NodeHash(sibling, oldRoot), NodeHash(sibling, newRoot)
		} else {
			newRoot = NodeHash(newRoot, sibling)
		}
	}
	return oldRoot, newRoot, true
}

// pathShape splits the audit path of leaf number index in a tree of size
// leaves: the first inner hashes are siblings below the node where the path
// meets the tree's right edge, on the side the index's bits tell; the
// remaining border hashes all lie to the left.
func pathShape(index, size uint64) (inner, border int) {
	inner = bits.Len64(index ^ (size - 1))
	return inner, bits.OnesCount64(index >> inner)
}
