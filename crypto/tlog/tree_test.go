package tlog

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	modtlog "golang.org/x/mod/sumdb/tlog"
)

// hexHash is a Hash as testdata spells it.
type hexHash Hash

func (h *hexHash) UnmarshalText(text []byte) error {
	_, err := hex.Decode(h[:], text)
	return err
}

func toHashes(in []hexHash) []Hash {
	out := make([]Hash, len(in))
	for i, h := range in {
		out[i] = Hash(h)
	}
	return out
}

func TestReferenceTreeOfCertificateTransparency(t *testing.T) {
	var ref struct {
		Leaves    []string
		Roots     []hexHash
		Inclusion []struct {
			Index, Size uint64
			Proof       []hexHash
		}
		Consistency []struct {
			From, To uint64
			Proof    []hexHash
		}
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/rfc6962.json")), &ref); err != nil {
		t.Fatal(err)
	}
	var s store
	var leaves []Hash
	for size, want := range toHashes(ref.Roots) {
		if got := s.frontier.Root(); got != want {
			t.Fatalf("root at %d: got %x, want %x", size, got, want)
		}
		if size < len(ref.Leaves) {
			leaves = append(leaves, LeafHash(must(hex.DecodeString(ref.Leaves[size]))))
			s.append(leaves[size])
		}
	}
	roots := toHashes(ref.Roots)
	for _, v := range ref.Inclusion {
		want := toHashes(v.Proof)
		if got := must(InclusionProof(&s, v.Index, v.Size)); !slices.Equal(got, want) {
			t.Errorf("inclusion of %d in %d: got %x, want %x", v.Index, v.Size, got, want)
		}
		if err := VerifyInclusion(leaves[v.Index], v.Index, v.Size, want, roots[v.Size]); err != nil {
			t.Error(err)
		}
	}
	for _, v := range ref.Consistency {
		want := toHashes(v.Proof)
		if got := must(ConsistencyProof(&s, v.From, v.To)); !slices.Equal(got, want) {
			t.Errorf("consistency of %d and %d: got %x, want %x", v.From, v.To, got, want)
		}
		if err := VerifyConsistency(v.From, v.To, want, roots[v.From], roots[v.To]); err != nil {
			t.Error(err)
		}
	}
}

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

func TestFrontierContinuesALargeTree(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, size := range []uint64{1<<24 - 3, 1 << 24, 1<<32 - 1, 1 + rng.Uint64N(1<<34)} {
		s := newSparseTree(rng, size+8)
		f := must(FrontierAt(s, size))
		f = must(NewFrontier(f.Size(), f.Hashes()))
		old, before := f.Clone(), f.Root()
		for i := range uint64(8) {
			f.Append(s.node(0, size+i), func(height uint, h Hash) {
				if want := s.node(height, (size+i)>>height); h != want {
					t.Errorf("completed at height %d by leaf %d: got %x, want %x", height, size+i, h, want)
				}
			})
			if want := s.root(size + i + 1); f.Root() != want {
				t.Fatalf("root at %d: got %x, want %x", size+i+1, f.Root(), want)
			}
		}
		if old.Size() != size || old.Root() != before {
			t.Errorf("a clone at %d changed with its original", size)
		}
	}
}

func TestFrontierReportsEachStoredHashOnce(t *testing.T) {
	const size = 3*256 + 5
	var s store
	for i := range uint64(size) {
		s.append(LeafHash(fmt.Append(nil, i)))
	}
	for level, want := range []int{size, 3, 0, 0} {
		if got := len(s.rows[level]); got != want {
			t.Errorf("hashes of level %d: got %d, want %d", level, got, want)
		}
	}
	for i, got := range s.rows[1] {
		row := Frontier{}
		for _, leaf := range s.rows[0][i*256 : i*256+256] {
			row.Append(leaf, nil)
		}
		if want := row.Root(); got != want {
			t.Errorf("hash %d of level 1: got %x, want %x", i, got, want)
		}
	}
}

