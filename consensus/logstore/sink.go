package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
)

// A sink is a snapshot being written. Raft and the state machine both close
// it, so Close remembers its first answer. One goroutine at a time uses it.
type sink struct {
	raft.SnapshotSink
	store  *Snapshots
	meta   raft.SnapshotMeta
	closed bool
	result error
}

// Close makes the snapshot durable and tells the caller of the store.
func (k *sink) Close() error {
	if k.closed {
		return k.result
	}
	k.closed = true
	k.result = k.store.finish(k)
	return k.result
}

// Cancel drops the snapshot. After Close it does nothing.
func (k *sink) Cancel() error {
	if k.closed {
		return nil
	}
	k.closed, k.result = true, fmt.Errorf("snapshot at %d was cancelled", k.meta.Index)
	return k.SnapshotSink.Cancel()
}

// finish closes raft's sink, keeps the checksum of its metadata and publishes
// the snapshot as the newest.
func (s *Snapshots) finish(k *sink) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stale(k.meta); err != nil { // a newer one came while this was written
		return errors.Join(err, k.SnapshotSink.Cancel())
	}
	err := k.SnapshotSink.Close()
	fault.At(fault.SnapshotClosed)
	if err == nil {
		err = s.keepMeta(k.meta.ID)
	}
	if err != nil {
		err = fmt.Errorf("write snapshot at %d: %w", k.meta.Index, err)
		if isFsync(err) {
			s.options.Fatal(fmt.Errorf("%w: %w: %w", ErrStorage, ledger.ErrFsync, err))
		}
		return err
	}
	fault.At(fault.SnapshotKept)
	s.newest, s.found = k.meta, true
	s.options.Written(k.meta)
	return nil
}

// keepMeta stores a second copy of raft's metadata file with a checksum.
func (s *Snapshots) keepMeta(id string) error {
	dir := filepath.Join(s.folder, id)
	meta, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil {
		return err
	}
	return ledger.WriteFileDurable(filepath.Join(dir, metaSumFile), meta)
}

// isFsync reports whether err comes from an fsync, after which the kernel may
// have dropped what it could not write.
func isFsync(err error) bool {
	var path *fs.PathError
	return errors.Is(err, ledger.ErrFsync) || errors.As(err, &path) && path.Op == "sync"
}
