package logstore

import (
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
)

// DeleteRange deletes a range of records, both ends included, if the range is
// one that Raft has reason to delete:
//
//   - the log's beginning, covered by the snapshot: deleted at once, but for
//     the record at the snapshot's index;
//   - the log's end, beyond what was applied: only marked, see [Store.StoreLogs].
//
// A range with an applied record that no snapshot covers calls Fatal with
// ErrCommitted and deletes nothing; any other range is ErrRefused.
func (s *Store) DeleteRange(from, to uint64) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return fmt.Errorf("delete raft log %d..%d: %w", from, to, err)
	}
	s.mu.RLock()
	first, last := s.bounds()
	applied, snapshot := s.applied, s.snapshot
	s.mu.RUnlock()
	switch {
	case first == 0 || from > to || to < first || from > last:
		return nil
	case from <= first && to <= snapshot, fault.Planted(fault.DeleteApplied):
		return s.compact(first, to)
	case from <= applied || from <= snapshot:
		return s.fatal(fmt.Errorf("delete raft log %d..%d: %w: applied %d, snapshot %d", from, to, ErrCommitted, applied, snapshot))
	case to >= last:
		s.markFrom(from)
		return nil
	}
	return fmt.Errorf("delete raft log %d..%d: %w: it holds %d..%d", from, to, ErrRefused, first, last)
}

func (s *Store) markFrom(index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fault.Planted(fault.DeleteSuffixAtOnce) {
		_ = s.db.DeleteRange(index, s.last)
		s.last = index - 1
		return
	}
	s.mark = index
}

// compact deletes from first up to to, but for the record at the snapshot's index.
func (s *Store) compact(first, to uint64) error {
	s.mu.RLock()
	if !fault.Planted(fault.TruncateToNothing) {
		to = min(to, s.snapshot-1)
	}
	to = min(to, s.last)
	if to == s.last {
		to++ // the end record as well
	}
	s.mu.RUnlock()
	if to < first {
		return nil
	}
	err := s.writing(func() error {
		if err := s.db.DeleteRange(first, to); err != nil {
			return err
		}
		fault.At(fault.LogCompacted)
		s.compacted(to)
		return nil
	})
	if err != nil {
		return s.fatal(fmt.Errorf("compact raft log to %d: %w", to, err))
	}
	return nil
}

func (s *Store) compacted(to uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first = to + 1; s.first > s.last {
		s.first, s.last, s.mark, s.head = 0, 0, 0, 0
	}
}

// DropAll deletes every record, which is for a log that the snapshot has
// left behind: [Store.Anchor] decides that. It calls Fatal with ErrCommitted
// if a record was applied that no snapshot covers.
func (s *Store) DropAll() error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return fmt.Errorf("drop raft log: %w", err)
	}
	return s.dropAll()
}

func (s *Store) dropAll() error {
	s.mu.RLock()
	last, applied, snapshot := s.last, s.applied, s.snapshot
	s.mu.RUnlock()
	if applied > snapshot {
		return s.fatal(fmt.Errorf("drop raft log: %w: applied %d, snapshot %d", ErrCommitted, applied, snapshot))
	}
	err := s.writing(func() error {
		if last > 0 {
			if err := s.db.DeleteRange(0, last+1); err != nil {
				return err
			}
		}
		s.dropped()
		return nil
	})
	if err != nil {
		return s.fatal(fmt.Errorf("drop raft log: %w", err))
	}
	return nil
}

func (s *Store) dropped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first, s.last, s.mark, s.head = 0, 0, 0, 0
	s.cache.clear()
}

// Anchor makes the log continue the snapshot at index and term. It calls
// SetSnapshot, and unless the log holds a record of that index and term, or
// starts right behind it, drops the whole log: an ex-leader's uncommitted
// tail would otherwise wait below or beyond the snapshot to be applied one
// day. An emptied log gets a record that answers for index and term.
//
// Anchor is called before Raft starts and in the state machine's Restore. It
// returns the last index of what was dropped, 0 if nothing was; beyond the
// snapshot's index it tells the caller to restart, because Raft remembers it.
// A log that starts later than right behind the snapshot has lost its own
// snapshot: Fatal is called with ErrDamaged and nothing is dropped.
func (s *Store) Anchor(index, term uint64) (droppedLast uint64, err error) {
	if index == 0 {
		return 0, nil
	}
	s.SetSnapshot(index)
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return 0, fmt.Errorf("anchor raft log at %d: %w", index, err)
	}
	s.mu.RLock()
	first, last := s.first, s.last
	s.mu.RUnlock()
	if first > index+1 { // a newer snapshot must have been there
		return 0, s.fatal(fmt.Errorf("anchor raft log: %w: it starts at %d, the snapshot is at %d", ErrDamaged, first, index))
	}
	var l raft.Log
	switch err := s.GetLog(index, &l); {
	case err == nil && l.Term == term, first > 1 && first == index+1:
		return 0, nil
	case err != nil && err != raft.ErrLogNotFound:
		return 0, fmt.Errorf("anchor raft log at %d: %w", index, err)
	}
	if fault.Planted(fault.KeepTail) {
		return 0, nil
	}
	if err := s.dropAll(); err != nil {
		return 0, err
	}
	fault.At(fault.InstallDropped)
	return last, s.putAnchor(index, term)
}

// putAnchor stores a record of index and term in the empty log. At index 1 it
// would be sent to followers as if it were the real one, so there is none.
func (s *Store) putAnchor(index, term uint64) error {
	if index <= 1 {
		return nil
	}
	stored, head := chained(&raft.Log{Index: index, Term: term, Type: typeAnchor}, 0)
	err := s.writing(func() error {
		if err := s.db.StoreLogs([]*raft.Log{stored, endOf(index, head)}); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.first, s.last, s.head = index, index, head
		return nil
	})
	if err != nil {
		return s.fatal(fmt.Errorf("anchor raft log at %d: %w", index, err))
	}
	return nil
}
