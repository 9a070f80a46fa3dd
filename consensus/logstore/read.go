package logstore

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
)

// FirstIndex returns the index of the first record, 0 if there is none.
func (s *Store) FirstIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	first, _ := s.bounds()
	return first, nil
}

// LastIndex returns the index of the last record, 0 if there is none.
func (s *Store) LastIndex() (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, last := s.bounds()
	return last, nil
}

// GetLog fills l with the record at index. Outside the log the error is
// raft.ErrLogNotFound, and so it is for a damaged record below the snapshot:
// whoever needs it is sent the snapshot. Any other that fails its check calls
// Fatal: Raft would panic on it, or send it on.
func (s *Store) GetLog(index uint64, l *raft.Log) error {
	cached, err := s.lookUp(index)
	if err != nil {
		return err
	}
	if cached != nil {
		*l = *cached
		return nil
	}
	s.file.RLock()
	defer s.file.RUnlock()
	var record *raft.Log
	err = faultsAsErrors(func() (err error) {
		record, _, err = s.fetch(index)
		return err
	})
	if err == nil && record.Type != typeTombstone {
		*l = *record
		return nil
	}
	if _, gone := s.lookUp(index); gone != nil { // deleted or closed meanwhile
		return gone
	}
	if err == nil || errors.Is(err, raft.ErrLogNotFound) {
		err = fmt.Errorf("%w: record %d is missing", ErrDamaged, index)
	}
	if s.covered(index) {
		return raft.ErrLogNotFound
	}
	return s.fatal(fmt.Errorf("read raft log: %w", err))
}

// covered reports whether a snapshot makes the record at index needless.
func (s *Store) covered(index uint64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return index < s.snapshot
}

// lookUp returns the record from memory, nil if it is on disk only, or
// raft.ErrLogNotFound outside the log.
func (s *Store) lookUp(index uint64) (*raft.Log, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if first, last := s.bounds(); index == 0 || index < first || index > last {
		return nil, raft.ErrLogNotFound
	}
	return s.cache.get(index), nil
}

// fetch reads the record at index from disk and checks it alone.
func (s *Store) fetch(index uint64) (*raft.Log, link, error) {
	l := new(raft.Log)
	if err := s.db.GetLog(index, l); err != nil {
		if errors.Is(err, raft.ErrLogNotFound) {
			return nil, link{}, err
		}
		return nil, link{}, fmt.Errorf("%w: record %d: %w", ErrDamaged, index, err)
	}
	k, err := unchain(l, index)
	return l, k, err
}

// Check reads the log from index from to its end and reports the first record
// that is missing, damaged or not the successor of the one before it, as
// ErrDamaged. It runs before Raft starts, with the index after the newest
// snapshot, or 1 without one. A log that ends at from-1 is whole; Check does
// not call Fatal.
func (s *Store) Check(from uint64) error {
	s.mu.RLock()
	first, last := s.bounds()
	s.mu.RUnlock()
	if last == 0 { // nothing in it, so nothing in it is wrong
		return nil
	}
	if from < first || from > last+1 {
		return fmt.Errorf("check raft log: %w: it holds %d..%d, want it to continue at %d", ErrDamaged, first, last, from)
	}
	s.file.RLock()
	defer s.file.RUnlock()
	err := faultsAsErrors(func() error { return s.scan(max(first, from-1), last) })
	if err != nil {
		return fmt.Errorf("check raft log: %w", err)
	}
	return nil
}

// missing makes a record that is not there an ErrDamaged.
func missing(err error, index uint64) error {
	if errors.Is(err, raft.ErrLogNotFound) {
		return fmt.Errorf("%w: record %d is missing", ErrDamaged, index)
	}
	return err
}

func (s *Store) scan(from, to uint64) error {
	var before link
	for index := from; index <= to; index++ {
		l, k, err := s.fetch(index)
		if errors.Is(err, raft.ErrLogNotFound) || err == nil && l.Type == typeTombstone {
			err = fmt.Errorf("%w: record %d is missing", ErrDamaged, index)
		}
		if err == nil && index > from && k.prev != before.value && !fault.Planted(fault.SkipChain) {
			err = fmt.Errorf("%w: record %d does not follow record %d", ErrDamaged, index, index-1)
		}
		if err != nil {
			return err
		}
		before = k
	}
	return nil
}
