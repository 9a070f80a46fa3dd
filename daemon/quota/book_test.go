package quota

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

// monday is the first day of a week, and clock a time on it in China.
const monday = 2960 * act.DaysInWeek

func clockOn(day uint32) func() time.Time {
	return func() time.Time { return time.UnixMilli(int64(day) * 86_400_000).Add(4 * time.Hour) }
}

// shelf is a directory with a book that can be closed and opened again.
type shelf struct {
	t     *testing.T
	dir   string
	clock func() time.Time
	*Book
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{t: t, dir: filepath.Join(t.TempDir(), "quota"), clock: clockOn(monday)}
	s.open()
	return s
}

func (s *shelf) open() {
	s.t.Helper()
	b, err := Open(Config{Dir: s.dir, Now: func() time.Time { return s.clock() }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Book = b
	s.t.Cleanup(func() { _ = b.Close() })
}

// restart opens the book as a killed process left it.
func (s *shelf) restart() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

// asks makes a hospital's request number id of n elements on a day.
func asks(hospital uint32, id, n uint16, day uint32) Signed {
	r := pseudonym.Request{Hospital: hospital, QuotaDay: day, N: n}
	binary.BigEndian.PutUint16(r.RequestID[:], id)
	return Signed{Request: r, Signature: sign.Signature{MLDSA: bytes.Repeat([]byte{byte(id)}, sign.MLDSA65SignatureSize)}}
}

func always(n uint64) func(uint32) uint64 { return func(uint32) uint64 { return n } }

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestAQuotaIsOfElementsAndOfADay(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday)
	want(t, "600 of 1000", s.Count(asks(1, 1, 600, monday), always(1000)), nil)
	err := s.Count(asks(1, 2, 401, monday), always(1000))
	want(t, "401 more", err, ErrOver)
	if !strings.Contains(err.Error(), "on day 20720, 400 of 1000 are left") {
		t.Errorf("the refusal says %q", err)
	}
	want(t, "400 more", s.Count(asks(1, 3, 400, monday), always(1000)), nil)
	want(t, "one more", s.Count(asks(1, 4, 1, monday), always(1000)), ErrOver)
	want(t, "another hospital", s.Count(asks(2, 4, 1000, monday), always(1000)), nil)
	want(t, "one more with an allowance", s.Count(asks(1, 4, 1, monday), always(1001)), nil)
	s.Advance(monday + 1)
	want(t, "yesterday's request today", s.Count(asks(1, 5, 999, monday), always(1000)), nil)
	want(t, "which counts today", s.Count(asks(1, 6, 2, monday+1), always(1000)), ErrOver)
}

func TestTheDayOfARequestIsTheHoldersOrTheOneBefore(t *testing.T) {
	s := newShelf(t)
	want(t, "before there is a day", s.Count(asks(1, 1, 1, 0), always(9)), ErrDay)
	s.Advance(monday + 2)
	for day, refusal := range map[uint32]error{
		0: ErrDay, monday: ErrDay, monday + 1: nil, monday + 2: nil, monday + 3: ErrDay, 1<<32 - 1: ErrDay,
	} {
		want(t, "day", s.Count(asks(1, uint16(day), 1, day), always(9)), refusal)
	}
}

func TestTheSameRequestCountsOnceAlsoAfterARestartAndTheNextDay(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday)
	for range 3 {
		want(t, "again", s.Count(asks(1, 1, 10, monday), always(10)), nil)
		s.restart()
	}
	want(t, "another", s.Count(asks(1, 2, 1, monday), always(10)), ErrOver)
	s.Advance(monday + 1)
	s.restart()
	s.Advance(monday + 1)
	want(t, "again the next day", s.Count(asks(1, 1, 10, monday), always(10)), nil)
	want(t, "the whole quota beside it", s.Count(asks(1, 3, 10, monday+1), always(10)), nil)
	s.Advance(monday + 2)
	want(t, "again the day after", s.Count(asks(1, 1, 10, monday), always(10)), ErrDay)
}

