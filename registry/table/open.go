package table

import (
	"bytes"
	"fmt"

	"github.com/raresync/raresync/registry/rule"
)

// Limits bound what a file may hold. A field of zero is its default.
type Limits struct {
	Bytes         int64 // of the file; default 64 MiB
	UnpackedBytes int64 // of all parts of an archive that are read; default 512 MiB
	TextBytes     int64 // of all cells together, each as often as it stands; default 512 MiB
	SharedBytes   int   // of the texts that an XLSX file keeps apart; default 64 MiB
	Rows          int   // of one sheet; default 1,048,576
	Columns       int   // of one row, up to the last that is not empty; default 1,024
	CellBytes     int   // of one cell; default 65,536
	Ratio         int   // how much larger than packed a part of over a MiB may be; default 400
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Bytes, 64 << 20}, {&l.UnpackedBytes, 512 << 20}, {&l.TextBytes, 512 << 20}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	for _, f := range []struct {
		field *int
		value int
	}{{&l.SharedBytes, 64 << 20}, {&l.Rows, 1 << 20}, {&l.Columns, 1 << 10}, {&l.CellBytes, 1 << 16}, {&l.Ratio, 400}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// MaxBytes is the largest file that Open takes with the default limits.
const MaxBytes = 64 << 20

// A Format is what a file was found to be.
type Format string

// The formats.
const (
	CSV  Format = "csv" // also with tabs or semicolons
	XLSX Format = "xlsx"
)

// A Book is an opened file. It keeps the bytes it was opened with.
type Book struct {
	Format Format
	// Encoding names that of a CSV file, as "GB18030"; "" for XLSX.
	Encoding string

	name   string
	limits Limits
	sheets []*Sheet
	read   budget // of all sheets together
}

// A Sheet is one table of a book.
type Sheet struct {
	Name   string // "" in a CSV file
	Hidden bool   // from the person who opens the file

	book *Book
	open func(*Sheet) (source, error)
}

// Sheets returns the sheets in their order.
func (b *Book) Sheets() []*Sheet { return b.sheets }

// Is reports whether raw begins as a table would, and not as JSON does: a
// caller that takes both asks before it chooses a reader.
func Is(raw []byte) bool {
	if bytes.HasPrefix(raw, []byte(zipMagic)) || strange(raw) != "" {
		return true
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\ufeff")), " \t\r\n")
	return len(text) > 0 && text[0] != '{' && text[0] != '['
}

// Open finds out what a file is and reads what is needed to begin: of CSV the
// encoding and the separator, of XLSX the list of sheets. name is the file's
// name as it may appear in findings.
//
// The error is a *rule.Refusal: FM005 for a file above a limit, FM001 for text
// in no encoding that is read, with the byte and row of the first that is not,
// FM007 for what is no table of these formats or a damaged one.
func Open(name string, raw []byte, limits Limits) (*Book, error) {
	b := &Book{name: name, limits: limits.orDefault()}
	b.read = budget{text: b.limits.TextBytes}
	if int64(len(raw)) > b.limits.Bytes {
		return nil, rule.Refuse("FM005", name, fmt.Sprintf("file larger than %d bytes", b.limits.Bytes))
	}
	if what := strange(raw); what != "" {
		return nil, rule.Refuse("FM007", name, what)
	}
	if bytes.HasPrefix(raw, []byte(zipMagic)) {
		b.Format = XLSX
		return b, b.openWorkbook(raw)
	}
	b.Format = CSV
	return b, b.openText(raw)
}

// budget counts down what may still be read.
type budget struct{ text int64 }

// place names a row of a sheet for findings about the row as a whole.
func (s *Sheet) place(row int) string {
	return Place{File: s.book.name, Sheet: s.Name, Row: row}.String()
}
