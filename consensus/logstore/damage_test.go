package logstore

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"github.com/raresync/raresync/consensus/ledger"
)

// failing injects errors and hangs into a backend.
type failing struct {
	backend
	stores, deletes error
	hang            chan struct{} // StoreLogs waits for it
}

func (f failing) StoreLogs(logs []*raft.Log) error {
	if f.hang != nil {
		<-f.hang
	}
	if f.stores != nil {
		return f.stores
	}
	return f.backend.StoreLogs(logs)
}

func (f failing) DeleteRange(min, max uint64) error {
	if f.deletes != nil {
		return f.deletes
	}
	return f.backend.DeleteRange(min, max)
}

func TestAFailedWriteStopsTheProcessAndIsNotRetried(t *testing.T) {
	eio := errors.New("input/output error")
	for name, tc := range map[string]struct {
		inject failing
		call   func(*Store) error
	}{
		"store":   {failing{stores: eio}, func(s *Store) error { return s.StoreLog(record(11, 1)) }},
		"compact": {failing{deletes: eio}, func(s *Store) error { return s.DeleteRange(1, 4) }},
		"anchor":  {failing{stores: eio}, func(s *Store) error { _, err := s.Anchor(20, 2); return err }},
		"drop":    {failing{deletes: eio}, func(s *Store) error { s.SetSnapshot(20); return s.DropAll() }},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := openLog(t, logPath(t), nil)
			fill(t, s, 1, 10, 1)
			s.SetSnapshot(5)
			inner := s.db
			tc.inject.backend = inner
			s.db = tc.inject
			if err := tc.call(s); !errors.Is(err, ErrStorage) || !errors.Is(err, eio) {
				t.Fatalf("got %v, want ErrStorage", err)
			}
			s.db = inner // the disk is well again: too late
			if err := tc.call(s); !errors.Is(err, ErrStopped) {
				t.Fatalf("second call: got %v, want ErrStopped", err)
			}
			if err := s.GetLog(1, new(raft.Log)); !errors.Is(err, ErrStopped) {
				t.Fatalf("read: got %v, want ErrStopped", err)
			}
			f.want(t, ErrStorage)
		})
	}
}

