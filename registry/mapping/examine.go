package mapping

import (
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/table"
)

// An Effect tells what a profile makes of one column of a table.
type Effect struct {
	Heading string
	// Field is the field it goes to, "diagnosis", "identifying", or "" for a
	// column that is not read.
	Field  string
	Filled int // rows in which the column says something
	// Unknown are the first cells with a word that has no meaning in the field,
	// a date that is none, or a disease that is not in the lists.
	Unknown []table.Place
	count   int
}

// UnknownCount returns how many cells are not understood.
func (e Effect) UnknownCount() int { return e.count }

// A Near is a disease of a table that the lists do not have, with rows whose
// name holds a part of it: for a person to choose from, never for a program.
type Near struct {
	Place table.Place
	Refs  []string // as "1.27 法布雷病"
}

// maxShown is how many cells and how many diseases an examination names.
const maxShown = 5

// Examine reads a table and tells what becomes of each column. It shows no
// cell's content.
func (p *Profile) Examine(name string, book *table.Book) (effects []Effect, nears []Near, err error) {
	r := p.Reader(name, book)
	for _, s := range r.sheets() {
		x := &examination{Reader: r, sheet: s}
		if err := x.read(); err != nil {
			return nil, nil, err
		}
		if x.layout != nil {
			effects, nears = append(effects, x.effects...), append(nears, x.nears...)
		}
	}
	return effects, nears, nil
}

type examination struct {
	*Reader
	sheet   *table.Sheet
	layout  *layout
	effects []Effect
	nears   []Near
}

func (x *examination) read() error {
	rows, err := x.sheet.Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	looked := 0
	for row := range rows.All() {
		if x.layout != nil {
			x.row(row)
			continue
		}
		if looked++; looked > headRows {
			break
		}
		if l := x.profile.lay(row); l.fits() {
			x.layout = l
			x.columns()
		}
	}
	return rows.Err()
}

// columns begins the list of effects with where each column goes.
func (x *examination) columns() {
	for i, heading := range x.layout.heads {
		x.effects = append(x.effects, Effect{Heading: heading, Field: x.layout.fieldAt(i)})
	}
}

// fieldAt returns what a column is read as.
func (l *layout) fieldAt(column int) string {
	for _, key := range Keys() {
		if i, ok := l.columns[key]; ok && i == column {
			return key
		}
	}
	switch {
	case slices.Contains(l.identifying, column):
		return "identifying"
	case l.used()[column]:
		return "diagnosis"
	}
	return ""
}

func (x *examination) row(row table.Row) {
	b := &builder{profile: x.profile, missing: x.missing, rows: []table.Row{row}}
	b.file, b.Sheet, b.layout, b.places, b.Rows = x.name, x.sheet.Name, x.layout, map[string]table.Place{}, []int{row.Number}
	_ = b.person()
	_ = b.extra()
	_ = b.onset()
	_ = b.features()
	_ = b.interpretations(nil, object{})
	_ = b.document()
	b.diseases()
	for i := range x.effects {
		if c := row.Cell(i); c.Text != "" && !b.isMissing(x.effects[i].Field, c) {
			x.effects[i].Filled++
		}
	}
	for _, f := range merge(b.Findings) {
		if i := f.Place.Column - 1; i >= 0 && i < len(x.effects) {
			x.effects[i].add(f.Place)
		}
	}
	for _, c := range x.layout.diagnoses {
		x.unlisted(b, row, c)
	}
}

func merge(findings []Finding) (out []Finding) {
	for _, f := range findings {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func (e *Effect) add(at table.Place) {
	if e.count++; len(e.Unknown) < maxShown {
		e.Unknown = append(e.Unknown, at)
	}
}

// like returns the rows of the lists of which a name holds the text, or is held
// by it.
func like(text string) (refs []string) {
	rows := catalog.Current().Search(text)
	for _, d := range catalog.Current().All() {
		holds := func(name string) bool { return len(name) > 5 && strings.Contains(wordKey(text), wordKey(name)) }
		if slices.ContainsFunc(slices.Concat(d.ZH, d.EN), holds) {
			rows = append(rows, &d)
		}
	}
	for _, d := range rows[:min(len(rows), maxShown)] {
		refs = append(refs, d.Ref()+" "+slices.Concat(d.ZH, d.EN)[0])
	}
	return refs
}

// unlisted notes a name that the lists do not have.
func (x *examination) unlisted(b *builder, row table.Row, c diagnosisColumns) {
	d := diagnosisCells{b, row, c}
	text := d.text("disease", c.name)
	for _, part := range x.profile.split(text) {
		one := x.profile.diagnosis(part)
		if one.listed(catalog.Current()) || len(one.codes) > 0 {
			continue
		}
		at := table.Place{File: x.name, Sheet: x.sheet.Name, Row: row.Number, Column: c.name + 1, Head: b.head(c.name)}
		x.effects[c.name].add(at)
		if len(x.nears) >= maxShown*4 {
			continue
		}
		if near := (Near{at, like(one.name)}); len(near.Refs) > 0 {
			x.nears = append(x.nears, near)
		}
	}
}
