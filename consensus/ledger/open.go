package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/crypto/cbor"
)

const (
	formatFile    = "FORMAT"
	formatPrefix  = "raresync ledger "
	formatVersion = 2
	syncedFile    = "synced"
)

// Open opens the ledger in dir and creates it (directory 0700, files 0600) if
// it is not there. A write that a crash cut short is removed: the ledger
// holds whole envelopes. It reads a few records only, whatever the size.
//
// A ledger that is damaged (less is there than was once fsynced, or a file
// contradicts another) is opened too: what is missing reads as zeros, and
// [Ledger.Suspect] says why. Errors are ErrFormat (written by another release)
// and ErrStorage.
// Only one process may have a ledger open for writing; the caller locks the
// data directory.
func Open(dir string) (*Ledger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open ledger: %w", ioError("create", dir, err))
	}
	if err := checkFormat(dir, true); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{dir: dir}
	if err := l.open(os.O_RDWR | os.O_CREATE); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

// OpenReadOnly opens a copy of a ledger to verify it offline. Nothing in dir
// is created, cut or locked: a write that was cut short is left out of
// [Ledger.Lengths], every method that writes answers ErrClosed, and damage is
// ErrDamaged.
func OpenReadOnly(dir string) (*Ledger, error) {
	if err := checkFormat(dir, false); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{dir: dir, readOnly: true}
	if err := l.open(os.O_RDONLY); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

// checkFormat compares the FORMAT file with what this release reads. With
// create, one of its two copies as this release writes it is enough, the other
// is mended, and a directory without one and without files becomes a ledger.
func checkFormat(dir string, create bool) error {
	path := filepath.Join(dir, formatFile)
	first, err := readFormat(path)
	second, err2 := readFormat(path + copySuffix)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if create && first+second == "" {
		if _, err := os.Stat(filepath.Join(dir, fileIndex.name())); err == nil {
			return fmt.Errorf("%w: files without %s", ErrFormat, formatFile)
		}
		return writeFormat(path)
	}
	switch want := formatText(); {
	case first == want && second == want:
		return nil
	case first != want && second != want:
		return otherFormat(first)
	case !create:
		return fmt.Errorf("%w: the two copies of %s differ", ErrFormat, formatFile)
	}
	return writeFormat(path)
}

func formatText() string { return fmt.Sprintf("%s%d\n", formatPrefix, formatVersion) }

func writeFormat(path string) error {
	if err := replaceDurable(path, []byte(formatText())); err != nil {
		return err
	}
	return replaceDurable(path+copySuffix, []byte(formatText()))
}

// readFormat returns "" for a file that is not there.
func readFormat(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", ioError("read", path, err)
	}
	return string(b), nil
}

// otherFormat says why a FORMAT file is not that of this release.
func otherFormat(content string) error {
	text, ok := strings.CutPrefix(strings.TrimSuffix(content, "\n"), formatPrefix)
	version, err := strconv.Atoi(text)
	switch {
	case content == "":
		return fmt.Errorf("%w: no %s file", ErrFormat, formatFile)
	case !ok || err != nil || version < 1:
		return fmt.Errorf("%w: %s is not that of a ledger", ErrFormat, formatFile)
	}
	return fmt.Errorf("%w: version %d, this release reads %d", ErrFormat, version, formatVersion)
}

func (l *Ledger) open(flag int) (err error) {
	defer func() {
		if err != nil {
			_ = l.closeFiles() // the first error says more
		}
	}()
	for f := range fileCount {
		file, err := os.OpenFile(filepath.Join(l.dir, f.name()), flag, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			return damaged(f.name(), "missing")
		}
		if err != nil {
			return ioError("open", f.name(), err)
		}
		l.files[f], l.reads[f] = file, file
	}
	if err := l.readSynced(); err != nil {
		return err
	}
	if err := l.findEnd(); err != nil {
		return err
	}
	if l.readOnly {
		return nil
	}
	l.ahead = l.at.BodiesBytes
	if err := l.cutFiles(l.at); err != nil {
		return err
	}
	return SyncDir(l.dir)
}

// readSynced loads the lengths of the last Sync; none yet is zero.
func (l *Ledger) readSynced() error {
	b, err := ReadTwice(filepath.Join(l.dir, syncedFile), !l.readOnly)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, ErrDamaged) && !l.readOnly:
		l.suspect = err // the files say where they end
		return nil
	case err != nil:
		return err
	}
	d := cbor.NewDecoder(b)
	l.synced = DecodeLengths(d)
	if err := d.Done(); err != nil {
		return damaged(syncedFile, "%v", err)
	}
	return nil
}

// findEnd sets at to the newest envelope that is whole in every file. Each
// file may have lost the end of its last writes; what Sync covered may not be
// missing, and reads as zeros if it is.
func (l *Ledger) findEnd() error {
	var sizes [fileCount]uint64
	for f, file := range l.files {
		info, err := file.Stat()
		if err != nil {
			return ioError("stat", fileID(f).name(), err)
		}
		sizes[f] = uint64(info.Size())
	}
	for f := range fileCount {
		if sizes[f] < l.synced.bytes(f) {
			if err := l.restoreLength(f, sizes[f]); err != nil {
				return err
			}
			sizes[f] = l.synced.bytes(f)
		}
	}
	for n := sizes[fileIndex] / indexRecordBytes; n > l.synced.Envelopes; n-- {
		at, err := l.lengthsWithin(n, sizes)
		if errors.Is(err, ErrDamaged) { // cut short: try the one before
			continue
		}
		if err != nil {
			return err
		}
		l.at = at
		return nil
	}
	at, err := l.lengthsAt(l.synced.Envelopes)
	if err == nil && at != l.synced {
		err = damaged(syncedFile, "its lengths are not those of envelope %d", l.synced.Envelopes)
	}
	if errors.Is(err, ErrDamaged) && !l.readOnly {
		l.suspect, err = errors.Join(l.suspect, err), nil
	}
	l.at = l.synced
	return err
}

// lengthsWithin returns the lengths after n envelopes, or ErrDamaged if they
// do not fit into files of these sizes.
func (l *Ledger) lengthsWithin(n uint64, sizes [fileCount]uint64) (Lengths, error) {
	at, err := l.lengthsAt(n)
	if err != nil {
		return at, err
	}
	for f := range fileCount {
		if sizes[f] < at.bytes(f) && !fault.Planted(fault.CountTornEnvelopes) {
			return at, damaged(f.name(), "%d bytes, want %d", sizes[f], at.bytes(f))
		}
	}
	return at, nil
}

// lengthsAt derives the lengths after the first n envelopes from the two
// index files.
func (l *Ledger) lengthsAt(n uint64) (Lengths, error) {
	if n == 0 {
		return Lengths{}, nil
	}
	r, _, err := l.span(n - 1)
	if err != nil {
		return Lengths{}, err
	}
	size := r.first + uint64(r.count)
	var end [bodyIndexBytes]byte
	if err := l.readAt(fileBodyIndex, end[:], (size-1)*bodyIndexBytes); err != nil {
		return Lengths{}, err
	}
	at := newLengths(n, size, r.end, binary.BigEndian.Uint64(end[:]))
	if err := at.check(); err != nil {
		return Lengths{}, damaged(fileIndex.name(), "record %d: %v", n-1, err)
	}
	return at, nil
}
