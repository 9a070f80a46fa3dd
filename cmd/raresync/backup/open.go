package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

// maxSmallBytes bounds the parts that are read into memory.
const maxSmallBytes = 1 << 20

// Backup is a file whose framing and sums were checked.
type Backup struct {
	Manifest
	path     string
	f        *os.File
	size     int64
	sections []section
	genesis  *envelope.Envelope
	note     []byte
}

// Open opens a backup and compares every byte with its sums. reading, if set,
// is told of progress. The error is audit.ErrUnverified with what is wrong,
// [ErrNotBackup] where nothing is right, or the system's.
func Open(path string, reading func(bytes uint64) (done func(bytes int))) (*Backup, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	if !info.Mode().IsRegular() { // a named pipe would wait for a writer
		return nil, fmt.Errorf("open backup %s: %w", path, irregular(info))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	b := &Backup{path: path, f: f}
	if err := b.open(reading); err != nil {
		return nil, fmt.Errorf("open backup %s: %w", path, errors.Join(err, f.Close()))
	}
	return b, nil
}

// Close closes the file.
func (b *Backup) Close() error { return b.f.Close() }

func (b *Backup) open(reading func(uint64) func(int)) error {
	info, err := b.f.Stat()
	if err != nil {
		return err
	}
	b.size = info.Size()
	if err := checkKind(b.f, b.size); err != nil {
		return err
	}
	if b.sections, err = readSections(b.f, b.size); err != nil {
		return err
	}
	_, salts := b.section(saltsPart)
	if err := checkParts(b.sections, salts); err != nil {
		return err
	}
	if err := b.checkSums(reading); err != nil {
		return err
	}
	raw, err := b.small(manifestPart)
	if err != nil {
		return err
	}
	if b.Manifest, err = parseManifest(raw); err != nil {
		return err
	}
	if salts != (b.SaltsExpire != "") {
		return unverified("%s: salts and their expiry go together", manifestPart)
	}
	if b.note, err = b.small(checkpointPart); err != nil {
		return err
	}
	return b.readGenesis()
}

func (b *Backup) readGenesis() error {
	raw, err := b.small(genesisPart)
	if err != nil {
		return err
	}
	if b.genesis, err = founding.ParseGenesis(raw); err != nil {
		return unverified("%s: %w", genesisPart, err)
	}
	if !bytes.Equal(founding.MarshalGenesis(b.genesis), raw) {
		return unverified("%s: not as it is written", genesisPart)
	}
	return nil
}

func (b *Backup) section(name string) (section, bool) { return find(b.sections, name) }

func find(sections []section, name string) (section, bool) {
	for _, s := range sections {
		if s.name == name {
			return s, true
		}
	}
	return section{}, false
}

func (b *Backup) reader(s section) *io.SectionReader { return io.NewSectionReader(b.f, s.at, s.size) }

// small reads a part into memory.
func (b *Backup) small(name string) ([]byte, error) {
	s, _ := b.section(name)
	if s.size > maxSmallBytes {
		return nil, unverified("%s has %d bytes", name, s.size)
	}
	return io.ReadAll(b.reader(s))
}

// checkSums reads the whole file once.
func (b *Backup) checkSums(reading func(uint64) func(int)) error {
	last := len(b.sections) - 1
	total := int64(0)
	for _, s := range b.sections[:last] {
		total += s.size
	}
	done := told(reading, uint64(total))
	buffer := make([]byte, copyBytes)
	for i := range b.sections[:last] {
		s := &b.sections[i]
		sum := sha256.New()
		in := &watched{r: b.reader(*s), after: func(n int) error { done(n); return nil }}
		if _, err := io.CopyBuffer(sum, in, buffer); err != nil {
			return fmt.Errorf("part %s: %w", s.name, err)
		}
		s.sha256 = [32]byte(sum.Sum(nil))
	}
	want, err := b.small(sumsPart)
	if err != nil {
		return err
	}
	got := sums(b.sections[:last])
	if bytes.Equal(got, want) {
		return nil
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(string(got), "\n") {
		if i >= len(lines) || lines[i] != line {
			return unverified("part %s is not the one that %s names", b.sections[min(i, last)].name, sumsPart)
		}
	}
	return unverified("%s has lines too many", sumsPart)
}