func TestFrontierRefusesAnotherNumberOfHashes(t *testing.T) {
	for name, tc := range map[string]struct {
		size   uint64
		hashes int
	}{
		"one too few":         {size: 7, hashes: 2},
		"one too many":        {size: 8, hashes: 2},
		"of an empty tree":    {size: 0, hashes: 1},
		"larger than MaxSize": {size: 1 << 63, hashes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewFrontier(tc.size, make([]Hash, tc.hashes))
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestChangedProofsAreRefused(t *testing.T) {
	const index, from, size = 300, 333, 600
	leaf := reference.own.rows[0][index]
	root, fromRoot := must(RootAt(&reference.own, size)), must(RootAt(&reference.own, from))
	path := must(InclusionProof(&reference.own, index, size))
	link := must(ConsistencyProof(&reference.own, from, size))

	changes := func(proof []Hash) (all [][]Hash) {
		for i := range proof {
			for b := range HashSize {
				c := slices.Clone(proof)
				c[i][b] ^= 1
				all = append(all, c)
			}
		}
		return append(all, proof[1:], proof[:len(proof)-1], append(slices.Clone(proof), Hash{}), nil)
	}
	for i, c := range changes(path) {
		if err := VerifyInclusion(leaf, index, size, c, root); !errors.Is(err, ErrProof) {
			t.Errorf("inclusion, change %d: got %v", i, err)
		}
	}
	for i, c := range changes(link) {
		if err := VerifyConsistency(from, size, c, fromRoot, root); !errors.Is(err, ErrProof) {
			t.Errorf("consistency, change %d: got %v", i, err)
		}
	}
	for name, err := range map[string]error{
		"another leaf":         VerifyInclusion(root, index, size, path, root),
		"another index":        VerifyInclusion(leaf, index+1, size, path, root),
		"another root":         VerifyInclusion(leaf, index, size, path, leaf),
		"an index at the size": VerifyInclusion(leaf, size, size, path, root),
		"a size above MaxSize": VerifyInclusion(leaf, index, 1<<63, path, root),
		"an empty tree":        VerifyInclusion(leaf, 0, 0, nil, EmptyRoot),
		"other old root":       VerifyConsistency(from, size, link, leaf, root),
		"other new root":       VerifyConsistency(from, size, link, fromRoot, leaf),
		"sizes out of order":   VerifyConsistency(size, from, link, root, fromRoot),
		"sizes above MaxSize":  VerifyConsistency(from, 1<<63, link, fromRoot, root),
		"two roots of a size":  VerifyConsistency(size, size, nil, root, fromRoot),
		"an empty tree's root": VerifyConsistency(0, size, nil, fromRoot, root),
		"two empty trees":      VerifyConsistency(0, 0, nil, EmptyRoot, root),
		"hashes for nothing":   VerifyConsistency(0, size, link, EmptyRoot, root),
		"hashes for equality":  VerifyConsistency(size, size, link, root, root),
	} {
		if !errors.Is(err, ErrProof) {
			t.Errorf("%s: got %v, want %v", name, err, ErrProof)
		}
	}
}

func TestEmptyTreeIsAPrefixOfAll(t *testing.T) {
	root := must(RootAt(&reference.own, 9))
	if err := VerifyConsistency(0, 9, nil, EmptyRoot, root); err != nil {
		t.Error(err)
	}
	if err := VerifyConsistency(0, 0, nil, EmptyRoot, EmptyRoot); err != nil {
		t.Error(err)
	}
}

func TestProvingRefusesWhatDoesNotExist(t *testing.T) {
	r := &reference.own
	_, err := InclusionProof(r, 5, 5)
	wantError(t, err, ErrProof)
	_, err = InclusionProof(r, 5, 1<<63)
	wantError(t, err, ErrProof)
	_, err = ConsistencyProof(r, 6, 5)
	wantError(t, err, ErrProof)
	_, err = RootAt(r, 1<<63)
	wantError(t, err, ErrMalformed)
}

func TestMissingHashesAreReported(t *testing.T) {
	missing := errors.New("missing")
	r := failingReader{missing}
	_, err := RootAt(r, 1<<40)
	wantError(t, err, missing)
	_, err = InclusionProof(r, 3, 1<<40-1)
	wantError(t, err, missing)
	_, err = ConsistencyProof(r, 3, 9)
	wantError(t, err, missing)
	_, err = ConsistencyProof(r, 8, 9)
	wantError(t, err, missing)
}

type failingReader struct{ err error }

func (f failingReader) ReadHashes(uint, uint64, []Hash) error { return f.err }

func TestStoredHeightsAreThoseReported(t *testing.T) {
	var got []uint
	f := must(NewFrontier(1<<24-1, make([]Hash, 24)))
	f.Append(Hash{}, func(height uint, _ Hash) { got = append(got, height) })
	if want := StoredHeights(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestProofsTakeFewReads(t *testing.T) {
	s := store{}
	for i := range uint64(70_000) {
		s.append(LeafHash(fmt.Append(nil, i)))
	}
	s.reads = 0
	must(InclusionProof(&s, 12_345, 70_000))
	if s.reads > 24 {
		t.Errorf("reads for a proof in 70,000 leaves: got %d, want at most 24", s.reads)
	}
}
