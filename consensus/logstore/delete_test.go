package logstore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

func TestASuffixIsReplacedByTheNextRecordsOrNotAtAll(t *testing.T) {
	terms := func(index uint64) uint64 {
		if index < 4 {
			return 1
		}
		return 2
	}
	for _, count := range []uint64{1, 7, 12} { // fewer, as many, more than before
		t.Run(fmt.Sprintf("7 by %d", count), func(t *testing.T) {
			refuse := false
			s, f := openLog(t, logPath(t), func(o *Options) {
				o.Guard = func(int) error {
					if refuse {
						return errors.New("no space")
					}
					return nil
				}
			})
			fill(t, s, 1, 10, 1)
			s.SetApplied(3)
			if err := s.DeleteRange(4, 10); err != nil {
				t.Fatal(err)
			}
			wantLog(t, s, 1, 3, always(1))
			refuse = true
			if err := s.StoreLogs([]*raft.Log{record(4, 2)}); !errors.Is(err, ErrRefused) {
				t.Fatalf("got %v, want ErrRefused", err)
			}
			wantLog(t, s, 1, 10, always(1)) // as raft still believes
			refuse = false
			if err := s.DeleteRange(4, 10); err != nil {
				t.Fatal(err)
			}
			fill(t, s, 4, 3+count, 2)
			wantLog(t, s, 1, 3+count, terms)
			s.Purge()
			wantLog(t, s, 1, 3+count, terms)
			s, _ = reopened(t, s)
			wantLog(t, s, 1, 3+count, terms)
			if err := s.Check(1); err != nil {
				t.Error(err)
			}
			f.want(t, nil)
		})
	}
}

func TestTheWholeLogCanBeReplaced(t *testing.T) {
	s, f := openLog(t, logPath(t), nil)
	fill(t, s, 1, 3, 1)
	if err := s.DeleteRange(1, 3); err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 0, 0, nil)
	fill(t, s, 1, 2, 2)
	s, _ = reopened(t, s)
	wantLog(t, s, 1, 2, always(2))
	if err := s.Check(1); err != nil {
		t.Error(err)
	}
	f.want(t, nil)
}

// raft-boltdb itself, for comparison: the delete is done when the refusal
// comes, and Raft's memory of the last index is wrong.
func TestPlainRaftBoltdbLosesTheSuffixToARefusal(t *testing.T) {
	db, err := raftboltdb.NewBoltStore(logPath(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fill(t, db, 1, 10, 1)
	if err := db.DeleteRange(4, 10); err != nil {
		t.Fatal(err)
	}
	// ... StoreLogs is refused by a wrapper here ...
	if err := db.GetLog(10, new(raft.Log)); !errors.Is(err, raft.ErrLogNotFound) {
		t.Errorf("record 10: %v; the wrapper is no longer needed", err)
	}
}

func TestACrashBeforeTheTombstonesWentIsRepairedByOpen(t *testing.T) {
	s, f := openLog(t, logPath(t), nil)
	fill(t, s, 1, 10, 1)
	if err := s.DeleteRange(4, 10); err != nil {
		t.Fatal(err)
	}
	s.db = failing{backend: s.db, deletes: errors.New("killed")}
	if err := s.StoreLogs([]*raft.Log{record(4, 2)}); !errors.Is(err, ErrStorage) {
		t.Fatalf("got %v, want ErrStorage", err)
	}
	f.want(t, ErrStorage)
	s, f = reopened(t, s)
	wantLog(t, s, 1, 4, func(i uint64) uint64 { return 1 + i/4 })
	if last, err := s.db.LastIndex(); err != nil || last != 5 { // the end record
		t.Errorf("on disk: last %d, %v, want 5", last, err)
	}
	fill(t, s, 5, 6, 2)
	if err := s.Check(1); err != nil {
		t.Error(err)
	}
	f.want(t, nil)
}

func TestThePrefixGoesButTheRecordAtTheSnapshotStays(t *testing.T) {
	s, f := openLog(t, logPath(t), nil)
	fill(t, s, 1, 500, 1)
	s.SetApplied(500)
	s.SetSnapshot(300)
	if err := s.DeleteRange(1, 100); err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 101, 500, always(1))
	if err := s.DeleteRange(101, 300); err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 300, 500, always(1))
	s.SetSnapshot(500)
	if err := s.DeleteRange(300, 500); err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 500, 500, always(1))
	s, _ = reopened(t, s)
	wantLog(t, s, 500, 500, always(1))
	fill(t, s, 501, 502, 1)
	if err := s.Check(501); err != nil {
		t.Error(err)
	}
	f.want(t, nil)

	plain, err := raftboltdb.NewBoltStore(logPath(t)) // the control
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	fill(t, plain, 1, 500, 1)
	if err := plain.DeleteRange(1, 500); err != nil {
		t.Fatal(err)
	}
	if last, err := plain.LastIndex(); err != nil || last != 0 {
		t.Errorf("raft-boltdb keeps %d, %v; the wrapper is no longer needed", last, err)
	}
}

