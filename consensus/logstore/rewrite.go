package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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
// memory cache purged. Writes wait while the new file is made, reads only for the
// swap, and nobody while the old file, which is larger, is overwritten.
//
// The record at the snapshot's index must stay, and nothing uncovered may go:
// a from beyond the snapshot's index is ErrRefused. Any failure on the disk
// calls Fatal; a crash leaves either file in place, and Open destroys the
// other one.
func (s *Store) Rewrite(from uint64) error {
	s.rewriting.Lock()
	defer s.rewriting.Unlock()
	if err := s.swapFrom(from); err != nil {
		return err
	}
	if fault.Planted(fault.RewriteInPlace) {
		return nil
	}
	if err := destroy(s.path+oldSuffix, s.giveWay()); err != nil {
		return s.fatal(fmt.Errorf("rewrite raft log from %d: %w: %w", from, ErrStorage, err))
	}
	return nil
}

// swapFrom is Rewrite up to the old file, which is left under its second name.
func (s *Store) swapFrom(from uint64) error {
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
	return nil
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
		if err := destroy(path+oldSuffix, atOnce); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := destroy(path+newSuffix, atOnce); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// zeroStep is how much of a file is overwritten between two fsyncs: while it
// goes to the disk, an fsync of the log waits behind it.
const zeroStep = 1 << 20

// maxGiveWay bounds the pause after a step: a log of 110 MiB takes at most two
// seconds longer.
const maxGiveWay = 20 * time.Millisecond

// giveWay returns what waits after a step of an overwriting as long as the step
// took, if records were stored meanwhile: so the disk is theirs half of the time.
func (s *Store) giveWay() func(took time.Duration) {
	_, before := s.ends()
	return func(took time.Duration) {
		_, last := s.ends()
		if last != before {
			time.Sleep(min(took, maxGiveWay))
		}
		before = last
	}
}

// atOnce is for when there is nobody to give way to.
func atOnce(time.Duration) {}

// destroy overwrites a file with zeros on the disk, a step at a time with
// giveWay in between, and removes it.
func destroy(path string, giveWay func(took time.Duration)) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, min(zeroStep, info.Size()))
	for off := int64(0); off < info.Size() && !fault.Planted(fault.UnlinkOnly); off += int64(len(zeros)) {
		began := time.Now()
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-off)], off); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		giveWay(time.Since(began))
	}
	fault.At(fault.RewriteZeroed)
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