func TestAnotherRequestUnderAUsedIdIsRefusedAndCountedOnce(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday)
	want(t, "the first", s.Count(asks(1, 7, 2, monday), always(10)), nil)
	for range 3 {
		want(t, "another under its id", s.Count(asks(1, 7, 5, monday), always(10)), ErrReused)
		s.restart()
	}
	want(t, "the first again", s.Count(asks(1, 7, 2, monday), always(10)), nil)
	want(t, "another hospital's with that id", s.Count(asks(2, 7, 5, monday), always(10)), nil)
	want(t, "beyond both", s.Count(asks(1, 8, 4, monday), always(10)), ErrOver)
	want(t, "what both leave", s.Count(asks(1, 8, 3, monday), always(10)), nil)
	s.Advance(monday + 1)
	want(t, "under its id the next day", s.Count(asks(1, 7, 5, monday), always(10)), ErrReused)
}

func TestRequestsAreBoundedAndNoneIsForgotten(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday)
	var all sync.WaitGroup // in groups: an fsync for each would take long
	for i := range uint16(maxRequests) {
		all.Go(func() { want(t, "within the bound", s.Count(asks(1, i, 1, monday), always(1<<20)), nil) })
	}
	all.Wait()
	want(t, "beyond the bound", s.Count(asks(1, maxRequests, 1, monday), always(1<<20)), ErrRequests)
	want(t, "another hospital", s.Count(asks(2, 1, 1, monday), always(1<<20)), nil)
	want(t, "another under the first id", s.Count(asks(1, 0, 2, monday), always(1<<20)), ErrRequests)
	want(t, "the first again", s.Count(asks(1, 0, 1, monday), always(1<<20)), nil)
	s.restart()
	want(t, "after a restart", s.Count(asks(1, maxRequests, 1, monday), always(1<<20)), ErrRequests)
}

// TestAMillionElementsStopAtTheQuota asks in every way a hospital has: with new
// ids, over restarts, with the clock of the machine a day off, with an older
// checkpoint, and with one far ahead.
func TestAMillionElementsStopAtTheQuota(t *testing.T) {
	s := newShelf(t)
	const quota = 10_000
	s.Advance(monday)
	counted, asked := 0, 0
	for i := range uint16(1000) {
		switch i % 100 {
		case 10:
			s.restart()
		case 20:
			s.clock = clockOn(monday + 1)
		case 30:
			s.Advance(monday - 1)
		case 40:
			s.clock = clockOn(monday - 1)
		case 50:
			s.Advance(monday + 3)
		case 60:
			s.restart()
			s.Advance(monday)
		}
		asked += 1000
		if s.Count(asks(1, i, 1000, monday), always(quota)) == nil {
			counted += 1000
		}
	}
	if asked != 1_000_000 || counted != quota {
		t.Errorf("of %d elements %d were counted, want %d", asked, counted, quota)
	}
	s.Advance(monday + 1)
	want(t, "the next day", s.Count(asks(1, 2000, 4000, monday+1), always(quota)), nil)
}

func TestTheDayMovesWithCheckpointsAndNeverBack(t *testing.T) {
	for name, tc := range map[string]struct {
		clock, checkpoint, want uint32
	}{
		"the next day":                       {monday, monday + 1, monday + 1},
		"two days ahead, whatever the clock": {monday - 300, monday + 2, monday + 2},
		"three days ahead, and the clock":    {monday + 3, monday + 3, monday + 3},
		"the clock a day behind it":          {monday + 29, monday + 30, monday + 30},
		"the clock two days behind it":       {monday + 28, monday + 30, monday},
		"a century ahead of the clock":       {monday, monday + 36_500, monday},
		"the day before":                     {monday, monday - 1, monday},
		"the clock alone a day ahead":        {monday + 1, monday, monday},
	} {
		s := newShelf(t)
		s.Advance(monday)
		want(t, name, s.Count(asks(1, 1, 1, monday), always(9)), nil)
		s.clock = clockOn(tc.clock)
		if got := s.Advance(tc.checkpoint); got != tc.want {
			t.Errorf("%s: day %d, want %d", name, got-monday, tc.want-monday)
		}
		want(t, name, s.Count(asks(1, 2, 1, tc.want), always(9)), nil)
		s.restart()
		if got := s.Advance(monday - 1); got != tc.want {
			t.Errorf("%s: after a restart with an older checkpoint day %d, want %d", name, got-monday, tc.want-monday)
		}
	}
}

