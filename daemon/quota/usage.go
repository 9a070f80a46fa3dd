package quota

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// ErrNotKept says that a week's requests are not here: it has not ended, lies
// too far back, or nothing was counted in it.
var ErrNotKept = errors.New("the requests of that week are not kept here")

// Usage returns what this holder counted in a week that has ended: what it
// posts on the log. The same week gives the same usage. The error is ErrNotKept
// if there is nothing to say.
func (b *Book) Usage(week uint32) (act.Usage, error) {
	u := act.Usage{Week: week}
	totals := map[uint32]uint64{}
	tree, err := tlog.NewFrontier(0, nil)
	if err != nil {
		return u, err
	}
	err = b.eachCounted(week, func(s Signed) {
		totals[s.Request.Hospital] += uint64(s.Request.N)
		tree.Append(tlog.LeafHash(s.leaf()), nil)
	})
	if err != nil {
		return u, fmt.Errorf("usage of week %d: %w", week, err)
	}
	for hospital, elements := range totals {
		u.Totals = append(u.Totals, act.UsageTotal{Hospital: hospital, Bucket: act.UsageBucket(elements)})
	}
	slices.SortFunc(u.Totals, func(a, b act.UsageTotal) int { return cmp.Compare(a.Hospital, b.Hospital) })
	u.Requests, u.Root = tree.Size(), tree.Root()
	return u, nil
}

// Proof shows that a signed request is in a week's usage: the leaf, and the way
// from it to the root (RFC 6962, [tlog.VerifyInclusion]).
type Proof struct {
	Leaf   []byte // see [act.UsageLeaf]
	Index  uint64
	Size   uint64
	Hashes []tlog.Hash
}

// Prove returns the proof of every request of a hospital that was counted in a
// week, in order: the answer to a hospital that doubts its total.
func (b *Book) Prove(week, hospital uint32) ([]Proof, error) {
	var hashes leafHashes
	var proofs []Proof
	err := b.eachCounted(week, func(s Signed) {
		leaf := s.leaf()
		if s.Request.Hospital == hospital {
			proofs = append(proofs, Proof{Leaf: leaf, Index: uint64(len(hashes))})
		}
		hashes = append(hashes, tlog.LeafHash(leaf))
	})
	if err != nil {
		return nil, fmt.Errorf("prove requests of week %d: %w", week, err)
	}
	for i := range proofs {
		p := &proofs[i]
		p.Size = uint64(len(hashes))
		if p.Hashes, err = tlog.InclusionProof(hashes, p.Index, p.Size); err != nil {
			return nil, err
		}
	}
	return proofs, nil
}

// eachCounted calls f for each request counted in a week that has ended.
func (b *Book) eachCounted(week uint32, f func(Signed)) error {
	b.mu.Lock()
	ended := b.day/act.DaysInWeek > week
	upTo := b.added
	b.mu.Unlock()
	if !ended {
		return ErrNotKept
	}
	if err := b.commit(upTo); err != nil {
		return err
	}
	_, err := scan(weekPath(b.cfg.Dir, week), func(r record) error {
		if r.kind == kindCounted {
			f(r.asked)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotKept
	}
	return err
}

// leafHashes is a tree by the hashes of its leaves.
type leafHashes []tlog.Hash

// ReadHashes computes what a ledger would have stored.
func (l leafHashes) ReadHashes(height uint, first uint64, dst []tlog.Hash) error {
	width := uint64(1) << height
	for i := range dst {
		from := (first + uint64(i)) * width
		if from+width > uint64(len(l)) {
			return fmt.Errorf("no subtree %d at height %d", first+uint64(i), height)
		}
		tree, err := tlog.NewFrontier(0, nil)
		if err != nil {
			return err
		}
		for _, h := range l[from : from+width] {
			tree.Append(h, nil)
		}
		dst[i] = tree.Root()
	}
	return nil
}
