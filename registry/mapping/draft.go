package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// Draft writes a profile for a table: each heading that a shipped profile or
// the template has goes to its field, and what is left over is listed for a
// person to place. It is a beginning, to be read before it is used. A table
// without a row that looks like headings is refused (FM002).
func Draft(name string, book *table.Book) (string, error) {
	row, sheet, err := likeliest(book)
	if err != nil {
		return "", err
	}
	if row.Number == 0 {
		return "", rule.Refuse("FM002", name, "no row looks like headings")
	}
	d := draft{fields: map[string][]string{}, parts: map[string][]string{}}
	for _, c := range row.Cells {
		if c.Text != "" && !slices.Contains(d.heads, c.Text) {
			d.heads = append(d.heads, c.Text)
			d.place(c.Text)
		}
	}
	return d.text(name, sheet, row.Number), nil
}

// likeliest returns the row that most looks like headings: of the first rows of
// all sheets, the one with the most that is known, or with the most cells.
func likeliest(book *table.Book) (best table.Row, sheet string, err error) {
	most := -1
	for _, s := range book.Sheets() {
		if s.Hidden {
			continue
		}
		rows, err := s.Rows()
		if err != nil {
			return best, "", err
		}
		looked := 0
		for row := range rows.All() {
			if looked++; looked > headRows {
				break
			}
			if n := worth(row); n > most && !holdsPatient(row) {
				most, sheet = n, s.Name
				best = table.Row{Number: row.Number, Cells: slices.Clone(row.Cells)}
			}
		}
		if err := rows.Err(); err != nil {
			return best, "", err
		}
		_ = rows.Close()
	}
	return best, sheet, nil
}

func worth(row table.Row) (n int) {
	for _, c := range row.Cells {
		if c.Text == "" || c.Kind != table.Text {
			continue
		}
		n++
		if key, part, personal := placeOf(c.Text); key != "" || part != "" || personal {
			n += 100
		}
	}
	return n
}

// holdsPatient reports whether a row has a cell that no heading is: a long
// number or a date. A draft lists headings as they stand, and no patient.
func holdsPatient(row table.Row) bool {
	return slices.ContainsFunc(row.Cells, func(c table.Cell) bool {
		_, _, isDate := parseDate(c)
		return isDate || longDigits.MatchString(halfWidth(c.Text))
	})
}

var longDigits = regexp.MustCompile(`[0-9]{5}`)

// placeOf looks for a heading in the shipped profiles.
func placeOf(heading string) (key, part string, personal bool) {
	has := func(names []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(headKeys(heading), headKey(n)) })
	}
	for _, p := range Shipped() {
		if has(p.Identifying) {
			return "", "", true
		}
		for _, key := range Keys() {
			if has(p.Fields[key].Columns) {
				return key, "", false
			}
		}
		for _, d := range p.Diagnoses {
			for _, part := range partNames {
				if has(d.parts()[part]) {
					return "", part, false
				}
			}
		}
	}
	return "", "", false
}

var partNames = []string{"name", "list", "orpha", "omim", "icd10", "code", "standing"}

type draft struct {
	heads       []string
	fields      map[string][]string
	parts       map[string][]string
	identifying []string
	left        []string
}

func (d *draft) place(heading string) {
	switch key, part, personal := placeOf(heading); {
	case personal:
		d.identifying = append(d.identifying, heading)
	case key != "":
		d.fields[key] = append(d.fields[key], heading)
	case part != "":
		d.parts[part] = append(d.parts[part], heading)
	default:
		d.left = append(d.left, heading)
	}
}

func (d *draft) text(name, sheet string, row int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# A draft for tables like %s. Read it line by line, then try it:\n#   raresync mapping test --mapping THIS-FILE %s\n", comment(name), comment(name))
	fmt.Fprintf(&b, "# Headings were found in row %d%s. docs/INPUT.md lists the fields.\n\n", row, inSheet(sheet))
	b.WriteString("title = { zh = \"\", en = \"\" }\ndocument = \"RIC\"      # the type of the patients' documents where no column says it\n")
	fmt.Fprintf(&b, "identifying = %s # names, telephones, addresses: compared with texts, and sent nowhere\n", list(d.identifying))
	b.WriteString("missing = []           # words that stand for an empty cell, besides 无, 不详, -, / and the like\n")
	for _, key := range Keys() {
		info := fieldOf(key)
		switch columns := d.fields[key]; {
		case len(columns) > 0:
			fmt.Fprintf(&b, "\n[fields.%s] # %s %s\ncolumns = %s\n", key, info.Heading.ZH, info.Heading.EN, list(columns))
			if info.words != nil {
				fmt.Fprintf(&b, "#codes = { \"1\" = %q } # if the column has codes of its own\n", info.words.meanings[0].words[1])
			}
		case !info.noted && !isDiagnosisKey(key):
			fmt.Fprintf(&b, "\n#[fields.%s] # %s %s\n#columns = [\"\"]\n", key, info.Heading.ZH, info.Heading.EN)
		}
	}
	d.diagnoses(&b)
	if len(d.left) > 0 {
		b.WriteString("\n# These headings were not known. Give those that matter to a field above; the others are\n# not read. A column with names or telephones belongs to identifying.\n")
		for _, heading := range d.left {
			fmt.Fprintf(&b, "#   %s\n", comment(heading))
		}
	}
	return b.String()
}

// diagnoses writes one diagnosis for each column of names, with the column of
// codes that is its equal by order.
func (d *draft) diagnoses(b *strings.Builder) {
	most := 1
	for _, columns := range d.parts {
		most = max(most, len(columns))
	}
	for i := range most {
		b.WriteString("\n[[diagnosis]]\n")
		wrote := false
		for _, part := range partNames {
			if i < len(d.parts[part]) {
				fmt.Fprintf(b, "%s = %s\n", part, list(d.parts[part][i:i+1]))
				wrote = true
			}
		}
		if !wrote {
			b.WriteString("name = [\"\"]   # the column with the name of the disease; icd10, orpha, omim, list for codes\n")
		}
	}
	b.WriteString("\n# The hospital's own words for diseases, each with a code.\n#[diseases]\n#\"法布里氏病\" = \"LIST:1.27\"\n")
}

func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = fmt.Sprintf("%q", t)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// comment keeps a text from the table on its line.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

func inSheet(sheet string) string {
	if sheet == "" {
		return ""
	}
	return " of sheet " + comment(sheet)
}
