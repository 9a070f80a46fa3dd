package mapping

import (
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// A Finding is what a rule says about a table, with its place.
type Finding struct {
	rule.Finding
	Place table.Place
}

func found(code string, at table.Place, detail string) Finding {
	return Finding{rule.Find(code, at.String(), detail), at}
}

// Refuses reports whether any of the findings does.
func Refuses(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == rule.E })
}

// Counts say what became of the rows of a table.
type Counts struct {
	Rows   int // that hold anything, below the headings
	Passed int // without a disease of the lists, or of a patient and disease that came before
}

// A Reader reads the patients of a table.
type Reader struct {
	// Findings are those about the table as a whole, complete after the last
	// patient: FM002 for headings that are missing or stand twice, FM004, FM008.
	Findings []Finding
	Counts   Counts

	name    string
	book    *table.Book
	profile *Profile
	missing map[string]bool
	once    map[string]bool
	read    int // sheets
	err     error
}

// Reader returns a reader of a table by this profile. name is the file's name
// as it may appear in findings.
func (p *Profile) Reader(name string, book *table.Book) *Reader {
	r := &Reader{name: name, book: book, profile: p, missing: map[string]bool{}, once: map[string]bool{}}
	for _, word := range p.Missing {
		r.missing[wordKey(word)] = true
	}
	return r
}

// Err returns what ended the reading early: a *rule.Refusal of package table.
func (r *Reader) Err() error { return r.err }

// All gives the patients of all sheets with the profile's headings, in order.
// Those with a finding that refuses are given, too.
func (r *Reader) All() iter.Seq[Patient] {
	return func(yield func(Patient) bool) {
		var best *layout
		for _, sheet := range r.sheets() {
			l, more := r.sheet(sheet, yield)
			if r.err != nil || !more {
				return
			}
			if best == nil || l != nil && len(l.used()) > len(best.used()) {
				best = l
			}
		}
		if r.read == 0 {
			r.without(best)
		}
	}
}

// sheets are those to look at: the one that the profile names, or all that a
// person sees.
func (r *Reader) sheets() (sheets []*table.Sheet) {
	for _, s := range r.book.Sheets() {
		if r.profile.Sheet == "" && !s.Hidden || r.profile.Sheet != "" && s.Name == r.profile.Sheet {
			sheets = append(sheets, s)
		}
	}
	return sheets
}

// unnamed is said of a profile that was begun and not finished.
const unnamed = "the profile leaves a heading empty: that of the record number, the document number or the diagnosis"

// without refuses a table in which no sheet has the headings.
func (r *Reader) without(best *layout) {
	if best == nil {
		best = &layout{}
	}
	names := r.profile.missing(best)
	detail := "no heading " + strings.Join(names, ", ")
	switch {
	case len(r.sheets()) == 0:
		detail = "no sheet " + r.profile.Sheet
	case slices.Contains(names, ""):
		detail = unnamed
	}
	r.Findings = append(r.Findings, found("FM002", table.Place{File: r.name}, detail))
}

// sheet reads one sheet. more is false if the caller has enough.
func (r *Reader) sheet(s *table.Sheet, yield func(Patient) bool) (l *layout, more bool) {
	rows, err := s.Rows()
	if err != nil {
		r.err = err
		return nil, false
	}
	defer rows.Close()
	t := &tableRows{reader: r, sheet: s, yield: yield}
	looked := 0
	for row := range rows.All() {
		if t.layout == nil {
			if looked++; looked > headRows {
				break
			}
			if l = r.head(s, row, l); l == nil || !l.fits() {
				continue
			}
			if t.layout = l; !r.headed(s, l) {
				return l, true
			}
			continue
		}
		if !t.take(row) {
			return l, false
		}
	}
	if err := rows.Err(); err != nil {
		r.err = err
		return l, false
	}
	switch {
	case t.layout != nil:
		return l, t.end()
	case looked > 0 && len(r.sheets()) > 1 && !ownSheet(s.Name):
		at := table.Place{File: r.name, Sheet: s.Name}
		r.Findings = append(r.Findings, found("FM008", at, ""))
	}
	return l, true
}

// head returns the better of two layouts: a row may be a title.
func (r *Reader) head(s *table.Sheet, row table.Row, before *layout) *layout {
	l := r.profile.lay(row)
	if before == nil || len(l.used()) > len(before.used()) {
		return l
	}
	return before
}

// headed takes the headings of a sheet that is read, unless one of them stands
// twice.
func (r *Reader) headed(s *table.Sheet, l *layout) bool {
	r.read++
	for _, name := range l.doubled {
		at := table.Place{File: r.name, Sheet: s.Name, Row: l.row, Head: name}
		r.Findings = append(r.Findings, found("FM002", at, "the heading stands twice"))
	}
	return len(l.doubled) == 0
}

