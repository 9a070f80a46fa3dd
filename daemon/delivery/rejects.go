package delivery

import (
	"fmt"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/archive"
	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// Rejects collects the refused rows of one table.
type Rejects struct {
	Count int // rows

	table *Table
	why   map[string]map[int][]mapping.Finding // by sheet and row
}

// NewRejects returns the rejects of a table, none yet.
func NewRejects(t *Table) *Rejects {
	return &Rejects{table: t, why: map[string]map[int][]mapping.Finding{}}
}

// Add takes the rows of a refused patient. Each says what is wrong with it, the
// first of several also what is wrong with all.
func (r *Rejects) Add(p mapping.Patient, findings []mapping.Finding) {
	if r.why[p.Sheet] == nil {
		r.why[p.Sheet] = map[int][]mapping.Finding{}
	}
	for _, row := range p.Rows {
		r.why[p.Sheet][row] = []mapping.Finding{}
		r.Count++
	}
	for _, f := range findings {
		if f.Severity != rule.E {
			continue
		}
		row := f.Place.Row
		if r.why[p.Sheet][row] == nil {
			row = p.Rows[0]
		}
		r.why[p.Sheet][row] = append(r.why[p.Sheet][row], f)
	}
}

// A RejectFile holds what was refused, to be mended and handed in again: the rows
// of one sheet as CSV, with the row's number before and what is to be mended in
// front of the row's own cells; the refused patients of FHIR as a Bundle; or an
// archive of those and of phenopackets.
type RejectFile struct {
	Sheet string // "" if no other sheet has refused rows
	Data  []byte
}

// Ending is that of the name of a file with what was refused: ".csv", ".json" or
// ".zip".
func Ending(data []byte) string {
	switch {
	case archive.Is(data):
		return ".zip"
	case fhir.Is(data):
		return ".json"
	}
	return ".csv"
}

// Files writes the refused rows, a file for each sheet that has some, with what is
// to be mended in a language. Unless withIDs, document numbers, names and
// telephones are masked.
func (r *Rejects) Files(lang string, withIDs bool) (files []RejectFile, err error) {
	for _, sheet := range r.table.Book.Sheets() {
		if len(r.why[sheet.Name]) == 0 {
			continue
		}
		f := RejectFile{}
		if len(r.why) > 1 {
			f.Sheet = sheet.Name
		}
		if f.Data, err = r.sheet(sheet, lang, withIDs); err != nil {
			return nil, fmt.Errorf("write refused rows: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}

func (r *Rejects) sheet(sheet *table.Sheet, lang string, withIDs bool) ([]byte, error) {
	why := r.why[sheet.Name]
	wanted := map[int]bool{}
	for row := range why {
		wanted[row] = true
	}
	heads, rows, err := r.table.Profile.Refused(sheet, wanted, withIDs)
	if err != nil {
		return nil, err
	}
	lines := [][]string{slices.Concat([]string{say(lang, "row before", "原行号"), say(lang, "what to mend", "需修改")}, heads)}
	for _, row := range rows {
		var texts []string
		for _, f := range why[row.Number] {
			texts = append(texts, toMend(f, lang))
		}
		lines = append(lines, slices.Concat([]string{fmt.Sprint(row.Number), strings.Join(texts, "; ")}, row.Cells))
	}
	return table.Write(lines), nil
}

func toMend(f mapping.Finding, lang string) string {
	what, todo := rule.Text(f.Code, lang)
	text := strings.TrimSpace(f.Place.Head + " " + f.Code + " " + what + todo)
	if f.Detail != "" {
		text += " (" + rule.Detail(f.Detail, lang) + ")"
	}
	return text
}
