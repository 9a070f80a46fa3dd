package logstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
)

// Options are what a [Store] asks of its caller.
type Options struct {
	// Guard is asked before records of so many bytes are stored; its error
	// refuses them. Nil accepts everything.
	Guard func(bytes int) error
	// Fatal is called once, at the first failure that must stop the process
	// with exit code 74. It may be called with locks held and must not call
	// back. Required.
	Fatal func(error)
	// Synced is told how long records that are stored now took to write, with
	// their fsync; it must not call back. Nil: nobody wants to know.
	Synced func(took time.Duration)
	// WriteTimeout is how long a write may take. Default 10s.
	WriteTimeout time.Duration
	// MaxRecordBytes is the largest record accepted. Default 1 MiB: an
	// envelope has at most 256 KiB, a configuration grows with the network.
	MaxRecordBytes int
	// CacheBytes bounds the recent records kept in memory, so that a leader
	// does not read back what it has just written. Followers are a batch or
	// two of 16 behind. Default 8 MiB.
	CacheBytes int
}

func (o Options) withDefaults() Options {
	if o.Guard == nil {
		o.Guard = func(int) error { return nil }
	}
	if o.Synced == nil {
		o.Synced = func(time.Duration) {}
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.MaxRecordBytes == 0 {
		o.MaxRecordBytes = 1 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 8 << 20
	}
	return o
}

// A Store is Raft's log. It implements raft.LogStore; all methods may be
// called concurrently. Indexes in it are contiguous.
type Store struct {
	path    string
	options Options

	rewriting sync.Mutex // held by Rewrite; comes before the others

	write sync.Mutex // held through every write; comes before what follows

	file sync.RWMutex // guards db against being swapped by Rewrite
	db   backend

	mu       sync.RWMutex // guards what follows
	first    uint64       // on disk; 0 if the log is empty
	last     uint64       // on disk, with a marked suffix
	mark     uint64       // first index of the marked suffix, or 0
	head     uint32       // chain value of record last
	applied  uint64
	snapshot uint64
	cache    cache
	stopped  error // the first failure, or ErrStopped after Close
}

// Open opens or creates the log at path (log.db, mode 0600). It removes what
// a crash left of a Rewrite or of a replaced suffix. Errors are ErrDamaged or
// the system's; [Store.Check] then looks at the records.
func Open(path string, o Options) (*Store, error) {
	if o.Fatal == nil {
		return nil, errors.New("open raft log: no Fatal callback")
	}
	if err := discardLeftovers(path); err != nil {
		return nil, fmt.Errorf("open raft log: %w", err)
	}
	db, err := openBolt(path, mmapBytes)
	if err != nil {
		return nil, fmt.Errorf("open raft log %s: %w", filepath.Base(path), err)
	}
	s := &Store{path: path, options: o.withDefaults(), db: db}
	s.cache.limit = s.options.CacheBytes
	if err := faultsAsErrors(s.load); err != nil {
		_ = db.Close() // the first error says more
		return nil, fmt.Errorf("open raft log %s: %w", filepath.Base(path), err)
	}
	return s, nil
}

// load finds the ends of the log and removes tombstones behind it.
func (s *Store) load() (err error) {
	first, err := s.db.FirstIndex()
	if err != nil {
		return err
	}
	stored, err := s.db.LastIndex()
	if err != nil || stored == 0 {
		return err
	}
	end, k, err := s.findEnd(first, stored)
	if err != nil {
		return err
	}
	if end < stored {
		if err := s.db.DeleteRange(end+1, stored); err != nil {
			return err
		}
	}
	s.first, s.last, s.head = first, end-1, k.prev
	return nil
}

// findEnd returns the index of the end record, and its link, which must follow
// the record before it. Behind it there may be tombstones.
func (s *Store) findEnd(first, stored uint64) (uint64, link, error) {
	for index := stored; index > first; index-- {
		l, k, err := s.fetch(index)
		switch {
		case err != nil:
			return 0, k, missing(err, index)
		case l.Type == typeTombstone:
			continue
		case l.Type != typeEnd:
			return 0, k, fmt.Errorf("%w: records are missing behind %d", ErrDamaged, index)
		}
		_, last, err := s.fetch(index - 1)
		if err == nil && last.value != k.prev {
			err = fmt.Errorf("%w: record %d does not follow record %d", ErrDamaged, index, index-1)
		}
		return index, k, missing(err, index-1)
	}
	return 0, link{}, fmt.Errorf("%w: it has no end", ErrDamaged)
}

// Close closes the file. After a stalled write it leaves it open: closing
// would wait for the write.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	before := s.stopped
	s.stopped = ErrStopped
	s.mu.Unlock()
	if errors.Is(before, ErrStalled) || errors.Is(before, ErrStopped) {
		return nil
	}
	s.file.Lock()
	defer s.file.Unlock()
	return s.db.Close()
}

// SetApplied tells the log that the state machine has applied index. Records
// up to it may only go once a snapshot covers them. It never goes back.
func (s *Store) SetApplied(index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = max(s.applied, index)
}

// Applied returns the largest index that [Store.SetApplied] was told.
func (s *Store) Applied() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.applied
}

// SetSnapshot tells the log that a durable snapshot covers everything up to
// index. It never goes back.
func (s *Store) SetSnapshot(index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = max(s.snapshot, index)
}

// Purge drops the records kept in memory, for an erasure.
func (s *Store) Purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.clear()
}

// fatal stops the store and tells the caller, the first time.
func (s *Store) fatal(err error) error {
	s.mu.Lock()
	already := s.stopped != nil
	if !already {
		s.stopped = err
	}
	if fault.Planted(fault.RetryFailedWrite) {
		s.stopped = nil
	}
	s.mu.Unlock()
	if !already {
		s.options.Fatal(err)
	}
	return err
}

// usable returns why the store takes no more calls, or nil.
func (s *Store) usable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.stopped == nil || errors.Is(s.stopped, ErrStopped) {
		return s.stopped
	}
	return fmt.Errorf("%w: %w", ErrStopped, s.stopped)
}

// bounds returns the first and last index as Raft sees them: without the
// marked suffix, 0 and 0 if nothing is left. The caller holds mu.
func (s *Store) bounds() (first, last uint64) {
	switch {
	case s.mark == 0:
		return s.first, s.last
	case s.mark <= s.first:
		return 0, 0
	}
	return s.first, s.mark - 1
}

var _ raft.LogStore = (*Store)(nil)