func TestAHangingWriteStopsTheProcess(t *testing.T) {
	s, f := openLog(t, logPath(t), func(o *Options) { o.WriteTimeout = 20 * time.Millisecond })
	fill(t, s, 1, 3, 1)
	inner, hang := s.db, make(chan struct{})
	s.db = failing{backend: inner, hang: hang, stores: errors.New("late")}
	if err := s.StoreLog(record(4, 1)); !errors.Is(err, ErrStalled) || !errors.Is(err, ErrStorage) {
		t.Fatalf("got %v, want ErrStalled", err)
	}
	f.want(t, ErrStalled)
	if last, err := s.LastIndex(); err != nil || last != 3 {
		t.Errorf("last index beside a hanging write: %d, %v", last, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close beside a hanging write: %v", err)
	}
	close(hang)
	if err := inner.Close(); err != nil {
		t.Error(err)
	}
}

// A bit in each byte of a stored record is flipped in turn, in the file as
// raft-boltdb wrote it. The flip is seen, or the record reads as it was.
func TestEveryFlippedByteOfARecordIsSeenOrHarmless(t *testing.T) {
	s, _ := openLog(t, logPath(t), nil)
	fill(t, s, 1, 3, 1)
	path := s.path
	s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	value := storedValue(t, path, 2)
	seen, harmless := 0, 0
	for i := range value {
		flip(t, path, good, copies(good, value), i)
		if flipIsSeen(t, path) {
			seen++
		} else {
			harmless++
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d flips seen, %d harmless", seen, harmless)
	if seen < 7*harmless {
		t.Errorf("%d flips seen and %d harmless: the checksum covers too little", seen, harmless)
	}
}

// flip changes one bit of byte i of the record at each of its places: old
// copies lie on free pages.
func flip(t *testing.T, path string, good []byte, places []int, i int) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, at := range places {
		if _, err := file.WriteAt([]byte{good[at+i] ^ 1<<(i%8)}, int64(at+i)); err != nil {
			t.Fatal(err)
		}
	}
}

// flipIsSeen reports whether Check and GetLog see damage in the file; if not,
// all records must be as they were.
func flipIsSeen(t *testing.T, path string) bool {
	t.Helper()
	f := &fatals{}
	s, err := Open(path, Options{Fatal: f.add})
	if err != nil {
		return errors.Is(err, ErrDamaged)
	}
	defer s.Close()
	checked := s.Check(1)
	if checked == nil {
		wantLog(t, s, 1, 3, always(1))
		f.want(t, nil)
		return false
	}
	if !errors.Is(checked, ErrDamaged) {
		t.Fatalf("check: %v, want ErrDamaged", checked)
	}
	if err := s.GetLog(2, new(raft.Log)); !errors.Is(err, ErrDamaged) {
		t.Fatalf("read: got %v, want ErrDamaged", err)
	}
	f.want(t, ErrDamaged)
	return true
}

func storedValue(t *testing.T, path string, index byte) []byte {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var value []byte
	err = db.View(func(tx *bbolt.Tx) error {
		value = bytes.Clone(tx.Bucket([]byte("logs")).Get([]byte{0, 0, 0, 0, 0, 0, 0, index}))
		return nil
	})
	if err != nil || value == nil {
		t.Fatalf("record %d: %v", index, err)
	}
	return value
}

func copies(file, value []byte) (at []int) {
	for from := 0; ; {
		i := bytes.Index(file[from:], value)
		if i < 0 {
			return at
		}
		at, from = append(at, from+i), from+i+len(value)
	}
}

func TestARecordFromAnotherTimeBreaksTheChain(t *testing.T) {
	path := logPath(t)
	s, _ := openLog(t, path, nil)
	fill(t, s, 1, 5, 1)
	s.Close()
	db, err := raftboltdb.NewBoltStore(path)
	if err != nil {
		t.Fatal(err)
	}
	lost, _ := chained(record(3, 2), 12345) // sound in itself
	if err := db.StoreLogs([]*raft.Log{lost}); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s, _ = openLog(t, path, nil)
	if err := s.Check(1); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func TestAMissingRecordIsDamage(t *testing.T) {
	path := logPath(t)
	s, _ := openLog(t, path, nil)
	fill(t, s, 1, 5, 1)
	s.Close()
	db, err := raftboltdb.NewBoltStore(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteRange(3, 3); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s, f := openLog(t, path, nil)
	for _, from := range []uint64{1, 3} {
		if err := s.Check(from); !errors.Is(err, ErrDamaged) {
			t.Errorf("check from %d: got %v, want ErrDamaged", from, err)
		}
	}
	if err := s.Check(5); err != nil {
		t.Errorf("check behind it: %v", err)
	}
	if err := s.Check(7); !errors.Is(err, ErrDamaged) {
		t.Errorf("check beyond the end: got %v, want ErrDamaged", err)
	}
	f.want(t, nil)
	if err := s.GetLog(3, new(raft.Log)); !errors.Is(err, ErrDamaged) {
		t.Errorf("read: got %v, want ErrDamaged", err)
	}
	f.want(t, ErrDamaged)
}

func TestACutFileIsDamageAndNotAFault(t *testing.T) {
	path := logPath(t)
	s, _ := openLog(t, path, nil)
	for i := range uint64(40) {
		l := record(i+1, 1)
		l.Data = make([]byte, 20000)
		if err := s.StoreLog(l); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []int{0, 100, 4096, 8192, 16384, 40000, 200000, 600000} {
		if err := os.WriteFile(path, whole[:min(keep, len(whole))], 0o600); err != nil {
			t.Fatal(err)
		}
		f := &fatals{}
		s, err := Open(path, Options{Fatal: f.add})
		if err == nil {
			if last, _ := s.LastIndex(); last == 40 {
				err = s.Check(1)
			}
			s.Close()
		}
		if err == nil && keep > 0 { // an empty file is a new one to bbolt
			t.Errorf("%d bytes: opened and checked", keep)
		}
	}
}

func TestRewriteKeepsWhatIsNeededAndDestroysTheRest(t *testing.T) {
	secret := []byte("sealed entry of a patient who withdrew")
	path := logPath(t)
	s, f := openLog(t, path, nil)
	fill(t, s, 1, 99, 1)
	erased := record(100, 1)
	erased.Data = secret
	if err := s.StoreLog(erased); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 101, 600, 1)
	s.SetApplied(550)
	s.SetSnapshot(500)
	if err := s.DeleteRange(1, 300); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); !bytes.Contains(b, secret) {
		t.Error("bbolt wiped a free page by itself; the rewrite is no longer needed")
	}
	if err := s.Rewrite(501); !errors.Is(err, ErrRefused) {
		t.Fatalf("past the snapshot: got %v, want ErrRefused", err)
	}
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := s.Rewrite(400); err != nil {
		t.Fatal(err)
	}
	if old, err := io.ReadAll(held); err != nil || len(old) == 0 || bytes.Contains(old, secret) {
		t.Errorf("the blocks of the old file still hold the erased record: %v", err)
	}
	wantLog(t, s, 400, 600, always(1))
	fill(t, s, 601, 603, 1)
	if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, secret) {
		t.Errorf("the file still holds the erased record: %v", err)
	}
	if names, _ := os.ReadDir(filepath.Dir(path)); len(names) != 1 {
		t.Errorf("left beside the log: %v", names)
	}
	s, _ = reopened(t, s)
	wantLog(t, s, 400, 603, always(1))
	if err := s.Check(501); err != nil {
		t.Error(err)
	}
	f.want(t, nil)
}

func TestARewriteCutShortLeavesTheLogAndNoRemains(t *testing.T) {
	for name, crash := range map[string]func(t *testing.T, path string){
		"while copying": func(t *testing.T, path string) { write(t, path+newSuffix, "half a copy") },
		"after linking": func(t *testing.T, path string) {
			write(t, path+newSuffix, "a copy")
			if err := os.Link(path, path+oldSuffix); err != nil {
				t.Fatal(err)
			}
		},
		"after the swap": func(t *testing.T, path string) { write(t, path+oldSuffix, "the old file") },
	} {
		t.Run(name, func(t *testing.T) {
			s, f := openLog(t, logPath(t), nil)
			fill(t, s, 1, 5, 1)
			s.Close()
			crash(t, s.path)
			s, _ = openLog(t, s.path, nil)
			wantLog(t, s, 1, 5, always(1))
			if names, _ := os.ReadDir(filepath.Dir(s.path)); len(names) != 1 {
				t.Errorf("left beside the log: %v", names)
			}
			f.want(t, nil)
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheCacheStaysWithinItsBytes(t *testing.T) {
	c := cache{limit: 1000}
	for i := range uint64(100) {
		c.add(record(i+1, 1))
		if c.bytes > c.limit {
			t.Fatalf("after record %d: %d bytes, limit %d", i+1, c.bytes, c.limit)
		}
		if c.get(i+1) == nil {
			t.Fatalf("the newest record, %d, is not kept", i+1)
		}
	}
	if c.get(1) != nil || c.get(101) != nil {
		t.Error("the cache answers for what it does not hold")
	}
	c.cut(98)
	if c.get(97) == nil || c.get(98) != nil {
		t.Error("a cut suffix is still there, or more was cut")
	}
	c.add(record(200, 1))
	if c.get(97) != nil || c.get(200) == nil || c.bytes != logBytes(record(200, 1)) {
		t.Errorf("after a gap: %d bytes", c.bytes)
	}
	big := record(201, 1)
	big.Data = make([]byte, 5000)
	c.add(big)
	if c.bytes != 0 || c.get(201) != nil {
		t.Errorf("a record above the limit is kept: %d bytes", c.bytes)
	}
}

func TestAFailedFsyncIsToldFromOtherFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		fsync bool
	}{
		"fdatasync":    {syscall.EIO, true},
		"a page write": {&fs.PathError{Op: "write", Path: "log.db", Err: syscall.ENOSPC}, false},
		"something":    {errors.New("else"), false},
	} {
		s, f := openLog(t, logPath(t), nil)
		inner := s.db
		s.db = failing{backend: inner, stores: tc.err}
		if err := s.StoreLog(record(1, 1)); !errors.Is(err, ErrStorage) || errors.Is(err, ledger.ErrFsync) != tc.fsync {
			t.Errorf("%s: %v, want an fsync's: %v", name, err, tc.fsync)
		}
		f.want(t, ErrStorage)
		s.db = inner
	}
}
