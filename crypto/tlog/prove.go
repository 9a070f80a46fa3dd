package tlog

import (
	"fmt"
	"math/bits"
	"slices"
)

// MaxProofHashes is the greatest number of hashes in an inclusion or
// consistency proof of trees up to [MaxSize].
const MaxProofHashes = 64

// InclusionProof returns the audit path that leads from leaf number index to
// the root of the first size leaves, the leaf's sibling first (RFC 6962
// section 2.1.1).
func InclusionProof(r HashReader, index, size uint64) ([]Hash, error) {
	if size > MaxSize || index >= size {
		return nil, fmt.Errorf("prove leaf %d of %d: %w: no such leaf", index, size, ErrProof)
	}
	var proof []Hash
	start, count := uint64(0), size
	for count > 1 { // from the root down, so the path comes out reversed
		left := splitAt(count)
		sibling, siblings := start+left, count-left
		if index >= start+left {
			sibling, siblings, start, count = start, left, start+left, count-left
		} else {
			count = left
		}
		h, err := rangeHash(r, sibling, siblings)
		if err != nil {
			return nil, fmt.Errorf("prove leaf %d of %d: %w", index, size, err)
		}
		proof = append(proof, h)
	}
	slices.Reverse(proof)
	return proof, nil
}

// ConsistencyProof returns the proof that the tree of the first from leaves
// is a prefix of the tree of the first to leaves (RFC 6962 section 2.1.2). It
// is empty if the sizes are equal or from is 0.
func ConsistencyProof(r HashReader, from, to uint64) ([]Hash, error) {
	if to > MaxSize || from > to {
		return nil, fmt.Errorf("prove %d is a prefix of %d: %w: sizes out of order", from, to, ErrProof)
	}
	if from == 0 || from == to {
		return nil, nil
	}
	proof, err := consistencyPath(r, from, to)
	if err != nil {
		return nil, fmt.Errorf("prove %d is a prefix of %d: %w", from, to, err)
	}
	return proof, nil
}

// consistencyPath walks SUBPROOF of RFC 6962 section 2.1.2 from the root down
// to the subtree at whose right end the smaller tree stops.
func consistencyPath(r HashReader, from, to uint64) ([]Hash, error) {
	var proof []Hash
	start, count := uint64(0), to
	for from != start+count {
		left := splitAt(count)
		sibling, siblings := start+left, count-left
		if from > start+left {
			sibling, siblings, start, count = start, left, start+left, count-left
		} else {
			count = left
		}
		h, err := rangeHash(r, sibling, siblings)
		if err != nil {
			return nil, err
		}
		proof = append(proof, h)
	}
	if start != 0 { // else it is the smaller tree itself, whose root is known
		h, err := rangeHash(r, start, count)
		if err != nil {
			return nil, err
		}
		proof = append(proof, h)
	}
	slices.Reverse(proof)
	return proof, nil
}

// splitAt returns the number of leaves in the left subtree of a tree of count
// leaves: the largest power of two below count, which is at least 2.
func splitAt(count uint64) uint64 { return 1 << (bits.Len64(count-1) - 1) }
