package tlog

import (
	"fmt"
	"math/bits"
)

const (
	// heightStep is the distance between stored heights: a tile is a perfect
	// subtree of this height (C2SP tlog-tiles).
	heightStep = 8

	// topStored is the greatest stored height: one hash per 16,777,216 leaves.
	topStored = 24
)

// StoredHeights returns the heights whose hashes a log keeps, lowest first:
// 0, 8, 16 and 24. They are what C2SP tiles of levels 0 to 3 hold; hashes
// between are computed from at most 256 of the stored height below.
func StoredHeights() []uint { return []uint{0, 8, 16, 24} }

func isStored(height uint) bool { return height <= topStored && height%heightStep == 0 }

// A HashReader reads stored hashes of a tree.
type HashReader interface {
	// ReadHashes fills dst with the hashes of the perfect subtrees number
	// first, first+1, ... at height, which is one of [StoredHeights]. At most
	// 256 are asked for at once. An error is returned if one is missing.
	ReadHashes(height uint, first uint64, dst []Hash) error
}

// subtreeHash returns the hash of perfect subtree number index at height.
func subtreeHash(r HashReader, height uint, index uint64) (Hash, error) {
	base := min(height/heightStep*heightStep, topStored)
	if height-base > heightStep { // more than 2^32 leaves
		return joinHalves(r, height, index)
	}
	row := make([]Hash, 1<<(height-base))
	if err := r.ReadHashes(base, index<<(height-base), row); err != nil {
		return Hash{}, fmt.Errorf("read %d hashes of height %d from %d: %w", len(row), base, index<<(height-base), err)
	}
	return Join(row), nil
}

// Join returns the hash over a row of perfect subtrees side by side, of which there
// is a power of two, as of a full tile. It uses up the row.
func Join(row []Hash) Hash {
	for len(row) > 1 {
		for i := range len(row) / 2 {
			row[i] = NodeHash(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0]
}

func joinHalves(r HashReader, height uint, index uint64) (Hash, error) {
	left, err := subtreeHash(r, height-1, 2*index)
	if err != nil {
		return Hash{}, err
	}
	right, err := subtreeHash(r, height-1, 2*index+1)
	if err != nil {
		return Hash{}, err
	}
	return NodeHash(left, right), nil
}

// FrontierAt returns the frontier of the tree's first size leaves.
func FrontierAt(r HashReader, size uint64) (*Frontier, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("frontier of size %d: %w: larger than %d", size, ErrMalformed, MaxSize)
	}
	subtrees, err := perfectSubtrees(r, 0, size)
	if err != nil {
		return nil, fmt.Errorf("frontier of size %d: %w", size, err)
	}
	return &Frontier{size: size, subtrees: subtrees}, nil
}

// RootAt returns the root of the tree's first size leaves.
func RootAt(r HashReader, size uint64) (Hash, error) {
	f, err := FrontierAt(r, size)
	if err != nil {
		return Hash{}, err
	}
	return f.Root(), nil
}

// perfectSubtrees returns the hashes of the largest perfect subtrees that
// cover count leaves from start, leftmost first. The start must be a multiple
// of the largest power of two up to count, as it is wherever RFC 6962 splits
// a tree.
func perfectSubtrees(r HashReader, start, count uint64) ([]Hash, error) {
	subtrees := make([]Hash, 0, bits.OnesCount64(count))
	for count > 0 {
		height := uint(bits.Len64(count) - 1)
		h, err := subtreeHash(r, height, start>>height)
		if err != nil {
			return nil, err
		}
		subtrees = append(subtrees, h)
		start, count = start+1<<height, count-1<<height
	}
	return subtrees, nil
}

// rangeHash returns the tree hash of count leaves from start, under the
// condition of perfectSubtrees.
func rangeHash(r HashReader, start, count uint64) (Hash, error) {
	subtrees, err := perfectSubtrees(r, start, count)
	if err != nil {
		return Hash{}, err
	}
	return rootOf(subtrees), nil
}
