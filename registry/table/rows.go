package table

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// A Kind says what a spreadsheet holds a cell to be. All cells of a CSV file
// are Text.
type Kind uint8

// The kinds.
const (
	Text   Kind = iota
	Number      // kept with at most 15 significant digits
	Date        // a number that is shown as a date; Text is YYYY-MM-DD
	Fault       // an error such as #REF!, or a formula that was never computed
)

// A Cell is one value of a row. Text has no space around it.
type Cell struct {
	Text string
	Kind Kind
}

// A Row is one row that is not empty. Cells end with the last that is not
// empty in an XLSX file; in a CSV file they are as many as the row has. They
// belong to the reader, which uses them again for the next row.
type Row struct {
	Number int // as a spreadsheet shows it, from 1
	Cells  []Cell
}

// Cell returns the cell of a column, from 0: an empty one beyond the last.
func (r Row) Cell(column int) Cell {
	if column < 0 || column >= len(r.Cells) {
		return Cell{}
	}
	return r.Cells[column]
}

// Empty reports whether no cell holds anything.
func (r Row) Empty() bool {
	for _, c := range r.Cells {
		if c.Text != "" || c.Kind == Fault {
			return false
		}
	}
	return true
}

// source gives the rows of one sheet; io.EOF ends them.
type source interface {
	next(*Row) error
	close() error
}

// Rows gives the rows of one sheet, one after the other.
type Rows struct {
	sheet *Sheet
	from  source
	row   Row
	err   error
}

// Rows begins to read the sheet.
func (s *Sheet) Rows() (*Rows, error) {
	from, err := s.open(s)
	if err != nil {
		return nil, err
	}
	return &Rows{sheet: s, from: from}, nil
}

// All gives every row that is not empty, in order. A loop may end early; then
// [Rows.Close] is needed.
func (r *Rows) All() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for r.next() {
			if !yield(r.row) {
				return
			}
		}
	}
}

func (r *Rows) next() bool {
	for r.err == nil {
		r.row.Cells = r.row.Cells[:0]
		if r.err = r.from.next(&r.row); r.err == nil {
			r.err = r.check()
		}
		if r.err != nil {
			return false
		}
		if !r.row.Empty() {
			return true
		}
	}
	return false
}

// check holds a row against the limits that every format has.
func (r *Rows) check() error {
	limits := r.sheet.book.limits
	if r.row.Number > limits.Rows {
		return rule.Refuse("FM005", r.sheet.place(r.row.Number), tooMany("rows", limits.Rows))
	}
	if len(r.row.Cells) > limits.Columns {
		return rule.Refuse("FM005", r.sheet.place(r.row.Number), tooMany("columns", limits.Columns))
	}
	for i, c := range r.row.Cells {
		if len(c.Text) > limits.CellBytes {
			at := Place{File: r.sheet.book.name, Sheet: r.sheet.Name, Row: r.row.Number, Column: i + 1}
			return rule.Refuse("FM005", at.String(), tooMany("bytes in a cell", limits.CellBytes))
		}
		r.sheet.book.read.text -= int64(len(c.Text))
	}
	if r.sheet.book.read.text < 0 {
		return rule.Refuse("FM005", r.sheet.place(r.row.Number), fmt.Sprintf("more than %d bytes of text", limits.TextBytes))
	}
	return nil
}

// Err returns what ended the rows before their end: a *rule.Refusal with
// FM001, FM005 or FM007.
func (r *Rows) Err() error {
	if r.err == io.EOF {
		return nil
	}
	return r.err
}

// Close gives up what is left of the rows. It is not needed after the last.
func (r *Rows) Close() error {
	r.err = io.EOF
	return r.from.close()
}

// trim takes away the space around a cell's text: also the wide one, and the
// apostrophe that tells a spreadsheet to keep a number as text.
func trim(s string) string {
	if s == "" {
		return s
	}
	first, last := s[0], s[len(s)-1]
	if first > ' ' && first < 0x7f && first != '\'' && last > ' ' && last < 0x7f {
		return s // as nearly every cell
	}
	s = strings.Trim(s, " \t\r\n\v\f\u00a0\u3000\ufeff\u200b")
	if rest, ok := strings.CutPrefix(s, "'"); ok && rest != "" && !strings.Contains(rest, "'") {
		s = rest
	}
	return s
}
