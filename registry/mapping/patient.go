package mapping

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// A Patient is one patient of a table: a row, or several. It holds identifiers
// in clear.
type Patient struct {
	Sheet string
	Rows  []int
	// Packet is what the row says as a phenopacket, to be read by package
	// phenopacket like any other.
	Packet []byte
	// Subject is the patient's id in the packet.
	Subject string
	// Document is the patient's; of the zero Document the subject's id is the
	// hospital's own record number.
	Document identity.Document
	// Findings are those of reading the row.
	Findings []Finding

	places map[string]table.Place // by field, of the cells that were read
	layout *layout
	file   string
}

// Locate returns a finding about the packet, whose place is a JSON path, with
// the cell instead. What is wrong with a document stands where its number does.
func (p Patient) Locate(f rule.Finding) Finding {
	at := p.place(f.Where)
	if strings.HasPrefix(f.Code, "ID") && at.Column == 0 && at.Head == "" {
		at = p.at("record")
		if _, ok := p.places["id_number"]; ok {
			at = p.at("id_number")
		}
	}
	f.Where = at.String()
	return Finding{f, at}
}

// At names the patient's first row.
func (p Patient) At() table.Place { return p.at("") }

// place returns where in the table the value stands that is at a JSON path of
// the packet.
func (p Patient) place(path string) table.Place {
	best, long := "", 0
	for i := range fields {
		for _, prefix := range fields[i].paths {
			if len(prefix) > long && strings.HasPrefix(path, prefix) {
				best, long = fields[i].Key, len(prefix)
			}
		}
	}
	return p.at(best)
}

// at returns the place of a field: its cell, or the row with the field's name.
func (p Patient) at(key string) table.Place {
	if at, ok := p.places[key]; ok {
		return at
	}
	at := table.Place{File: p.file, Sheet: p.Sheet, Row: p.Rows[0]}
	if i, ok := p.layout.columns[key]; ok {
		at.Column, at.Head = i+1, p.layout.heads[i]
	} else if f := fieldOf(key); f != nil {
		at.Head = f.Heading.EN
		if p.layout.chinese {
			at.Head = f.Heading.ZH
		}
	}
	return at
}

// builder makes a packet of the rows of one patient.
type builder struct {
	Patient
	profile *Profile
	missing map[string]bool
	rows    []table.Row
	texts   []string // fields that hold what a clerk typed
}

// patient makes the patient of some rows. passed is true for one that the
// profile leaves out.
func (r *Reader) patient(s *table.Sheet, l *layout, rows []table.Row) (p Patient, passed bool) {
	b := &builder{profile: r.profile, missing: r.missing, rows: rows}
	b.file, b.Sheet, b.layout, b.places = r.name, s.Name, l, map[string]table.Place{}
	for _, row := range rows {
		b.Rows = append(b.Rows, row.Number)
		b.checkRow(r.book, row)
	}
	diseases := b.diseases()
	if r.profile.OnlyListed {
		if diseases = listedFirst(diseases); diseases == nil {
			return b.Patient, true
		}
	}
	b.Document = b.document()
	b.subject()
	if r.profile.Once && len(diseases) > 0 && b.Subject != "" {
		key := b.Subject + "\x00" + strings.Join(append(diseases[0].codes, diseases[0].name), "\x00")
		if r.once[key] {
			return b.Patient, true
		}
		r.once[key] = true
	}
	b.packet(diseases)
	b.leaks()
	return b.Patient, false
}

// listedFirst puts the first disease of the national lists in front; nil if
// there is none.
func listedFirst(all []disease) []disease {
	i := slices.IndexFunc(all, func(d disease) bool { return !d.excluded && d.listed(catalog.Current()) })
	if i < 0 {
		return nil
	}
	return slices.Concat(all[i:i+1], all[:i], all[i+1:])
}

// checkRow refuses a row of CSV whose cells may stand in the wrong columns, and
// cells that hold an error.
func (b *builder) checkRow(book *table.Book, row table.Row) {
	at := table.Place{File: b.file, Sheet: b.Sheet, Row: row.Number}
	more := row.Cells[min(len(row.Cells), len(b.layout.heads)):]
	if book.Format == table.CSV && (len(row.Cells) < b.layout.width() || !table.Row{Cells: more}.Empty()) {
		b.Findings = append(b.Findings, found("FM003", at, ""))
	}
	for i := range row.Cells {
		if row.Cells[i].Kind == table.Fault && b.layout.used()[i] {
			at.Column, at.Head = i+1, b.head(i)
			b.Findings = append(b.Findings, found("FM007", at, "a cell that holds an error or a formula without a value"))
		}
	}
}

func (b *builder) head(column int) string {
	if column < len(b.layout.heads) {
		return b.layout.heads[column]
	}
	return ""
}

// find adds a finding about a field.
func (b *builder) find(code, key, detail string) {
	b.Findings = append(b.Findings, found(code, b.at(key), detail))
}

