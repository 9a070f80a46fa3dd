package logstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// fatals collects what a store calls Fatal with.
type fatals struct {
	mu   sync.Mutex
	errs []error
}

func (f *fatals) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// want checks that Fatal was called exactly once, with target; nil: never.
func (f *fatals) want(t *testing.T, target error) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case target == nil && len(f.errs) > 0:
		t.Fatalf("fatal: %v", f.errs)
	case target != nil && (len(f.errs) != 1 || !errors.Is(f.errs[0], target)):
		t.Fatalf("fatal: got %v, want %v once", f.errs, target)
	}
}

// openLog opens a store and collects what it calls Fatal with.
func openLog(t testing.TB, path string, change func(*Options)) (*Store, *fatals) {
	t.Helper()
	f := &fatals{}
	o := Options{Fatal: f.add}
	if change != nil {
		change(&o)
	}
	s, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, f
}

func logPath(t testing.TB) string { return filepath.Join(t.TempDir(), "log.db") }

func record(index, term uint64) *raft.Log {
	return &raft.Log{Index: index, Term: term, Type: raft.LogCommand,
		Data: fmt.Appendf(nil, "record %d of term %d", index, term), AppendedAt: time.Unix(1700000000, 7)}
}

// fill stores records from..to of a term.
func fill(t testing.TB, s raft.LogStore, from, to, term uint64) {
	t.Helper()
	var logs []*raft.Log
	for i := from; i <= to; i++ {
		logs = append(logs, record(i, term))
	}
	if err := s.StoreLogs(logs); err != nil {
		t.Fatal(err)
	}
}

// wantLog checks the bounds and, by index, the terms of the records.
func wantLog(t testing.TB, s *Store, first, last uint64, term func(uint64) uint64) {
	t.Helper()
	gotFirst, err1 := s.FirstIndex()
	gotLast, err2 := s.LastIndex()
	if err1 != nil || err2 != nil || gotFirst != first || gotLast != last {
		t.Fatalf("log: got %d..%d, %v, %v, want %d..%d", gotFirst, gotLast, err1, err2, first, last)
	}
	for index := first; index <= last && last > 0; index++ {
		var l raft.Log
		if err := s.GetLog(index, &l); err != nil {
			t.Fatalf("record %d: %v", index, err)
		}
		want := record(index, term(index))
		if !l.AppendedAt.Equal(want.AppendedAt) {
			t.Fatalf("record %d: time %v", index, l.AppendedAt)
		}
		l.AppendedAt = want.AppendedAt
		if !reflect.DeepEqual(&l, want) {
			t.Fatalf("record %d: got %+v, want %+v", index, l, want)
		}
	}
	var l raft.Log
	for _, index := range []uint64{0, first - 1, last + 1} {
		if index >= first && index <= last && last > 0 {
			continue
		}
		if err := s.GetLog(index, &l); !errors.Is(err, raft.ErrLogNotFound) {
			t.Fatalf("record %d of %d..%d: %v, want not found", index, first, last, err)
		}
	}
}

func always(term uint64) func(uint64) uint64 { return func(uint64) uint64 { return term } }

// reopened closes s and opens its file again, without a cache.
func reopened(t testing.TB, s *Store) (*Store, *fatals) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openLog(t, s.path, nil)
}

func TestTheLogGivesBackWhatRaftStored(t *testing.T) {
	s, f := openLog(t, logPath(t), nil)
	wantLog(t, s, 0, 0, nil)
	fill(t, s, 1, 5, 1)
	if err := s.StoreLog(record(6, 1)); err != nil {
		t.Fatal(err)
	}
	wantLog(t, s, 1, 6, always(1))
	s.Purge()
	wantLog(t, s, 1, 6, always(1))
	if err := s.Check(1); err != nil {
		t.Error(err)
	}
	s, f2 := reopened(t, s)
	wantLog(t, s, 1, 6, always(1))
	fill(t, s, 7, 9, 2)
	if err := s.Check(7); err != nil {
		t.Error(err)
	}
	f.want(t, nil)
	f2.want(t, nil)
}

func TestExtensionsAndTheCallersRecordStayAsTheyWere(t *testing.T) {
	for _, extensions := range [][]byte{nil, []byte("codec 1")} {
		s, _ := openLog(t, logPath(t), nil)
		given := record(1, 1)
		given.Extensions = extensions
		if err := s.StoreLog(given); err != nil {
			t.Fatal(err)
		}
		if string(given.Extensions) != string(extensions) {
			t.Errorf("the leader's record now carries %q", given.Extensions)
		}
		for range 2 { // from memory, then from disk
			var l raft.Log
			if err := s.GetLog(1, &l); err != nil || string(l.Extensions) != string(extensions) {
				t.Errorf("extensions: got %q, %v, want %q", l.Extensions, err, extensions)
			}
			s.Purge()
		}
	}
}

func TestRefusalsHappenBeforeAByteIsWritten(t *testing.T) {
	full := errors.New("disk is nearly full")
	for name, logs := range map[string][]*raft.Log{
		"an unknown type":            {{Index: 4, Term: 1, Type: 99}},
		"a tombstone from outside":   {{Index: 4, Term: 1, Type: typeTombstone}},
		"an anchor from outside":     {{Index: 4, Term: 1, Type: typeAnchor}},
		"a record that leaves a gap": {record(5, 1)},
		"a record that is there":     {record(3, 1)},
		"a gap within the batch":     {record(4, 1), record(6, 1)},
		"a record beyond the limit":  {{Index: 4, Term: 1, Data: make([]byte, 1<<20)}},
		"no space":                   {record(4, 1), record(5, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := openLog(t, logPath(t), func(o *Options) {
				o.Guard = func(bytes int) error {
					if name == "no space" && bytes > 150 {
						return full
					}
					return nil
				}
			})
			for i := range uint64(3) {
				fill(t, s, i+1, i+1, 1)
			}
			err := s.StoreLogs(logs)
			if !errors.Is(err, ErrRefused) || name == "no space" && !errors.Is(err, full) {
				t.Fatalf("got %v, want ErrRefused", err)
			}
			wantLog(t, s, 1, 3, always(1))
			fill(t, s, 4, 4, 1)
			s, _ = reopened(t, s)
			wantLog(t, s, 1, 4, always(1))
			f.want(t, nil)
		})
	}
}

// A voter that was stopped for twelve seconds, as a machine is while it moves,
// came back, found its write overdue and left the network for good.
func TestTimeInWhichTheProcessWasStoppedIsNoHangingDisk(t *testing.T) {
	done, tick := make(chan error), make(chan time.Time)
	ended := make(chan bool)
	go func() {
		ok, _ := awaitWrite(done, tick)
		ended <- ok
	}()
	tick <- time.Now().Add(12 * time.Second) // the one tick that comes of it
	done <- nil
	if !<-ended {
		t.Error("the write was given up")
	}
	go func() {
		ok, _ := awaitWrite(done, tick)
		ended <- ok
	}()
	for range waitTicks {
		tick <- time.Now()
	}
	if <-ended {
		t.Error("a write that hung through every tick was not given up")
	}
}
