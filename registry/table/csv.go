package table

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// maxRecordBytes bounds what may stand between two rows of a CSV file. It is
// where a quotation mark that is never closed is found.
const maxRecordBytes = 1 << 20

func (b *Book) openText(raw []byte) error {
	text := detect(raw)
	b.Encoding = text.encoding
	head, err := text.reader(b.name)
	if err != nil {
		return err
	}
	first := make([]byte, 1<<16)
	n, err := io.ReadFull(head, first)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return rule.Refuse("FM001", b.name, "not "+text.encoding)
	}
	comma := separator(first[:n])
	b.sheets = []*Sheet{{book: b, open: func(s *Sheet) (source, error) {
		from, err := text.reader(b.name)
		if err != nil {
			return nil, err
		}
		return newRecords(s, from, comma), nil
	}}}
	return nil
}

// separators are those that are looked for; of equals the first is taken.
var separators = []rune{'\t', ',', ';', '|'}

// separator returns what most often stands between cells in the first lines,
// outside of quotation marks.
func separator(head []byte) rune {
	counts, lines, quoted := map[rune]int{}, 0, false
	for _, r := range string(head) {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '\n':
			lines++
		default:
			counts[r]++
		}
		if lines == 10 {
			break
		}
	}
	best := ','
	for _, s := range separators {
		if counts[s] > counts[best] {
			best = s
		}
	}
	return best
}

// records reads the rows of a CSV file.
type records struct {
	sheet  *Sheet
	csv    *csv.Reader
	gate   *gate
	number int // of the last row
	line   int // on which it ended
}

func newRecords(s *Sheet, from io.Reader, comma rune) *records {
	r := &records{sheet: s, gate: &gate{from: from}}
	r.csv = csv.NewReader(r.gate)
	r.csv.Comma, r.csv.FieldsPerRecord = comma, -1
	r.csv.LazyQuotes, r.csv.ReuseRecord = true, true // exports hold quotation marks as they come
	return r
}

func (r *records) close() error { return nil }

// next reads a record. A line break within quotation marks makes no new row,
// an empty line does: as in a spreadsheet.
func (r *records) next(row *Row) error {
	r.gate.open()
	fields, err := r.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, errRecord):
		return rule.Refuse("FM005", r.sheet.place(r.number+1), "a row of more than 1 MiB: is a quotation mark never closed?")
	case err != nil:
		return rule.Refuse("FM001", r.sheet.place(r.number+1), "not readable as CSV")
	}
	first, _ := r.csv.FieldPos(0)
	last, _ := r.csv.FieldPos(len(fields) - 1)
	r.number += first - r.line
	r.line = last + strings.Count(fields[len(fields)-1], "\n")
	row.Number = r.number
	if len(fields) > r.sheet.book.limits.Columns && len(strings.TrimSpace(strings.Join(fields[r.sheet.book.limits.Columns:], ""))) == 0 {
		fields = fields[:r.sheet.book.limits.Columns]
	}
	for i, f := range fields {
		if i > r.sheet.book.limits.Columns {
			break
		}
		row.Cells = append(row.Cells, Cell{Text: trim(f)})
	}
	return nil
}

var errRecord = errors.New("record too long")

// gate stops the reading of one record that goes on for too long, before it is
// in memory.
type gate struct {
	from io.Reader
	left int
}

func (g *gate) open() { g.left = maxRecordBytes }

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errRecord
	}
	n, err := g.from.Read(p)
	g.left -= n
	return n, err
}
