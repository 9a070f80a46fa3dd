package outbox

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/ledger"
)

// The envelopes on their way are replaced as a whole: envelopes.next is being
// written and counts for nothing; renamed to envelopes.new it counts, and
// takes the place of envelopes, if need be at the next start.
const (
	nextFolder = "envelopes.next"
	newFolder  = "envelopes.new"
)

// replace makes these items the ones on disk, in one step.
func (s *store) replace(items []*item) error {
	if err := s.prepare(items); err != nil {
		return err
	}
	if err := s.commit(); err != nil {
		return err
	}
	return finishReplace(s.dir)
}

func (s *store) prepare(items []*item) error {
	dir := filepath.Join(s.dir, nextFolder)
	if err := ledger.DestroyFiles(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, it := range items {
		if err := it.write(s.pathIn(nextFolder, it.env.Sequence)); err != nil {
			return err
		}
	}
	return syncDir(dir)
}

func (s *store) commit() error {
	if err := os.Rename(filepath.Join(s.dir, nextFolder), filepath.Join(s.dir, newFolder)); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// finishReplace ends a replacement that counts. It may be repeated.
func finishReplace(dir string) error {
	from, to := filepath.Join(dir, newFolder), filepath.Join(dir, "envelopes")
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := ledger.DestroyFiles(to); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(dir)
}
