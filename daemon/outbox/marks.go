package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
)

// A Mark lets the hospital know a patient again, before share holders are asked:
// keyed hashes that nobody makes without its keys.
type Mark struct {
	Entry  [32]byte // id of the case that was taken
	Person [32]byte // of the identity
	Source [32]byte // of the source's own name for the case
}

const markBytes = 3 * 32

// marks are those of the cases that were taken here. They say what a preview says
// and nothing that is sent depends on them: they are not fsynced, and what a crash
// or a restore loses is remembered again when the file comes again.
type marks struct {
	path string

	mu      sync.Mutex // guards what follows
	file    *os.File
	bytes   int64             // of the file; what lies beyond was half written
	of      map[[32]byte]Mark // by entry
	persons map[[32]byte]int  // entries of each
	sources map[[32]byte]int
	pairs   map[[32]byte]int // of a person and a source together
}

func openMarks(dir string) (*marks, error) {
	m := &marks{path: filepath.Join(dir, "marks")}
	raw, err := os.ReadFile(m.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if m.file, err = os.OpenFile(m.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	m.take(raw)
	return m, nil
}

// take reads marks, and nothing of one that was half written.
func (m *marks) take(raw []byte) {
	m.of, m.persons, m.sources, m.pairs = map[[32]byte]Mark{}, map[[32]byte]int{}, map[[32]byte]int{}, map[[32]byte]int{}
	m.bytes = int64(len(raw) / markBytes * markBytes)
	for len(raw) >= markBytes {
		m.add(Mark{[32]byte(raw), [32]byte(raw[32:]), [32]byte(raw[64:])})
		raw = raw[markBytes:]
	}
}

func (m *marks) add(one Mark) {
	m.of[one.Entry] = one
	m.persons[one.Person]++
	m.sources[one.Source]++
	m.pairs[one.pair()]++
}

// pair stands for a person and a source together.
func (one Mark) pair() (p [32]byte) {
	for i := range p {
		p[i] = one.Person[i] ^ one.Source[i]
	}
	return p
}

func (one Mark) append(b []byte) []byte {
	return append(append(append(b, one.Entry[:]...), one.Person[:]...), one.Source[:]...)
}

// forget lets go of the marks of entries. Nothing is left of the former file. It
// may be repeated.
func (m *marks) forget(gone map[[32]byte]bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var left []byte
	before := len(m.of)
	for id, one := range m.of {
		if !gone[id] {
			left = one.append(left)
		}
	}
	if len(left) == before*markBytes {
		return nil
	}
	f, err := os.OpenFile(m.path+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	former := m.file
	m.file = f
	m.take(left)
	_, err = f.Write(left)
	err = errors.Join(err, f.Sync(), former.Close())
	if err == nil {
		err = ledger.KeepFormer(m.path)
	}
	if err == nil {
		err = os.Rename(m.path+".tmp", m.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(m.path))
	}
	if err != nil {
		return fmt.Errorf("%w: marks: %w", ledger.ErrStorage, err)
	}
	return ledger.DestroyFormer(m.path)
}

// Mark remembers the marks of cases that were taken, those it has not. The error is
// ledger.ErrStorage.
func (o *Outbox) Mark(list []Mark) error {
	m := o.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	var fresh []byte
	for _, one := range list {
		if _, ok := m.of[one.Entry]; !ok {
			m.add(one)
			fresh = one.append(fresh)
		}
	}
	n, err := m.file.WriteAt(fresh, m.bytes)
	m.bytes += int64(n / markBytes * markBytes)
	if err != nil {
		return fmt.Errorf("%w: outbox: marks: %w", ledger.ErrStorage, err)
	}
	return nil
}

// Marked reports whether cases of a person, and of a source, were taken here.
func (o *Outbox) Marked(one Mark) (person, source bool) {
	o.marks.mu.Lock()
	defer o.marks.mu.Unlock()
	return o.marks.persons[one.Person] > 0, o.marks.sources[one.Source] > 0
}

// Contradicts returns the cases that were taken of a source for other persons, if
// its person was taken of other sources: two sources were exchanged, or two
// persons. It is nil where they were taken together, or one of them never.
func (o *Outbox) Contradicts(one Mark) (entries [][32]byte) {
	m := o.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.persons[one.Person] == 0 || m.sources[one.Source] == 0 || m.pairs[one.pair()] > 0 {
		return nil
	}
	for id, other := range m.of { // it happens by mistake only
		if other.Source == one.Source {
			entries = append(entries, id)
		}
	}
	return entries
}

// Knows reports of each id whether it was ever taken.
func (o *Outbox) Knows(ids [][32]byte) []bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	known := make([]bool, len(ids))
	for i, id := range ids {
		_, known[i] = o.known[id]
	}
	return known
}
