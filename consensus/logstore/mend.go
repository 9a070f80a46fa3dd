package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// Mend makes the log fit to continue a sound snapshot at index, 0 if there is
// none: damaged records that the snapshot covers are dropped, with all before
// them. If a record that is needed is damaged or missing, or the log is empty,
// it answers ErrDamaged and does not call Fatal. It runs before Anchor and
// before Raft starts.
func (s *Store) Mend(index uint64) error {
	s.SetSnapshot(index)
	first, last := s.ends()
	switch {
	case last == 0:
		return fmt.Errorf("mend raft log: %w: it is empty", ErrDamaged)
	case last < index: // the snapshot has left all of it behind
		return nil
	case first > index+1:
		return fmt.Errorf("mend raft log: %w: it starts at %d, the snapshot is at %d", ErrDamaged, first, index)
	}
	if bad := s.lastDamaged(first, index); bad > 0 {
		s.write.Lock()
		defer s.write.Unlock()
		if err := s.compact(first, bad); err != nil {
			return err
		}
	}
	return s.Check(index + 1)
}

// lastDamaged returns the newest record in [first, before) that is damaged or
// that its successor does not follow, 0 if there is none.
func (s *Store) lastDamaged(first, before uint64) (bad uint64) {
	s.file.RLock()
	defer s.file.RUnlock()
	for index := first; index < before; index++ {
		if err := faultsAsErrors(func() error { return s.scan(index, index+1) }); err != nil {
			bad = index
		}
	}
	return bad
}

// Continues reports whether the log holds the record of a snapshot's index and
// term, so that it can go on from it. Index 0, no snapshot, wants a log from
// its first record on.
func (s *Store) Continues(index, term uint64) bool {
	first, last := s.ends()
	if index == 0 {
		return first == 1
	}
	if index < first || index > last {
		return false
	}
	s.file.RLock()
	defer s.file.RUnlock()
	var l *raft.Log
	err := faultsAsErrors(func() (err error) {
		l, _, err = s.fetch(index)
		return err
	})
	return err == nil && l.Term == term
}

func (s *Store) ends() (first, last uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.bounds()
}

// Remove destroys a closed log that cannot be used, and what a Rewrite left
// beside it: it may hold what is to be erased.
func Remove(path string) error {
	for _, name := range []string{path, path + newSuffix, path + oldSuffix} {
		if err := destroy(name, atOnce); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove raft log: %w", err)
		}
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("remove raft log: %w", err)
	}
	return nil
}
