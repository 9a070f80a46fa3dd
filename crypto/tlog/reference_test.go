package tlog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	modtlog "golang.org/x/mod/sumdb/tlog"
)

// referenceTree is one tree kept by this package and by two others.
type referenceTree struct {
	own    store
	merkle *testonly.Tree
	mod    []modtlog.Hash // in x/mod's storage order
}

func (r *referenceTree) ReadHashes(indexes []int64) ([]modtlog.Hash, error) {
	out := make([]modtlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = r.mod[x]
	}
	return out, nil
}

func newReferenceTree(size int) *referenceTree {
	r := &referenceTree{merkle: testonly.New(rfc6962.DefaultHasher)}
	for i := range size {
		leaf := fmt.Appendf(nil, "leaf %d", i)
		r.own.append(LeafHash(leaf))
		r.merkle.AppendData(leaf)
		r.mod = append(r.mod, must(modtlog.StoredHashes(int64(i), leaf, r))...)
	}
	return r
}

const referenceSize = 600

var reference = newReferenceTree(referenceSize)

func bytesOf(hashes []Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

func modHashes(hashes []Hash) []modtlog.Hash {
	out := make([]modtlog.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = modtlog.Hash(h)
	}
	return out
}

func TestRootsAgreeWithOtherImplementations(t *testing.T) {
	var f Frontier
	other := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for size := range uint64(referenceSize + 1) {
		root := must(RootAt(&reference.own, size))
		if want := Hash(reference.merkle.HashAt(size)); root != want || f.Root() != want {
			t.Fatalf("root at %d: got %x and %x, want %x", size, root, f.Root(), want)
		}
		if want := Hash(must(modtlog.TreeHash(int64(size), reference))); size > 0 && root != want {
			t.Fatalf("root at %d: got %x, x/mod says %x", size, root, want)
		}
		if !slices.EqualFunc(f.Hashes(), other.Hashes(), func(a Hash, b []byte) bool { return a == Hash(b) }) {
			t.Fatalf("frontier at %d: got %x, want %x", size, f.Hashes(), other.Hashes())
		}
		if size < referenceSize {
			leaf := reference.own.rows[0][size]
			f.Append(leaf, nil)
			if err := other.Append(leaf[:], nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// someIndexes returns all numbers below n if there are few, else both ends,
// the middle and some at random.
func someIndexes(rng *rand.Rand, n uint64) []uint64 {
	if n <= 40 {
		all := make([]uint64, n)
		for i := range all {
			all[i] = uint64(i)
		}
		return all
	}
	return []uint64{0, 1, n / 2, n - 2, n - 1, rng.Uint64N(n), rng.Uint64N(n)}
}

func TestInclusionProofsAgreeWithOtherImplementations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for size := range uint64(referenceSize + 1) {
		root := Hash(reference.merkle.HashAt(size))
		for _, index := range someIndexes(rng, size) {
			got := must(InclusionProof(&reference.own, index, size))
			want := must(reference.merkle.InclusionProof(index, size))
			if !slices.EqualFunc(got, want, func(a Hash, b []byte) bool { return a == Hash(b) }) {
				t.Fatalf("leaf %d of %d: got %x, want %x", index, size, got, want)
			}
			if mod := must(modtlog.ProveRecord(int64(size), int64(index), reference)); !slices.Equal(modHashes(got), mod) {
				t.Fatalf("leaf %d of %d: got %x, x/mod says %x", index, size, got, mod)
			}
			if err := VerifyInclusion(reference.own.rows[0][index], index, size, got, root); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestConsistencyProofsAgreeWithOtherImplementations(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for to := range uint64(referenceSize + 1) {
		toRoot := Hash(reference.merkle.HashAt(to))
		for _, from := range append(someIndexes(rng, to), to) {
			fromRoot := Hash(reference.merkle.HashAt(from))
			got := must(ConsistencyProof(&reference.own, from, to))
			want := must(reference.merkle.ConsistencyProof(from, to))
			if !slices.EqualFunc(got, want, func(a Hash, b []byte) bool { return a == Hash(b) }) {
				t.Fatalf("%d in %d: got %x, want %x", from, to, got, want)
			}
			if from > 0 {
				if mod := must(modtlog.ProveTree(int64(to), int64(from), reference)); !slices.Equal(modHashes(got), mod) {
					t.Fatalf("%d in %d: got %x, x/mod says %x", from, to, got, mod)
				}
			}
			if err := VerifyConsistency(from, to, got, fromRoot, toRoot); err != nil {
				t.Fatal(err)
			}
		}
	}
}
