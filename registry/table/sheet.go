package table

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/raresync/raresync/registry/rule"
)

// sheetRows reads the rows of one sheet of a workbook.
type sheetRows struct {
	book  *workbook
	sheet *Sheet
	part  string
	from  io.ReadCloser
	scan  *scanner
	row   int // number of the last row
	text  []byte
}

func (w *workbook) rows(sheet *Sheet, part string) (source, error) {
	from, err := w.archive.part(part)
	if err != nil {
		return nil, err
	}
	return &sheetRows{book: w, sheet: sheet, part: part, from: from, scan: newScanner(from)}, nil
}

func (r *sheetRows) close() error { return r.from.Close() }

// next reads the next row that is written down. The part is read to its end, so
// that one that was cut off is noticed.
func (r *sheetRows) next(row *Row) error {
	for {
		switch err := r.scan.next(); {
		case errors.Is(err, io.EOF):
			if err := r.from.Close(); err != nil {
				return r.book.archive.damaged(r.part, err)
			}
			return io.EOF
		case err != nil:
			return r.book.archive.damaged(r.part, err)
		}
		if r.scan.kind != tokenStart || string(r.scan.name) != "row" {
			continue
		}
		if err := r.number(row); err != nil {
			return err
		}
		if err := r.cells(row); err != nil {
			return r.book.archive.damaged(r.part, err)
		}
		return nil
	}
}

// number reads which row it is: a number that grows, within the limit, before
// anything is made for it.
func (r *sheetRows) number(row *Row) error {
	n := r.row + 1
	if ref := r.scan.attr("r"); ref != nil {
		var err error
		if n, err = strconv.Atoi(string(ref)); err != nil || n <= r.row {
			return rule.Refuse("FM007", r.sheet.place(0), "rows that are out of order")
		}
	}
	if most := r.sheet.book.limits.Rows; n > most {
		return rule.Refuse("FM005", r.sheet.place(0), tooMany("rows", most))
	}
	r.row, row.Number = n, n
	return nil
}

// cells reads the cells up to the end of the row.
func (r *sheetRows) cells(row *Row) error {
	last := 0
	for {
		if err := r.scan.next(); err != nil {
			return err
		}
		switch {
		case r.scan.kind == tokenEnd:
			return nil
		case r.scan.kind == tokenText:
			continue
		case string(r.scan.name) != "c":
			if err := r.scan.skip(); err != nil {
				return err
			}
			continue
		}
		column := last + 1
		if ref := r.scan.attr("r"); ref != nil {
			column = columnOf(ref)
		}
		if column <= last || column > maxSheetColumns {
			return rule.Refuse("FM007", r.sheet.place(row.Number), "cells that are out of order")
		}
		last = column
		cell, err := r.cell()
		if err != nil {
			return r.explain(err, row.Number, column)
		}
		if cell == (Cell{}) {
			continue // a sheet may be coloured to its last column
		}
		if most := r.sheet.book.limits.Columns; column > most {
			return rule.Refuse("FM005", r.sheet.place(row.Number), tooMany("columns", most))
		}
		for len(row.Cells) < column-1 {
			row.Cells = append(row.Cells, Cell{})
		}
		row.Cells = append(row.Cells, cell)
	}
}

var errCell = errors.New("damaged cell")

// explain says in which cell something is wrong.
func (r *sheetRows) explain(err error, row, column int) error {
	if !errors.Is(err, errCell) {
		return err
	}
	at := Place{File: r.sheet.book.name, Sheet: r.sheet.Name, Row: row, Column: column}
	return rule.Refuse("FM007", at.String(), err.Error())
}

// cell reads the cell that was opened last.
func (r *sheetRows) cell() (Cell, error) {
	kind, style := string(r.scan.attr("t")), -1
	if s := r.scan.attr("s"); s != nil {
		style, _ = strconv.Atoi(string(s))
	}
	value, inline, formula := false, false, false
	r.text = r.text[:0]
	for depth := 1; depth > 0; {
		if err := r.scan.next(); err != nil {
			return Cell{}, err
		}
		switch r.scan.kind {
		case tokenStart:
			switch string(r.scan.name) {
			case "v":
				value = true
			case "is":
				var err error
				if r.text, err = richText(r.scan, r.text, r.sheet.book.limits.CellBytes); err != nil {
					return Cell{}, err
				}
				inline = true
				continue
			default:
				formula = formula || string(r.scan.name) == "f"
				if err := r.scan.skip(); err != nil {
					return Cell{}, err
				}
				continue
			}
			depth++
		case tokenEnd:
			depth--
		case tokenText:
			if depth == 2 && value {
				var err error
				if r.text, err = r.scan.appendText(r.text); err != nil {
					return Cell{}, err
				}
				if len(r.text) > r.sheet.book.limits.CellBytes {
					return Cell{}, errLong
				}
			}
		}
	}
	if formula && !value && !inline {
		return Cell{Kind: Fault}, nil // saved by a program that does not compute
	}
	if inline {
		kind = "inlineStr"
	}
	return r.valued(kind, style)
}

// valued makes a cell of its kind, style and value.
func (r *sheetRows) valued(kind string, style int) (Cell, error) {
	if len(r.text) == 0 {
		return Cell{}, nil
	}
	switch kind {
	case "s":
		n, err := strconv.Atoi(string(r.text))
		text, ok := r.book.shared.text(n)
		if err != nil || !ok {
			return Cell{}, fmt.Errorf("%w: it refers to a text that is not there", errCell)
		}
		return Cell{Text: trim(text)}, nil
	case "str", "inlineStr":
		if r.text = unescapeCell(r.text, 0); !utf8.Valid(r.text) {
			return Cell{}, fmt.Errorf("%w: not UTF-8", errCell)
		}
		return Cell{Text: trim(string(r.text))}, nil
	case "b":
		return Cell{Text: map[bool]string{true: "TRUE", false: "FALSE"}[string(r.text) == "1"]}, nil
	case "e":
		return Cell{Kind: Fault}, nil
	case "d":
		return Cell{Text: trim(string(r.text[:min(len(r.text), 10)])), Kind: Date}, nil
	}
	n, err := strconv.ParseFloat(string(r.text), 64)
	if err != nil {
		return Cell{}, fmt.Errorf("%w: no number", errCell)
	}
	if r.book.formats.date(style) {
		if day, ok := SerialDate(n, r.book.from04); ok {
			return Cell{Text: day, Kind: Date}, nil
		}
	}
	if n == float64(int64(n)) && n > -1e15 && n < 1e15 {
		return Cell{Text: strconv.FormatInt(int64(n), 10), Kind: Number}, nil // not 1E5
	}
	return Cell{Text: string(r.text), Kind: Number}, nil
}
