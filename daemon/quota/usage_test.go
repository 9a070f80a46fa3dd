package quota

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

func TestAWeeksUsageIsProvenRequestByRequest(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday)
	for i := range uint16(9) {
		want(t, "count", s.Count(asks(1+uint32(i)%2, i, 100*(i+1), monday), always(10_000)), nil)
	}
	want(t, "a used id", s.Count(asks(1, 0, 7, monday), always(10_000)), ErrReused)
	const week = monday / act.DaysInWeek
	if _, err := s.Usage(week); !errors.Is(err, ErrNotKept) {
		t.Errorf("of a week that goes on: %v", err)
	}
	s.clock = clockOn(monday + 7)
	s.Advance(monday + 7)
	s.restart()
	s.Advance(monday + 7)
	got, err := s.Usage(week)
	wantTotals := []act.UsageTotal{{Hospital: 1, Bucket: act.UsageBucket(2507)}, {Hospital: 2, Bucket: act.UsageBucket(2000)}}
	if err != nil || got.Requests != 10 || !slices.Equal(got.Totals, wantTotals) || got.Validate() != nil {
		t.Errorf("got %+v, %v; want totals %v", got, err, wantTotals)
	}
	proofs, err := s.Prove(week, 1)
	if err != nil || len(proofs) != 6 {
		t.Fatalf("%d proofs, %v", len(proofs), err)
	}
	for _, p := range proofs {
		if err := tlog.VerifyInclusion(tlog.LeafHash(p.Leaf), p.Index, p.Size, p.Hashes, got.Root); err != nil {
			t.Errorf("leaf %d: %v", p.Index, err)
		}
		if err := tlog.VerifyInclusion(tlog.LeafHash(append(p.Leaf, 0)), p.Index, p.Size, p.Hashes, got.Root); err == nil {
			t.Errorf("leaf %d with a byte more is proven", p.Index)
		}
	}
	if _, err := s.Usage(week - 1); !errors.Is(err, ErrNotKept) {
		t.Errorf("of a week before the book: %v", err)
	}
}

func TestProofsOfManyRequestsVerify(t *testing.T) {
	var hashes leafHashes
	tree, err := tlog.NewFrontier(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 600 {
		hashes = append(hashes, tlog.LeafHash([]byte{byte(i), byte(i >> 8)}))
		tree.Append(hashes[i], nil)
	}
	for _, i := range []uint64{0, 255, 256, 599} {
		proof, err := tlog.InclusionProof(hashes, i, 600)
		if err != nil || tlog.VerifyInclusion(hashes[i], i, 600, proof, tree.Root()) != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
	}
	if _, err := tlog.InclusionProof(hashes[:599], 0, 600); err == nil {
		t.Error("a leaf that is not there is proven beside")
	}
}

func TestFilesOfThreeWeeksAreKept(t *testing.T) {
	s := newShelf(t)
	for w := range uint32(5) {
		s.Advance(monday + 7*w)
		s.clock = clockOn(monday + 7*w)
		s.Advance(monday + 7*w)
		want(t, "count", s.Count(asks(1, uint16(w), 1, monday+7*w), always(9)), nil)
	}
	list, err := weeks(s.dir)
	if wanted := []uint32{monday/7 + 2, monday/7 + 3, monday/7 + 4}; err != nil || !slices.Equal(list, wanted) {
		t.Errorf("kept are %v, %v; want %v", list, err, wanted)
	}
}

func TestAHospitalNoticesClaimsAboveWhatItAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "asked")
	a, err := OpenAsked(path)
	if err != nil {
		t.Fatal(err)
	}
	const week = monday / act.DaysInWeek
	want(t, "note", a.Note(monday-2, 1, 7), nil)
	want(t, "note", a.Note(monday-1, 100, 7, 8), nil)
	want(t, "note", a.Note(monday+3, 900, 7), nil)
	want(t, "note", a.Note(monday+8, 5000, 7), nil)
	if a, err = OpenAsked(path); err != nil {
		t.Fatal(err)
	}
	claim := func(holder uint32, week uint32, elements uint64) []state.Usage {
		return []state.Usage{{Holder: holder, Usage: act.Usage{Week: week, Totals: []act.UsageTotal{{Hospital: 3, Bucket: act.UsageBucket(elements)}}}}}
	}
	for name, tc := range map[string]struct {
		usages []state.Usage
		excess uint64 // 0 = none
	}{
		"what was asked":                         {claim(7, week, 900), 0},
		"with the day before":                    {claim(7, week, 1000), 0},
		"in the bucket that begins above":        {claim(7, week, 1024), 1024},
		"of a holder asked less":                 {claim(8, week, 512), 512},
		"of a holder never asked":                {claim(9, week, 1), 1},
		"of a week before the record":            {claim(9, week-1, 1), 0},
		"of the next week, with what was asked":  {claim(7, week+1, 5000), 0},
		"of the next week, with more than asked": {claim(7, week+1, 8192), 8192},
	} {
		got := a.Excess(tc.usages, 3)
		if tc.excess == 0 && len(got) != 0 || tc.excess != 0 && (len(got) != 1 || got[0].AtLeast != tc.excess) {
			t.Errorf("%s: got %+v, want %d", name, got, tc.excess)
		}
		if others := a.Excess(tc.usages, 4); len(others) != 0 {
			t.Errorf("%s: of another hospital %+v", name, others)
		}
	}
	if err := os.WriteFile(path, []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAsked(path); err == nil {
		t.Error("a damaged record is read")
	}
}
