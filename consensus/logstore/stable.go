package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// StableOptions are what a [Stable] asks of its caller.
type StableOptions struct {
	// Fatal is called once, at the first write that failed or stalled.
	// Raft itself would panic. Required.
	Fatal func(error)
	// WriteTimeout is how long a write may take. Default 10s.
	WriteTimeout time.Duration
}

// A Stable is Raft's term and vote, in a file of its own that is never
// swapped or rewritten: a node that forgets its vote may vote twice. Each
// value carries a CRC-32C over key and value. It implements raft.StableStore;
// methods may be called concurrently.
type Stable struct {
	options StableOptions
	db      *raftboltdb.BoltStore

	mu      sync.Mutex
	stopped error
}

// OpenStable opens or creates the file at path (stable.db, mode 0600).
func OpenStable(path string, o StableOptions) (*Stable, error) {
	if o.Fatal == nil {
		return nil, errors.New("open raft stable store: no Fatal callback")
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	db, err := openBolt(path, 0)
	if err != nil {
		return nil, fmt.Errorf("open raft stable store %s: %w", filepath.Base(path), err)
	}
	return &Stable{options: o, db: db}, nil
}

// Set stores value under key, durably.
func (s *Stable) Set(key, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return fmt.Errorf("store raft term or vote: %w: %w", ErrStopped, s.stopped)
	}
	sealed := binary.BigEndian.AppendUint32(append([]byte(nil), value...), stableSum(key, value))
	err := timed(s.options.WriteTimeout, func() error { return s.db.Set(key, sealed) })
	if err != nil {
		s.stopped = fmt.Errorf("store raft term or vote: %w: %w", ErrStorage, err)
		s.options.Fatal(s.stopped)
		return s.stopped
	}
	return nil
}

// Get returns the value under key. A key never set is raft-boltdb's
// ErrKeyNotFound, whose text Raft compares; a value that fails its checksum
// is ErrDamaged.
func (s *Stable) Get(key []byte) (value []byte, err error) {
	err = faultsAsErrors(func() error {
		value, err = s.db.Get(key)
		return err
	})
	if err != nil {
		return nil, err
	}
	n := len(value) - 4
	if n < 0 || binary.BigEndian.Uint32(value[n:]) != stableSum(key, value[:n]) {
		return nil, fmt.Errorf("read raft term or vote: %w: %q", ErrDamaged, key)
	}
	return value[:n:n], nil
}

// SetUint64 stores v under key, durably.
func (s *Stable) SetUint64(key []byte, v uint64) error {
	return s.Set(key, binary.BigEndian.AppendUint64(nil, v))
}

// GetUint64 returns what SetUint64 stored, with the errors of [Stable.Get].
func (s *Stable) GetUint64(key []byte) (uint64, error) {
	b, err := s.Get(key)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("read raft term or vote: %w: %q has %d bytes", ErrDamaged, key, len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// Close closes the file, unless a write stalled in it.
func (s *Stable) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.stopped
	s.stopped = ErrStopped
	if errors.Is(before, ErrStalled) || errors.Is(before, ErrStopped) {
		return nil
	}
	return s.db.Close()
}

func stableSum(key, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, binary.BigEndian.AppendUint32(nil, uint32(len(key))))
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, value)
}

var _ raft.StableStore = (*Stable)(nil)
