package tlog

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	modtlog "golang.org/x/mod/sumdb/tlog"
)

// A sparseTree is a tree of any size whose leaves are all alike except a few.
type sparseTree struct {
	size    uint64
	marks   []uint64 // ascending
	uniform [64]Hash
}

func newSparseTree(rng *rand.Rand, size uint64) *sparseTree {
	s := &sparseTree{size: size}
	s.uniform[0] = LeafHash([]byte("alike"))
	for h := range 63 {
		s.uniform[h+1] = NodeHash(s.uniform[h], s.uniform[h])
	}
	for range 12 {
		s.marks = append(s.marks, rng.Uint64N(size))
	}
	s.marks = append(s.marks, size-1)
	slices.Sort(s.marks)
	return s
}

func (s *sparseTree) node(height uint, index uint64) Hash {
	at, _ := slices.BinarySearch(s.marks, index<<height)
	if at == len(s.marks) || s.marks[at]>>height != index {
		return s.uniform[height]
	}
	if height == 0 {
		return LeafHash(fmt.Appendf(nil, "marked %d", index))
	}
	return NodeHash(s.node(height-1, 2*index), s.node(height-1, 2*index+1))
}

func (s *sparseTree) ReadHashes(height uint, first uint64, dst []Hash) error {
	if err := checkRead(height, dst); err != nil {
		return err
	}
	if first+uint64(len(dst)) > s.size>>height {
		return errors.New("beyond the tree")
	}
	for i := range dst {
		dst[i] = s.node(height, first+uint64(i))
	}
	return nil
}

// root computes the root from the definition, not through stored hashes.
func (s *sparseTree) root(size uint64) Hash {
	var subtrees []Hash
	for start := uint64(0); start < size; {
		height := uint(bits.Len64(size-start) - 1)
		subtrees = append(subtrees, s.node(height, start>>height))
		start += 1 << height
	}
	return rootOf(subtrees)
}

func TestProofsOfLargeTreesVerifyElsewhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	hasher := rfc6962.DefaultHasher
	for _, limit := range []uint64{1 << 17, 1 << 25, 1 << 33, 1 << 36} {
		for range 12 {
			size := 1 + rng.Uint64N(limit)
			s := newSparseTree(rng, size)
			root := must(RootAt(s, size))
			if want := s.root(size); root != want {
				t.Fatalf("root at %d: got %x, want %x", size, root, want)
			}
			index := s.marks[rng.IntN(len(s.marks))]
			leaf := s.node(0, index)
			path := must(InclusionProof(s, index, size))
			if err := VerifyInclusion(leaf, index, size, path, root); err != nil {
				t.Fatal(err)
			}
			if err := proof.VerifyInclusion(hasher, index, size, leaf[:], bytesOf(path), root[:]); err != nil {
				t.Fatal(err)
			}
			if err := modtlog.CheckRecord(modHashes(path), int64(size), modtlog.Hash(root), int64(index), modtlog.Hash(leaf)); err != nil {
				t.Fatal(err)
			}
			from := 1 + rng.Uint64N(size)
			fromRoot, link := s.root(from), must(ConsistencyProof(s, from, size))
			if err := VerifyConsistency(from, size, link, fromRoot, root); err != nil {
				t.Fatal(err)
			}
			if err := proof.VerifyConsistency(hasher, from, size, bytesOf(link), fromRoot[:], root[:]); err != nil {
				t.Fatal(err)
			}
			if err := modtlog.CheckTree(modHashes(link), int64(size), modtlog.Hash(root), int64(from), modtlog.Hash(fromRoot)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
