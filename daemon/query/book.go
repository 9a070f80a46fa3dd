package query

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/registry/validate"
)

// ErrDamaged reports a book that does not read.
var ErrDamaged = errors.New("the questions that wait to be asked are damaged")

// maxDoubts is how many may wait, so that the book stays a few megabytes.
const maxDoubts = 100_000

// Book keeps the doubts about which this hospital has not asked itself yet: a
// question needs the index that its entry has in the log. It is safe for concurrent
// use. In the file stand entry ids and rules only.
type Book struct {
	path string
	mu   sync.Mutex // guards list
	list []validate.Doubt
}

// OpenBook opens a book, or begins one. With ErrDamaged it returns an empty one.
func OpenBook(path string) (*Book, error) {
	b := &Book{path: path}
	raw, err := ledger.ReadFileDurable(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, nil
	case errors.Is(err, ledger.ErrDamaged):
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return nil, err
	}
	var lines []string
	if err := json.Unmarshal(raw, &lines); err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var list []validate.Doubt
	for _, line := range lines {
		rule, text, _ := strings.Cut(line, " ")
		id, err := hex.DecodeString(text)
		if err != nil || len(id) != 32 {
			return b, fmt.Errorf("%w: a line is not a rule and an entry id", ErrDamaged)
		}
		list = append(list, validate.Doubt{Entry: [32]byte(id), Rule: rule})
	}
	b.list = list
	return b, nil
}

// Note keeps doubts, each once. Those for which there is no room are counted and left
// out: the findings are shown to who hands in the file, and asked about when it is
// handed in again. The error is ledger.ErrStorage.
func (b *Book) Note(list []validate.Doubt) (left int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[validate.Doubt]bool{}
	for _, d := range b.list {
		seen[d] = true
	}
	next := slices.Clone(b.list)
	for _, d := range list {
		switch {
		case seen[d]:
		case len(next) >= maxDoubts:
			left++
		default:
			seen[d] = true
			next = append(next, d)
		}
	}
	if len(next) == len(b.list) {
		return left, nil
	}
	return left, b.write(next)
}

// Waiting returns the doubts, the oldest first.
func (b *Book) Waiting() []validate.Doubt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

// Done drops doubts: they are asked about, or what they were about is gone. The
// error is ledger.ErrStorage.
func (b *Book) Done(list []validate.Doubt) error {
	gone := map[validate.Doubt]bool{}
	for _, d := range list {
		gone[d] = true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.write(slices.DeleteFunc(slices.Clone(b.list), func(d validate.Doubt) bool { return gone[d] }))
}

// write replaces the list. The caller holds mu.
func (b *Book) write(list []validate.Doubt) error {
	lines := []string{}
	for _, d := range list {
		lines = append(lines, d.Rule+" "+hex.EncodeToString(d.Entry[:]))
	}
	raw, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	if err := ledger.WriteFileDurable(b.path, raw); err != nil {
		return err
	}
	b.list = list
	return nil
}
