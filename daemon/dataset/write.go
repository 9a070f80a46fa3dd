package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/phenopacket"
)

// ErrForm reports a form of data that is not one of [Forms].
var ErrForm = errors.New("no such form of data")

// Forms are the forms in which a set can be written.
func Forms() []string { return []string{"csv", "ndjson", "parquet", "fhir", "phenopackets"} }

// Files are the names of the files that a form has.
func Files(form string) []string {
	switch form {
	case "csv", "ndjson", "parquet":
		return []string{"registrations." + form}
	case "fhir":
		var files []string
		for _, kind := range fhirFiles() {
			files = append(files, kind.file)
		}
		return files
	case "phenopackets":
		return []string{"phenopackets.ndjson"}
	}
	return nil
}

// own are the columns that no table of a hospital has.
var own = []string{"index", "person", "hospital", "hospital_name", "hospital_province", "log_day"}

// genetic are the columns that say something genetic.
var genetic = []string{"test_type", "test_result", "test_date", "test_lab", "gene", "hgvs_c", "hgvs_p", "hgvs_g", "zygosity", "acmg"}

// Columns are the names of a set's columns, in their order.
func Columns(genetics bool) []string {
	names := append(slices.Clone(own), mapping.CellKeys()...)
	if !genetics {
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(genetic, n) })
	}
	return names
}

// cells says a row by column, in the words of the template.
func (s *Set) cells(r *Row) map[string]string {
	out := mapping.Cells(r.Case, r.Genetics)
	h := s.of(r.Hospital)
	for i, v := range []string{strconv.FormatUint(r.Index, 10), r.Person, strconv.FormatUint(uint64(r.Hospital), 10), h.Name, h.Province, r.Day} {
		out[own[i]] = v
	}
	return out
}

// Write writes one of the files of a form.
func (s *Set) Write(form, file string, w io.Writer) error {
	var err error
	switch {
	case !slices.Contains(Files(form), file):
		err = fmt.Errorf("%w: %q", ErrForm, form)
	case form == "csv":
		err = s.lines(w, s.csv)
	case form == "ndjson":
		err = s.lines(w, s.ndjson)
	case form == "parquet":
		err = s.parquet(w)
	case form == "phenopackets":
		err = s.lines(w, s.phenopackets)
	default:
		err = s.lines(w, func(b *bufio.Writer) error { return s.fhir(b, file) })
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

func (s *Set) lines(w io.Writer, f func(*bufio.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(f(b), b.Flush())
}

// csv writes a table for Excel: UTF-8 with its mark, CR LF, no formula.
func (s *Set) csv(b *bufio.Writer) error {
	columns := Columns(s.Genetics)
	b.WriteString("\ufeff")
	line := func(cell func(column string) string) error {
		for i, c := range columns {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(report.CSVCell(cell(c)))
		}
		_, err := b.WriteString("\r\n")
		return err
	}
	if err := line(func(c string) string { return c }); err != nil {
		return err
	}
	for i := range s.Rows {
		cells := s.cells(&s.Rows[i])
		if err := line(func(c string) string { return cells[c] }); err != nil {
			return err
		}
	}
	return nil
}

// numbers are the columns that are numbers in JSON and Parquet.
func isNumber(column string) bool { return column == "index" || column == "hospital" }

// ndjson writes an object on each line, all columns in their order.
func (s *Set) ndjson(b *bufio.Writer) error {
	columns := Columns(s.Genetics)
	var text []byte
	for i := range s.Rows {
		cells := s.cells(&s.Rows[i])
		text = append(text[:0], '{')
		for i, c := range columns {
			if i > 0 {
				text = append(text, ',')
			}
			text = append(jsontree.AppendText(text, c), ':')
			switch v := cells[c]; {
			case isNumber(c):
				text = append(text, v...)
			case v == "":
				text = append(text, "null"...)
			default:
				text = jsontree.AppendText(text, v)
			}
		}
		if _, err := b.Write(append(text, '}', '\n')); err != nil {
			return err
		}
	}
	return nil
}

// name is what a patient is called in documents.
func (r *Row) name() string {
	if r.Person == "" {
		return "entry-" + strconv.FormatUint(r.Index, 10)
	}
	return r.Person
}

// phenopackets writes a phenopacket on each line.
func (s *Set) phenopackets(b *bufio.Writer) error {
	var line bytes.Buffer
	for i := range s.Rows {
		r := &s.Rows[i]
		packet, err := phenopacket.Write(r.Case, r.Genetics, r.name(), r.Parts...)
		if err != nil {
			return fmt.Errorf("entry %d: %w", r.Index, err)
		}
		line.Reset()
		if err := json.Compact(&line, packet); err != nil {
			return fmt.Errorf("entry %d: %w", r.Index, err)
		}
		line.WriteByte('\n')
		if _, err := b.Write(line.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
