package mapping

import (
	"slices"
	"strings"
	"unicode"

	"github.com/raresync/raresync/registry/table"
)

// headRows is how many rows are looked at for the headings: titles and notes
// may stand above them.
const headRows = 10

// A layout says in which column of a sheet each field stands.
type layout struct {
	heads       []string
	row         int            // of the headings
	columns     map[string]int // by field
	diagnoses   []diagnosisColumns
	identifying []int
	doubled     []string // headings that stand twice
	chinese     bool
}

// diagnosisColumns are the columns of one Diagnosis; those it does not have
// are -1.
type diagnosisColumns struct {
	of                                             *Diagnosis
	name, list, orpha, omim, icd10, code, standing int
}

func (d diagnosisColumns) any() bool {
	return d.name >= 0 || d.list >= 0 || d.orpha >= 0 || d.omim >= 0 || d.icd10 >= 0 || d.code >= 0
}

// lay finds the profile's columns among the cells of a row.
func (p *Profile) lay(row table.Row) *layout {
	l := &layout{row: row.Number, columns: map[string]int{}}
	index := map[string][]int{}
	for i, c := range row.Cells {
		l.heads = append(l.heads, c.Text)
		for _, key := range headKeys(c.Text) {
			index[key] = append(index[key], i)
		}
		l.chinese = l.chinese || strings.ContainsFunc(c.Text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	find := func(names []string) int {
		for _, name := range names {
			at := index[headKey(name)]
			if len(at) > 1 && !slices.Contains(l.doubled, name) {
				l.doubled = append(l.doubled, name)
			}
			if len(at) > 0 {
				return at[0]
			}
		}
		return -1
	}
	for key, f := range p.Fields {
		if i := find(f.Columns); i >= 0 {
			l.columns[key] = i
		}
	}
	for i := range p.Diagnoses {
		d := &p.Diagnoses[i]
		c := diagnosisColumns{d, find(d.Name), find(d.List), find(d.ORPHA), find(d.OMIM), find(d.ICD10), find(d.Code), find(d.Standing)}
		if c.any() {
			l.diagnoses = append(l.diagnoses, c)
		}
	}
	for _, name := range p.Identifying {
		if i := find([]string{name}); i >= 0 {
			l.identifying = append(l.identifying, i)
		}
	}
	slices.Sort(l.doubled)
	return l
}

// headKey is the form in which headings are compared.
func headKey(s string) string { return strings.Trim(wordKey(s), "*:") }

// headKeys are the forms of a heading in a table: as it stands, and without
// what is explained in brackets behind it.
func headKeys(s string) []string {
	key := headKey(s)
	if i := strings.IndexAny(key, "(["); i > 0 && strings.HasSuffix(key, ")") || i > 0 && strings.HasSuffix(key, "]") {
		return []string{key, strings.Trim(key[:i], "*:")}
	}
	if key == "" {
		return nil
	}
	return []string{key}
}

// fits reports whether the headings are enough to read rows: who a patient is,
// and a disease.
func (l *layout) fits() bool {
	_, record := l.columns["record"]
	_, number := l.columns["id_number"]
	return (record || number) && len(l.diagnoses) > 0
}

// width is the number of columns up to the last that has a heading.
func (l *layout) width() int {
	for i := len(l.heads); i > 0; i-- {
		if l.heads[i-1] != "" {
			return i
		}
	}
	return 0
}

// known reports whether the headings are those that the profile is known by.
func (p *Profile) known(row table.Row) bool {
	if len(p.KnownBy) == 0 {
		return false
	}
	var keys []string
	for _, c := range row.Cells {
		keys = append(keys, headKeys(c.Text)...)
	}
	for _, names := range p.KnownBy {
		there := func(name string) bool { return slices.Contains(keys, headKey(name)) }
		if !slices.ContainsFunc(strings.Split(names, "|"), there) {
			return false
		}
	}
	return true
}

// missing are the headings without which no row can be read, as the profile
// names them first.
func (p *Profile) missing(l *layout) (names []string) {
	first := func(columns []string) string {
		if len(columns) == 0 {
			return ""
		}
		return columns[0]
	}
	_, record := l.columns["record"]
	_, number := l.columns["id_number"]
	if !record && !number {
		names = append(names, strings.Trim(first(p.Fields["record"].Columns)+" / "+first(p.Fields["id_number"].Columns), " /"))
	}
	if len(l.diagnoses) == 0 {
		for _, d := range p.Diagnoses[:1] {
			names = append(names, first(slices.Concat(d.Name, d.ICD10, d.List, d.ORPHA, d.OMIM, d.Code)))
		}
	}
	return names
}

// used reports which columns a layout reads.
func (l *layout) used() map[int]bool {
	used := map[int]bool{}
	for _, i := range l.columns {
		used[i] = true
	}
	for _, d := range l.diagnoses {
		for _, i := range []int{d.name, d.list, d.orpha, d.omim, d.icd10, d.code, d.standing} {
			used[i] = true
		}
	}
	for _, i := range l.identifying {
		used[i] = true
	}
	return used
}
