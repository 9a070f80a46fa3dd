package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// diseases reads all diagnoses of the rows, the registered one first.
func (b *builder) diseases() (all []disease) {
	for _, row := range b.rows {
		for _, columns := range b.layout.diagnoses {
			d := diagnosisCells{b, row, columns}
			for _, one := range d.read() {
				if !slices.ContainsFunc(all, func(have disease) bool { return same(have, one) }) {
					all = append(all, one)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y disease) int { return order(x) - order(y) })
	return all
}

func order(d disease) int {
	if d.excluded {
		return 1
	}
	return 0
}

func same(a, b disease) bool {
	return a.name == b.name && a.excluded == b.excluded && slices.Equal(a.codes, b.codes)
}

// diagnosisCells are the cells of one diagnosis in one row.
type diagnosisCells struct {
	*builder
	row     table.Row
	columns diagnosisColumns
}

// cell returns the text of a column, and keeps its place for findings.
func (d diagnosisCells) text(key string, column int) string {
	if column < 0 || d.isMissing(key, d.row.Cell(column)) {
		return ""
	}
	at := table.Place{File: d.file, Sheet: d.Sheet, Row: d.row.Number, Column: column + 1, Head: d.head(column)}
	if _, ok := d.places["disease"]; !ok {
		d.places["disease"] = at
	}
	d.places[key] = at
	return d.row.Cell(column).Text
}

// read returns the diagnoses of the cells. Names and codes that stand in
// columns side by side are taken together if there are as many; one name with
// several codes of one column has them all.
func (d diagnosisCells) read() (all []disease) {
	for _, part := range d.profile.split(d.text("disease", d.columns.name)) {
		all = append(all, d.profile.diagnosis(part))
	}
	for _, column := range []struct {
		key    string
		column int
		read   func(string) (string, bool)
	}{
		{"list_number", d.columns.list, listCode}, {"orpha", d.columns.orpha, prefixed("ORPHA")},
		{"omim", d.columns.omim, prefixed("OMIM")}, {"code", d.columns.code, readCode}, {"icd10", d.columns.icd10, readCode},
	} {
		text := d.text(column.key, column.column)
		parts := nonEmpty(codeMarks(text))
		if len(parts) == 0 {
			continue
		}
		codes := d.codes(column.key, parts, column.read)
		switch {
		case len(all) == 0:
			for _, code := range codes {
				all = append(all, disease{codes: []string{code}})
			}
		case len(all) == 1:
			all[0].codes = append(all[0].codes, codes...)
		case len(codes) == len(all):
			for i, code := range codes {
				all[i].codes = append(all[i].codes, code)
			}
		default:
			d.find("DX004", column.key, fmt.Sprintf("%d diagnoses and %d codes: which belongs to which?", len(all), len(codes)))
		}
	}
	standing := wordKey(d.text("standing", d.columns.standing))
	for i := range all {
		all[i].codes = distinct(all[i].codes)
		all[i].excluded = standing != "" && slices.ContainsFunc(d.columns.of.Excluded, func(w string) bool { return wordKey(w) == standing })
	}
	return all
}

func codeMarks(text string) []string { return featureMarks.Split(halfWidth(text), -1) }

// codes reads the codes of a cell, and refuses what is none.
func (d diagnosisCells) codes(key string, parts []string, read func(string) (string, bool)) (codes []string) {
	for _, part := range parts {
		code, ok := read(part)
		if !ok {
			d.find("DX004", key, rule.Mask(part))
			continue
		}
		codes = append(codes, code)
	}
	return codes
}

// prefixed reads a code that may lack its system's name.
func prefixed(system string) func(string) (string, bool) {
	return func(text string) (string, bool) {
		if text = wordKey(text); isDigits(text) {
			text = system + ":" + text
		}
		code, ok := readCode(text)
		return code, ok && strings.HasPrefix(code, system)
	}
}

func distinct(codes []string) (out []string) {
	for _, c := range codes {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// diseaseTexts are the cells of names of diseases, and diseasePlace where each
// stands.
func (b *builder) diseaseTexts() (texts []string) {
	for _, row := range b.rows {
		for _, d := range b.layout.diagnoses {
			texts = append(texts, row.Cell(d.name).Text)
		}
	}
	return texts
}

func (b *builder) diseasePlace(i int) table.Place {
	row := b.rows[i/len(b.layout.diagnoses)]
	column := b.layout.diagnoses[i%len(b.layout.diagnoses)].name
	return table.Place{File: b.file, Sheet: b.Sheet, Row: row.Number, Column: column + 1, Head: b.head(column)}
}
