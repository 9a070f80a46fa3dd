package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
)

// StoreLog stores one record.
func (s *Store) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// StoreLogs stores records that follow the log's last one, durably and all or
// none, and replaces a marked suffix in the same transaction. ErrRefused
// leaves the log as it was before the mark; any other failure stops the
// process.
func (s *Store) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return fmt.Errorf("store raft log: %w", err)
	}
	if err := s.refuse(logs); err != nil {
		s.unmark()
		return fmt.Errorf("store raft log: %w", err)
	}
	began := time.Now()
	if err := s.replace(logs); err != nil {
		return s.fatal(fmt.Errorf("store raft log from %d: %w", logs[0].Index, err))
	}
	s.options.Synced(time.Since(began))
	return nil
}

// refuse reports why logs may not be stored, before anything is written.
func (s *Store) refuse(logs []*raft.Log) error {
	s.mu.RLock()
	first, next := s.bounds()
	next++
	if first == 0 { // an empty log continues the snapshot
		next = s.snapshot + 1
	}
	s.mu.RUnlock()
	bytes := 0
	for i, l := range logs {
		switch l.Type {
		case raft.LogCommand, raft.LogNoop, raft.LogBarrier, raft.LogConfiguration:
		default:
			return fmt.Errorf("%w: record %d is of unknown type %d", ErrRefused, l.Index, uint8(l.Type))
		}
		if want := next + uint64(i); l.Index != want {
			return fmt.Errorf("%w: record %d, want %d", ErrRefused, l.Index, want)
		}
		if logBytes(l) > s.options.MaxRecordBytes {
			return fmt.Errorf("%w: record %d has %d bytes, at most %d", ErrRefused, l.Index, logBytes(l), s.options.MaxRecordBytes)
		}
		bytes += logBytes(l)
	}
	if err := s.options.Guard(bytes); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// replace writes logs, and tombstones over what a marked suffix has beyond
// them, in one transaction; then it removes the tombstones.
func (s *Store) replace(logs []*raft.Log) error {
	s.mu.RLock()
	oldLast := s.last
	s.mu.RUnlock()
	newLast := logs[len(logs)-1].Index
	err := s.writing(func() error {
		head, err := s.headBefore(logs[0].Index)
		if err != nil {
			return err
		}
		stored, head := chainAll(logs, oldLast, head)
		if err := s.db.StoreLogs(stored); err != nil {
			return err
		}
		fault.At(fault.LogStored)
		if oldLast > newLast {
			fault.At(fault.SuffixReplaced)
			if err := s.db.DeleteRange(newLast+2, oldLast+1); err != nil {
				return err
			}
		}
		s.stored(logs, head)
		return nil
	})
	return err
}

// chainAll chains logs to the record with value head, and adds the end record
// and, over an old suffix to oldLast and its end, tombstones. It returns the
// value of the last of logs.
func chainAll(logs []*raft.Log, oldLast uint64, head uint32) ([]*raft.Log, uint32) {
	out := make([]*raft.Log, 0, len(logs)+1)
	for _, l := range logs {
		stored, value := chained(l, head)
		out, head = append(out, stored), value
	}
	last := logs[len(logs)-1].Index
	out = append(out, endOf(last, head))
	for index := last + 2; index <= oldLast+1; index++ {
		tombstone, _ := chained(&raft.Log{Index: index, Type: typeTombstone}, 0)
		out = append(out, tombstone)
	}
	return out, head
}

// headBefore returns the chain value of the record before index, 0 if the log
// has none.
func (s *Store) headBefore(index uint64) (uint32, error) {
	s.mu.RLock()
	first, last, head := s.first, s.last, s.head
	s.mu.RUnlock()
	switch {
	case first == 0 || index <= first:
		return 0, nil
	case index == last+1:
		return head, nil
	}
	_, k, err := s.fetch(index - 1)
	return k.value, err
}

// stored takes note of what replace has written.
func (s *Store) stored(logs []*raft.Log, head uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == 0 || logs[0].Index < s.first {
		s.first = logs[0].Index
	}
	s.last, s.head, s.mark = logs[len(logs)-1].Index, head, 0
	s.cache.cut(logs[0].Index)
	for _, l := range logs {
		s.cache.add(l)
	}
}

func (s *Store) unmark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark = 0
}

// writing runs a write against the clock. Its error is fatal.
func (s *Store) writing(f func() error) error {
	err := timed(s.options.WriteTimeout, func() error {
		s.file.RLock()
		defer s.file.RUnlock()
		return f()
	})
	if err == nil || errors.Is(err, ErrDamaged) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStorage, asFsync(err))
}

// asFsync marks the error of an fsync. bbolt gives it bare, and every other of
// the system's as that of a file.
func asFsync(err error) error {
	var errno syscall.Errno
	var path *fs.PathError
	if errors.As(err, &errno) && !errors.As(err, &path) {
		return fmt.Errorf("%w: %w", ledger.ErrFsync, err)
	}
	return err
}