func TestACountOlderThanThePostedUsageServesNothingForADay(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday + 6)
	want(t, "on sunday", s.Count(asks(1, 1, 1, monday+6), always(9)), nil)
	s.Posted(monday/act.DaysInWeek - 1)
	want(t, "with last week's usage posted", s.Count(asks(1, 2, 1, monday+6), always(9)), nil)
	s.Posted(monday / act.DaysInWeek)
	want(t, "with this week's", s.Count(asks(1, 3, 1, monday+6), always(9)), ErrBehind)
	s.Advance(monday + 8)
	want(t, "on the day that follows", s.Count(asks(1, 4, 1, monday+8), always(9)), ErrBehind)
	s.restart()
	s.Posted(monday / act.DaysInWeek)
	s.Advance(monday + 8)
	want(t, "after a restart", s.Count(asks(1, 4, 1, monday+8), always(9)), ErrBehind)
	s.Advance(monday + 9)
	want(t, "the day after", s.Count(asks(1, 5, 1, monday+9), always(9)), nil)
}

func TestACountThatWasRemovedIsOlderToo(t *testing.T) {
	s := newShelf(t)
	s.Posted(monday / act.DaysInWeek)
	s.Advance(monday + 9)
	want(t, "on the first day", s.Count(asks(1, 1, 1, monday+9), always(9)), ErrBehind)
	s.Advance(monday + 10)
	want(t, "on the second", s.Count(asks(1, 2, 1, monday+10), always(9)), nil)
}

// written returns a week's file with three requests, and where each ends.
func written(t *testing.T) (s *shelf, path string, ends []int64) {
	t.Helper()
	s = newShelf(t)
	s.Advance(monday)
	path = weekPath(s.dir, monday/act.DaysInWeek)
	for i := range uint16(3) {
		want(t, "count", s.Count(asks(1, i, 1, monday), always(3)), nil)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s, path, ends
}

func TestAFileCutAnywhereKeepsItsWholeRecords(t *testing.T) {
	s, path, ends := written(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := ends[1]; cut < ends[2]; cut += 97 {
		for _, tail := range [][]byte{nil, make([]byte, 500)} {
			if err := os.WriteFile(path, slices.Concat(raw[:cut], tail), 0o600); err != nil {
				t.Fatal(err)
			}
			s.open()
			want(t, "the third again", s.Count(asks(1, 2, 1, monday), always(3)), nil)
			want(t, "a fourth", s.Count(asks(1, 3, 1, monday), always(3)), ErrOver)
			s.restart()
			want(t, "the fourth after a restart", s.Count(asks(1, 3, 1, monday), always(3)), ErrOver)
		}
	}
}

func TestAFlippedByteBeforeTheLastRecordIsDamage(t *testing.T) {
	s, path, ends := written(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := int64(0); i < ends[1]; i += 61 {
		bent := bytes.Clone(raw)
		bent[i] ^= 0x10
		if err := os.WriteFile(path, bent, 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := Open(Config{Dir: s.dir, Now: s.clock}); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d flipped: %v, %v", i, b, err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "notes"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: s.dir, Now: s.clock}); !errors.Is(err, ErrDamaged) {
		t.Errorf("with a stranger's file: %v", err)
	}
}

func TestAFailedWriteEndsCounting(t *testing.T) {
	s := newShelf(t)
	s.Advance(monday)
	want(t, "before", s.Count(asks(1, 1, 1, monday), always(9)), nil)
	if err := s.file.Close(); err != nil {
		t.Fatal(err)
	}
	first := s.Count(asks(1, 2, 1, monday), always(9))
	if first == nil || s.Count(asks(1, 1, 1, monday), always(9)) == nil {
		t.Errorf("counting went on after %v", first)
	}
}
