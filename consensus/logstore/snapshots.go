package logstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
)

// SnapshotOptions are what [Snapshots] ask of their caller.
type SnapshotOptions struct {
	// Retain is how many snapshots are kept. Default 2.
	Retain int
	// Written is called when a snapshot, taken here or received, is durable:
	// before Raft compacts the log or restores from it. Required.
	Written func(raft.SnapshotMeta)
	// Fatal is called when an fsync failed: what reached the disk is unknown.
	// Required.
	Fatal func(error)
	// Logger receives what raft's file store has to say. Default: nobody.
	Logger hclog.Logger
}

// Snapshots keep Raft's snapshots in the folder "snapshots" of a directory.
// They implement raft.SnapshotStore over raft's FileSnapshotStore and add
// what it leaves open: metadata carries a checksum, a snapshot that failed to
// close stays failed (raft closes twice and believes the second answer), and
// none older than the newest is accepted. Methods may be called concurrently.
type Snapshots struct {
	files   *raft.FileSnapshotStore
	folder  string
	options SnapshotOptions

	mu     sync.Mutex // held while a sink closes
	newest raft.SnapshotMeta
	found  bool
}

const (
	metaFile     = "meta.json" // raft's
	metaSumFile  = "meta.sum"  // ours: the same bytes and a CRC-32C
	unfinished   = ".tmp"      // raft's suffix of a snapshot being written
	snapshotRoot = "snapshots" // raft's
)

// OpenSnapshots opens or creates the folder, mode 0700, and removes snapshots
// that were never finished. Only metadata is read; see [Snapshots.Check].
func OpenSnapshots(dir string, o SnapshotOptions) (*Snapshots, error) {
	if o.Written == nil || o.Fatal == nil {
		return nil, errors.New("open snapshots: no Written or Fatal callback")
	}
	if o.Retain == 0 {
		o.Retain = 2
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	folder := filepath.Join(dir, snapshotRoot)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open snapshots: %w", err)
	}
	if err := removeUnfinished(folder); err != nil {
		return nil, fmt.Errorf("open snapshots: %w", err)
	}
	files, err := raft.NewFileSnapshotStoreWithLogger(dir, o.Retain, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("open snapshots: %w", err)
	}
	s := &Snapshots{files: files, folder: folder, options: o}
	return s, s.findNewest()
}

// removeUnfinished removes snapshots that were never finished: raft's name for
// one being written, or no checksum of its metadata yet. Nothing stands on
// them: the log is compacted, or the snapshot restored, only afterwards.
func removeUnfinished(folder string) error {
	names, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, d := range names {
		_, err := os.Stat(filepath.Join(folder, d.Name(), metaSumFile))
		if strings.HasSuffix(d.Name(), unfinished) || errors.Is(err, fs.ErrNotExist) {
			if err := os.RemoveAll(filepath.Join(folder, d.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// DropDamaged removes the snapshots that cannot be read as they were written,
// and returns their names. The newest of the others is then the newest: the
// caller checks that the log continues it. It runs before Raft starts.
func (s *Snapshots) DropDamaged() (dropped []string, err error) {
	names, err := os.ReadDir(s.folder)
	if err != nil {
		return nil, fmt.Errorf("check snapshots: %w", err)
	}
	for _, d := range names {
		if s.sound(d.Name()) == nil {
			continue
		}
		dropped = append(dropped, d.Name())
		if err := os.RemoveAll(filepath.Join(s.folder, d.Name())); err != nil {
			return dropped, fmt.Errorf("drop snapshot %s: %w", d.Name(), err)
		}
	}
	if len(dropped) > 0 {
		if err := syncDir(s.folder); err != nil {
			return dropped, fmt.Errorf("drop snapshots: %w", err)
		}
	}
	return dropped, s.findNewest()
}

// sound reads a snapshot and compares it with its checksums.
func (s *Snapshots) sound(name string) error {
	if err := s.checkMeta(name); err != nil {
		return err
	}
	_, content, err := s.files.Open(name) // reads all of it and compares the CRC
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return content.Close()
}

func (s *Snapshots) findNewest() error {
	list, err := s.files.List()
	if err != nil {
		return fmt.Errorf("list snapshots: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest, s.found = raft.SnapshotMeta{}, len(list) > 0
	if s.found {
		s.newest = *list[0]
	}
	return nil
}

// Newest returns the metadata of the newest durable snapshot; found is false
// if there is none. In the state machine's Restore it is the one restored.
func (s *Snapshots) Newest() (newest raft.SnapshotMeta, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest, s.found
}

// Check reads every snapshot and reports ErrDamaged if one does not fit its
// checksums; [Snapshots.DropDamaged] removes it.
func (s *Snapshots) Check() error {
	names, err := os.ReadDir(s.folder)
	if err != nil {
		return fmt.Errorf("check snapshots: %w", err)
	}
	for _, d := range names {
		if err := s.sound(d.Name()); err != nil && !strings.HasSuffix(d.Name(), unfinished) {
			return fmt.Errorf("check snapshot %s: %w", d.Name(), err)
		}
	}
	return nil
}

// List returns the metadata of the snapshots, newest first.
func (s *Snapshots) List() ([]*raft.SnapshotMeta, error) { return s.files.List() }

// Open returns a snapshot's metadata and content after comparing its CRC.
func (s *Snapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	return s.files.Open(id)
}

// Create starts a snapshot at index and term. One older than the newest is
// ErrStaleSnapshot: to restore it would take the state machine back.
func (s *Snapshots) Create(version raft.SnapshotVersion, index, term uint64, configuration raft.Configuration,
	configurationIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	meta := raft.SnapshotMeta{Version: version, Index: index, Term: term,
		Configuration: configuration, ConfigurationIndex: configurationIndex}
	s.mu.Lock()
	err := s.stale(meta)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	inner, err := s.files.Create(version, index, term, configuration, configurationIndex, trans)
	if err != nil {
		return nil, err
	}
	meta.ID = inner.ID()
	return &sink{SnapshotSink: inner, store: s, meta: meta}, nil
}

// stale returns ErrStaleSnapshot if meta is older than the newest. The caller
// holds mu.
func (s *Snapshots) stale(meta raft.SnapshotMeta) error {
	if s.found && (meta.Index < s.newest.Index || meta.Term < s.newest.Term) && !fault.Planted(fault.TakeStaleSnapshot) {
		return fmt.Errorf("create snapshot at %d: %w, at %d", meta.Index, ErrStaleSnapshot, s.newest.Index)
	}
	return nil
}

// checkMeta compares raft's metadata file with our copy.
func (s *Snapshots) checkMeta(id string) error {
	meta, err := os.ReadFile(filepath.Join(s.folder, id, metaFile))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	kept, err := ledger.ReadFileDurable(filepath.Join(s.folder, id, metaSumFile))
	if err != nil || !bytes.Equal(meta, kept) {
		return fmt.Errorf("%w: metadata does not fit its checksum", ErrDamaged)
	}
	return nil
}

var _ raft.SnapshotStore = (*Snapshots)(nil)