func TestNoDeleteTakesWhatWasAppliedAndNotSnapshotted(t *testing.T) {
	for name, call := range map[string]func(*Store) error{
		"a suffix below applied":      func(s *Store) error { return s.DeleteRange(8, 10) },
		"a suffix below the snapshot": func(s *Store) error { return s.DeleteRange(4, 10) },
		"a prefix past the snapshot":  func(s *Store) error { return s.DeleteRange(1, 6) },
		"a range in the middle":       func(s *Store) error { return s.DeleteRange(6, 7) },
		"everything":                  func(s *Store) error { return s.DropAll() },
		"an older snapshot's anchor":  func(s *Store) error { _, err := s.Anchor(5, 9); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s, f := openLog(t, logPath(t), nil)
			fill(t, s, 1, 10, 1)
			s.SetApplied(8)
			s.SetSnapshot(5)
			if err := call(s); !errors.Is(err, ErrCommitted) {
				t.Fatalf("got %v, want ErrCommitted", err)
			}
			f.want(t, ErrCommitted)
			if err := s.StoreLog(record(11, 1)); !errors.Is(err, ErrStopped) {
				t.Errorf("store after a fatal error: %v", err)
			}
			s, _ = reopened(t, s)
			wantLog(t, s, 1, 10, always(1))
		})
	}
	t.Run("a range in the middle that nobody applied is only refused", func(t *testing.T) {
		s, f := openLog(t, logPath(t), nil)
		fill(t, s, 1, 10, 1)
		if err := s.DeleteRange(4, 5); !errors.Is(err, ErrRefused) {
			t.Fatalf("got %v, want ErrRefused", err)
		}
		wantLog(t, s, 1, 10, always(1))
		f.want(t, nil)
	})
}

func TestAnAnchoredLogContinuesTheSnapshot(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to, term uint64 // what the log holds
		index          uint64 // of the snapshot, term 2
		dropped        uint64
		first, last    uint64 // afterwards
	}{
		"a log that holds it":                 {from: 1, to: 10, term: 2, index: 7, first: 1, last: 10},
		"a log that ends at it":               {from: 1, to: 7, term: 2, index: 7, first: 1, last: 7},
		"an uncommitted tail below it":        {from: 1, to: 6, term: 1, index: 7, dropped: 6, first: 7, last: 7},
		"another record at its index":         {from: 1, to: 7, term: 1, index: 7, dropped: 7, first: 7, last: 7},
		"an uncommitted tail beyond it":       {from: 1, to: 12, term: 1, index: 7, dropped: 12, first: 7, last: 7},
		"an empty log":                        {index: 7, first: 7, last: 7},
		"an empty log and the first snapshot": {index: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := openLog(t, logPath(t), nil)
			if tc.to > 0 {
				fill(t, s, tc.from, tc.to, tc.term)
			}
			dropped, err := s.Anchor(tc.index, 2)
			if err != nil || dropped != tc.dropped {
				t.Fatalf("dropped %d, %v, want %d", dropped, err, tc.dropped)
			}
			s.Purge()
			s, _ = reopened(t, s)
			for range 2 { // again is harmless
				if dropped, err := s.Anchor(tc.index, 2); err != nil || dropped != 0 {
					t.Fatalf("again: dropped %d, %v", dropped, err)
				}
			}
			first, _ := s.FirstIndex()
			last, _ := s.LastIndex()
			if first != tc.first || last != tc.last {
				t.Fatalf("log: got %d..%d, want %d..%d", first, last, tc.first, tc.last)
			}
			var l raft.Log
			if err := s.GetLog(tc.index, &l); tc.first > 0 && (err != nil || l.Term != 2) {
				t.Fatalf("record at the snapshot: term %d, %v", l.Term, err)
			}
			next := max(last, tc.index) + 1
			fill(t, s, next, next+3, 3)
			if err := s.Check(next); err != nil {
				t.Error(err)
			}
			s, _ = reopened(t, s)
			if dropped, err := s.Anchor(tc.index, 2); err != nil || dropped != 0 {
				t.Fatalf("after appends: dropped %d, %v", dropped, err)
			}
			if got, _ := s.LastIndex(); got != next+3 {
				t.Errorf("last: got %d, want %d", got, next+3)
			}
			f.want(t, nil)
		})
	}
}

func TestALogWhoseSnapshotIsLostIsNotDropped(t *testing.T) {
	s, f := openLog(t, logPath(t), nil)
	fill(t, s, 1, 20, 1)
	s.SetSnapshot(15)
	if err := s.DeleteRange(1, 15); err != nil {
		t.Fatal(err)
	}
	s, f2 := reopened(t, s)
	if _, err := s.Anchor(10, 1); !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want ErrDamaged", err)
	}
	f.want(t, nil)
	f2.want(t, ErrDamaged)
	s, _ = reopened(t, s)
	wantLog(t, s, 15, 20, always(1))
}

func TestDropAllEmptiesALogThatTheSnapshotCovers(t *testing.T) {
	s, f := openLog(t, logPath(t), nil)
	fill(t, s, 1, 10, 1)
	s.SetApplied(6)
	s.SetSnapshot(20)
	if err := s.DropAll(); err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 0, 0, nil)
	if err := s.StoreLog(record(11, 1)); !errors.Is(err, ErrRefused) {
		t.Errorf("a record that leaves a gap behind the snapshot: %v", err)
	}
	fill(t, s, 21, 22, 2)
	s, _ = reopened(t, s)
	wantLog(t, s, 21, 22, always(2))
	f.want(t, nil)
}