// Choose returns the one of several profiles that knows the headings of a
// table, or nil if none or several do.
func Choose(book *table.Book, profiles []*Profile) (*Profile, error) {
	var fit []*Profile
	for _, p := range profiles {
		knows, err := p.knowsBook(book)
		if err != nil {
			return nil, err
		}
		if knows {
			fit = append(fit, p)
		}
	}
	if len(fit) != 1 {
		return nil, nil
	}
	return fit[0], nil
}

func (p *Profile) knowsBook(book *table.Book) (bool, error) {
	for _, s := range book.Sheets() {
		if s.Hidden {
			continue
		}
		rows, err := s.Rows()
		if err != nil {
			return false, err
		}
		looked, knows := 0, false
		for row := range rows.All() {
			if looked++; looked > headRows || p.known(row) {
				knows = looked <= headRows
				break
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || knows {
			return knows, err
		}
	}
	return false, nil
}

// tableRows takes the rows below the headings of one sheet.
type tableRows struct {
	reader *Reader
	sheet  *table.Sheet
	layout *layout
	yield  func(Patient) bool
	held   []table.Row // of one patient, where rows are joined
	total  *table.Row  // looks like the totals, if nothing comes behind it
}

// take takes a row: alone, or to those of its patient before it.
func (t *tableRows) take(row table.Row) bool {
	if t.total != nil {
		late := *t.total
		if t.total = nil; !t.totals(row) && !t.join(late) {
			return false
		}
	}
	if t.totals(row) {
		row.Cells = slices.Clone(row.Cells)
		t.total = &row
		return true
	}
	return t.join(row)
}

// end gives what is left, and says which row was taken for the totals.
func (t *tableRows) end() bool {
	if t.total != nil {
		at := table.Place{File: t.reader.name, Sheet: t.sheet.Name, Row: t.total.Number}
		t.reader.Findings = append(t.reader.Findings, found("FM004", at, ""))
	}
	return t.flush()
}

// totalWords begin rows that sum up or sign a table.
var totalWords = []string{"合计", "总计", "小计", "共计", "总数", "total", "subtotal", "sum", "制表", "填表", "填报", "审核", "打印", "注:", "备注:", "说明:"}

// totals reports whether a row looks like one: it begins with such a word, and
// no patient is in it.
func (t *tableRows) totals(row table.Row) bool {
	for _, key := range []string{"id_number", "record"} {
		if i, ok := t.layout.columns[key]; ok && i > 0 && row.Cell(i).Text != "" && !isSum(row.Cell(i).Text) {
			return false
		}
	}
	for _, c := range row.Cells {
		if c.Text == "" {
			continue
		}
		key := wordKey(c.Text)
		return summary.MatchString(key) || slices.ContainsFunc(totalWords, func(w string) bool { return strings.HasPrefix(key, w) })
	}
	return false
}

// summary is a row's only words: "共 12 例".
var summary = regexp.MustCompile(`^共[0-9]{1,7}[例人条行名份]`)

// isSum reports whether a cell under the document or record numbers counts them: it is
// too short to be one of a table that sums up.
func isSum(s string) bool { return len(s) <= 6 && strings.Trim(s, "0123456789") == "" }

func (t *tableRows) join(row table.Row) bool {
	t.reader.Counts.Rows++
	if !t.reader.profile.Join {
		t.held = append(t.held[:0], row)
		return t.flush()
	}
	i, ok := t.layout.columns["record"]
	if len(t.held) > 0 && (!ok || row.Cell(i).Text == "" || row.Cell(i).Text != t.held[0].Cell(i).Text) && !t.flush() {
		return false
	}
	row.Cells = slices.Clone(row.Cells)
	t.held = append(t.held, row)
	if len(t.held) > maxJoined {
		at := table.Place{File: t.reader.name, Sheet: t.sheet.Name, Row: row.Number}
		t.reader.err = rule.Refuse("FM005", at.String(), fmt.Sprintf("more than %d rows of one patient", maxJoined))
		return false
	}
	return true
}

// maxJoined bounds the rows of one patient.
const maxJoined = 4096

// flush makes a patient of the rows that are held.
func (t *tableRows) flush() bool {
	if len(t.held) == 0 {
		return true
	}
	p, passed := t.reader.patient(t.sheet, t.layout, t.held)
	n := len(t.held)
	t.held = t.held[:0]
	if passed {
		t.reader.Counts.Passed += n
		return true
	}
	return t.yield(p)
}
