package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/seal"
)

// ErrSealed reports a file that no key of this node opens.
var ErrSealed = errors.New("the link file is sealed to a key that is not on this node, or damaged")

const (
	label  = "raresync/v1/links"
	format = 1

	maxRecordBytes = 256 // a longer id of a patient is no record number
	maxRecords     = 64  // of one case number
)

// Book is a link file. It is safe for concurrent use.
type Book struct {
	path    string
	sealing func() []*seal.ReaderPrivate // the present key first

	mu sync.Mutex // guards the file
}

// pages is what is sealed.
type pages struct {
	Format int                 `json:"format"`
	Links  map[string][]string `json:"links"` // record numbers by case number
}

// Open opens the file at path, or begins it with the first Add. One that is sealed
// to a former key is sealed anew. The error is [ErrSealed] or ledger.ErrStorage.
func Open(path string, sealing func() []*seal.ReaderPrivate) (*Book, error) {
	b := &Book{path: path, sealing: sealing}
	if err := ledger.DestroyFormer(path); err != nil {
		return nil, err
	}
	p, former, err := b.read()
	if err != nil {
		return nil, err
	}
	if former {
		return b, b.write(p)
	}
	return b, nil
}

// SetAside renames a file that does not open, so that another can be begun.
func SetAside(path string) (as string, err error) {
	as = path + ".sealed"
	return as, os.Rename(path, as)
}

// read opens the file. former says that a key from before opens it.
func (b *Book) read() (p pages, former bool, err error) {
	p = pages{Format: format, Links: map[string][]string{}}
	sealed, err := ledger.ReadFileDurable(b.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, false, nil
	case errors.Is(err, ledger.ErrDamaged):
		return p, false, ErrSealed
	case err != nil:
		return p, false, fmt.Errorf("%w: link file: %w", ledger.ErrStorage, err)
	}
	for i, key := range b.sealing() {
		raw, err := key.OpenMessage(label, sealed)
		if err != nil {
			continue
		}
		if json.Unmarshal(raw, &p) != nil || p.Format != format || p.Links == nil {
			return p, false, ErrSealed // not shown: it may quote what it read
		}
		return p, i > 0, nil
	}
	return p, false, ErrSealed
}

// write seals the links into the place of the former ones.
func (b *Book) write(p pages) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	sealed, err := b.sealing()[0].Public().SealMessage(label, raw)
	if err != nil {
		return err
	}
	return ledger.ReplaceDurable(b.path, sealed)
}

// Add adds record numbers by case number. Those that are there already, and texts
// that are too long to be one, change nothing.
func (b *Book) Add(links map[string][]string) error {
	if len(links) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p, _, err := b.read()
	if err != nil {
		return err
	}
	changed := false
	for number, records := range links {
		for _, r := range records {
			if r = strings.TrimSpace(r); r == "" || len(r) > maxRecordBytes || len(p.Links[number]) >= maxRecords || slices.Contains(p.Links[number], r) {
				continue
			}
			p.Links[number], changed = append(p.Links[number], r), true
		}
	}
	if !changed {
		return nil
	}
	return b.write(p)
}

// Records returns the record numbers behind a case number, in the order in which
// they came.
func (b *Book) Records(number string) ([]string, error) {
	p, err := b.look()
	return p.Links[number], err
}

// Cases returns the case numbers that a record number stands behind, sorted. Case
// and spaces do not matter.
func (b *Book) Cases(record string) ([]string, error) {
	p, err := b.look()
	if err != nil {
		return nil, err
	}
	var cases []string
	for number, records := range p.Links {
		if slices.ContainsFunc(records, func(r string) bool { return folded(r) == folded(record) }) {
			cases = append(cases, number)
		}
	}
	slices.Sort(cases)
	return cases, nil
}

// All returns every record number by case number.
func (b *Book) All() (map[string][]string, error) {
	p, err := b.look()
	return p.Links, err
}

func (b *Book) look() (pages, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, _, err := b.read()
	return p, err
}

// Forget takes case numbers out, for good.
func (b *Book) Forget(cases []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, _, err := b.read()
	if err != nil {
		return err
	}
	before := len(p.Links)
	maps.DeleteFunc(p.Links, func(number string, _ []string) bool { return slices.Contains(cases, number) })
	if len(p.Links) == before {
		return nil
	}
	return b.write(p)
}

func folded(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), "")) }