// latest are fields of which the last row of a patient counts.
var latest = []string{"status", "death_date", "death_cause"}

// cell returns what a field says: of several rows the first that says
// anything. ok is false where it is empty or a word for that.
func (b *builder) cell(key string) (cell table.Cell, ok bool) {
	i, there := b.layout.columns[key]
	for _, row := range b.rows {
		if !there {
			break
		}
		c := row.Cell(i)
		if b.isMissing(key, c) {
			continue
		}
		cell, ok = c, true
		b.places[key] = table.Place{File: b.file, Sheet: b.Sheet, Row: row.Number, Column: i + 1, Head: b.head(i)}
		if !slices.Contains(latest, key) {
			break
		}
	}
	if value := b.profile.Fields[key].Value; !ok && value != "" {
		return table.Cell{Text: value}, true
	}
	return cell, ok
}

// isMissing reports whether a cell is empty, or holds a word for that. In a
// field that has a meaning for such a word, it is no such word.
func (b *builder) isMissing(key string, c table.Cell) bool {
	if c.Text == "" {
		return true
	}
	word := wordKey(c.Text)
	if !usualMissing[word] && !b.missing[word] {
		return false
	}
	info := fieldOf(key)
	if _, own := b.profile.Fields[key].Codes[c.Text]; own || info != nil && info.words != nil && info.words.find(c.Text) != "" {
		return false
	}
	return key != "onset" || onsetWords[word] == nil
}

// own returns the word that the profile gives for the system's code, or the
// code as it stands.
func (b *builder) own(key, code string) string {
	f := b.profile.Fields[key]
	if word, ok := f.Codes[code]; ok {
		return word
	}
	for known, word := range f.Codes {
		if wordKey(known) == wordKey(code) {
			return word
		}
	}
	return code
}

// text returns a field of free text.
func (b *builder) text(key string) string {
	c, ok := b.cell(key)
	if !ok {
		return ""
	}
	b.texts = append(b.texts, key)
	return b.own(key, c.Text)
}

// word returns the name of a field's value in a packet. What has no meaning is
// flagged and left out.
func (b *builder) word(key string) string {
	c, ok := b.cell(key)
	if !ok {
		return ""
	}
	words := fieldOf(key).words
	name := words.find(b.own(key, c.Text))
	if key == "province" && name == "" {
		name = provinceOf(c.Text)
	}
	if name == "" {
		b.find("DX003", key, rule.Mask(c.Text)+"; want "+join(words))
	}
	return name
}

// date returns a field's date.
func (b *builder) date(key string) entry.Date {
	c, ok := b.cell(key)
	if !ok {
		return entry.Date{}
	}
	d, sure, ok := parseDate(c)
	if !ok {
		b.find("DT001", key, rule.Mask(c.Text))
	} else if !sure {
		b.find("DT004", key, "day or month? the year alone is taken")
	}
	return d
}

// subject decides under which id the hospital knows the patient: its record
// number, or the document.
func (b *builder) subject() {
	record, ok := b.cell("record")
	switch {
	case ok && record.Kind == table.Number && len(record.Text) > 15:
		b.find("ID004", "record", "number cell")
	case ok:
	case b.Document.Value != "":
		b.Subject = SubjectOf(b.Document)
		return
	default:
		b.find("ID001", "record", "neither a document nor a record number")
	}
	b.Subject = record.Text
}

// packet writes the packet.
func (b *builder) packet(diseases []disease) {
	onset := b.onset()
	p := object{
		"id":       b.Subject,
		"subject":  b.person(),
		"metaData": b.metaData(),
	}
	var list []any
	for i, d := range diseases {
		if i > 0 {
			onset = nil
		}
		list = append(list, d.object(onset))
	}
	put(p, "diseases", list)
	put(p, "phenotypicFeatures", b.features())
	extra := b.extra()
	put(p, "interpretations", b.interpretations(diseases, extra))
	if len(extra) > 0 {
		p["raresync"] = extra
	}
	b.Packet, _ = json.Marshal(p) // maps, slices and texts always have JSON
}

func put(into object, name string, list []any) {
	if len(list) > 0 {
		into[name] = list
	}
}

func set(into object, name, text string) {
	if text != "" {
		into[name] = text
	}
}

// leaks refuses texts in which a cell stands that says who the patient is.
func (b *builder) leaks() {
	for _, i := range b.layout.identifying {
		for _, row := range b.rows {
			telling := row.Cell(i).Text
			if len([]rune(telling)) < 2 || usualMissing[wordKey(telling)] || b.missing[wordKey(telling)] {
				continue
			}
			for _, key := range b.texts {
				if c, _ := b.cell(key); strings.Contains(c.Text, telling) {
					b.find("PR001", key, "what stands in "+b.head(i))
				}
			}
			for j, text := range b.diseaseTexts() {
				if strings.Contains(text, telling) {
					b.Findings = append(b.Findings, found("PR001", b.diseasePlace(j), "what stands in "+b.head(i)))
				}
			}
		}
	}
}
