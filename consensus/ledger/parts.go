package ledger

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Layout is the version of the files, as FORMAT names it.
const Layout = formatVersion

// SaltsPart is the name of the part that a copy may leave out.
const SaltsPart = "salts"

// A Part is one file of a ledger as far as a copy takes it.
type Part struct {
	Name  string
	Bytes uint64
}

// Parts lists the files that make a ledger of these lengths.
func (l Lengths) Parts() []Part {
	parts := make([]Part, fileCount)
	for f := range fileCount {
		parts[f] = Part{f.name(), l.bytes(f)}
	}
	return parts
}

// LengthsAtSize returns the lengths that the files had when the tree had the
// given size, which must be at the end of an envelope.
func (l *Ledger) LengthsAtSize(size uint64) (Lengths, error) {
	at := l.Lengths()
	if size != at.TreeSize {
		number, err := l.EnvelopeAt(size)
		if err != nil {
			return Lengths{}, err
		}
		if at, err = l.LengthsAt(number); err != nil {
			return Lengths{}, err
		}
	}
	if at.TreeSize != size {
		return Lengths{}, fmt.Errorf("lengths at %d entries: within an envelope: %w", size, ErrOutOfRange)
	}
	return at, nil
}

// OpenPart returns the bytes of a part where they lie.
func (l *Ledger) OpenPart(p Part) (*io.SectionReader, error) {
	for f := range fileCount {
		if f.name() == p.Name {
			return io.NewSectionReader(l.reads[f], 0, int64(p.Bytes)), nil
		}
	}
	return nil, fmt.Errorf("%s: %w", p.Name, ErrFormat)
}

// OpenParts opens a ledger for reading whose files are parts of something
// else, as of a backup: exactly so many envelopes and entries.
func OpenParts(envelopes, size uint64, part func(name string) (r io.ReaderAt, bytes uint64)) (*Ledger, error) {
	l := &Ledger{readOnly: true}
	var sizes [fileCount]uint64
	for f := range fileCount {
		l.reads[f], sizes[f] = part(f.name())
	}
	at := newLengths(envelopes, size, sizes[fileEnvelopes], sizes[fileBodies])
	if err := l.openParts(at, sizes); err != nil {
		return nil, fmt.Errorf("open parts of a ledger: %w", err)
	}
	return l, nil
}

func (l *Ledger) openParts(at Lengths, sizes [fileCount]uint64) error {
	if err := at.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for f := range fileCount {
		if sizes[f] != at.bytes(f) {
			return damaged(f.name(), "%d bytes, want %d", sizes[f], at.bytes(f))
		}
	}
	found, err := l.lengthsAt(at.Envelopes)
	if err == nil && found != at {
		err = damaged(fileIndex.name(), "its lengths are not those of the parts")
	}
	l.at, l.synced = at, at
	return err
}

// Import makes a ledger of its parts in dir, which must not be there yet. It is
// durable when Import returns. A part without a reader becomes zeros, as salts
// that were left out.
func Import(dir string, at Lengths, part func(Part) (io.Reader, error)) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("import ledger: %w", ioError("create", dir, err))
	}
	if err := checkFormat(dir, true); err != nil {
		return fmt.Errorf("import ledger: %w", err)
	}
	for _, p := range at.Parts() {
		r, err := part(p)
		if err != nil {
			return fmt.Errorf("import ledger: %w", err)
		}
		if err := importPart(filepath.Join(dir, p.Name), p, r); err != nil {
			return fmt.Errorf("import ledger: %w", err)
		}
	}
	if err := (&Ledger{dir: dir}).recordSynced(at); err != nil {
		return fmt.Errorf("import ledger: %w", err)
	}
	return nil
}

func importPart(path string, p Part, r io.Reader) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return ioError("create", path, err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = ioError("close", path, closed)
		}
	}()
	if r != nil {
		n, err := io.Copy(f, r)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		if uint64(n) != p.Bytes {
			return damaged(p.Name, "%d bytes, want %d", n, p.Bytes)
		}
	}
	if err := f.Truncate(int64(p.Bytes)); err != nil {
		return ioError("truncate", path, err)
	}
	if err := f.Sync(); err != nil {
		return ioError(opFsync, path, err)
	}
	return nil
}
