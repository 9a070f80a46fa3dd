package tlog

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
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
