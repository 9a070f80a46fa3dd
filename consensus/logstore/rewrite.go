package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
)

// Names beside the log while it is rewritten.
const (
	newSuffix = ".new" // the copy, until it takes the log's name
	oldSuffix = ".old" // the old file, until its bytes are zeros
)

// copyStep is how many records Rewrite copies in one transaction.
const copyStep = 256

// Rewrite replaces the file by one that holds the records from index from on
// and nothing else, and destroys the old file: a bbolt file keeps deleted
// records in its free pages, which an erasure may not leave. It ends with the
// memory cache purged. Writes wait while it runs, reads only for the swap.
//
// The record at the snapshot's index must stay, and nothing uncovered may go:
// a from beyond the snapshot's index is ErrRefused. Any failure on the disk
// calls Fatal; a crash leaves either file in place, and Open destroys the
// other one.
func (s *Store) Rewrite(from uint64) error {
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.usable(); err != nil {
		return fmt.Errorf("rewrite raft log: %w", err)
	}
	s.unmark() // the suffix is copied and may be marked again
	s.mu.RLock()
	first, last, snapshot := s.first, s.last, s.snapshot
	s.mu.RUnlock()
	if from > max(first, snapshot) {
		return fmt.Errorf("rewrite raft log from %d: %w: snapshot at %d", from, ErrRefused, snapshot)
	}
	if err := faultsAsErrors(func() error { return s.rewrite(max(from, first), last) }); err != nil {
		return s.fatal(fmt.Errorf("rewrite raft log from %d: %w: %w", from, ErrStorage, err))
	}
	return nil
}

func (s *Store) rewrite(first, last uint64) error {
	if fault.Planted(fault.RewriteInPlace) {
		s.compacted(first - 1)
		return s.db.DeleteRange(0, first-1)
	}
	if err := s.copyTo(s.path+newSuffix, first, last); err != nil {
		return err
	}
	fault.At(fault.RewriteCopied)
	if err := s.swap(); err != nil {
		return err
	}
	s.mu.Lock()
	s.first, s.last = first, last
	if last == 0 {
		s.first = 0
	}
	s.cache.clear()
	s.mu.Unlock()
	return destroy(s.path + oldSuffix)
}

// copyTo writes the records first to last, checked and as they are, to a new
// file.
func (s *Store) copyTo(path string, first, last uint64) error {
	to, err := openBolt(path, 0)
	if err != nil {
		return err
	}
	defer to.Close()
	var batch []*raft.Log
	for index := first; index <= last+1 && last > 0; index++ {
		l, k, err := s.fetch(index)
		if err != nil {
			return err
		}
		stored, _ := chained(l, k.prev)
		if batch = append(batch, stored); len(batch) == copyStep || index == last+1 {
			if err := to.StoreLogs(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return nil
}

// swap gives the copy the log's name. The old file gets a second name first,
// so that its bytes can still be found and destroyed after a crash.
func (s *Store) swap() error {
	s.file.Lock()
	defer s.file.Unlock()
	if err := s.db.Close(); err != nil {
		return err
	}
	if err := os.Link(s.path, s.path+oldSuffix); err != nil {
		return err
	}
	fault.At(fault.RewriteLinked)
	if err := os.Rename(s.path+newSuffix, s.path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(s.path)); err != nil {
		return err
	}
	fault.At(fault.RewriteSwapped)
	db, err := openBolt(s.path, mmapBytes)
	if err != nil {
		return err
	}
	s.db = db
	return nil
}

// discardLeftovers destroys what a crash in Rewrite left beside the log.
func discardLeftovers(path string) error {
	log, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old, err := os.Stat(path + oldSuffix)
	switch {
	case err == nil && os.SameFile(log, old): // linked, not yet replaced
		if err := os.Remove(path + oldSuffix); err != nil {
			return err
		}
	case err == nil:
		if err := destroy(path + oldSuffix); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := destroy(path + newSuffix); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// destroy overwrites a file with zeros on the disk and removes it.
func destroy(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < info.Size(); off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-off)], off); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	fault.At(fault.RewriteZeroed)
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
