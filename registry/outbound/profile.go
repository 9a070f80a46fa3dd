package outbound

import (
	"embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/tomlfile"
)

// MaxProfileBytes bounds a profile's text.
const MaxProfileBytes = 1 << 20

// extra are the fields beyond those of the template.
var extra = []string{"case_number", "index", "log_time", "name_of_hospital"}

// Identifying are the fields that say who a patient is. They are in no entry.
func Identifying() []string { return []string{"record", "id_type", "id_number", "id_country"} }

// A Profile says what table another system takes.
type Profile struct {
	// Name is the shipped profile's name, or what the caller calls it.
	Name string `toml:"-"`
	// Title says in both languages what the table is for.
	Title mapping.Words `toml:"title"`
	// Format is "xlsx" or "csv". Default xlsx.
	Format string `toml:"format"`
	// Encoding is that of csv: "UTF-8", with its mark, or "GB18030". Default UTF-8.
	Encoding string `toml:"encoding"`
	// Sheet is the name of an xlsx's sheet. Default Sheet1.
	Sheet string `toml:"sheet"`
	// Date is how dates are written: YYYY, MM and DD with anything between. A date
	// that is known in part is written as far. Default YYYY-MM-DD.
	Date string `toml:"date"`
	// Missing is what stands for a value that is not known. Default nothing.
	Missing string `toml:"missing"`
	// Columns are the table's, in their order.
	Columns []Column `toml:"column"`
}

// A Column is one of the table.
type Column struct {
	// Heading stands above it.
	Heading string `toml:"heading"`
	// Field is what stands in it: one of [mapping.CellKeys], of [Identifying], or
	// case_number, index, log_time (the day) or name_of_hospital.
	Field string `toml:"field"`
	// Value stands in every cell, or where the field has nothing.
	Value string `toml:"value"`
	// Codes are the other system's codes by the template's Chinese words.
	Codes map[string]string `toml:"codes"`
}

//go:embed profiles/*.toml
var profiles embed.FS

// ShippedText returns a shipped profile as it is written, to be copied and changed.
func ShippedText(name string) (string, bool) {
	raw, err := profiles.ReadFile("profiles/" + name + ".toml")
	return string(raw), err == nil
}

// ShippedProfile returns a shipped profile by its name. It belongs to the caller.
func ShippedProfile(name string) (*Profile, bool) {
	text, ok := ShippedText(name)
	if !ok {
		return nil, false
	}
	p, err := Parse(name, text)
	if err != nil {
		panic(fmt.Sprintf("shipped profile %s: %v", name, err)) // a test parses it
	}
	return p, true
}

// Parse reads a profile. The error tells all that is wrong with it, a line each.
func Parse(name, text string) (*Profile, error) {
	if len(text) > MaxProfileBytes {
		return nil, fmt.Errorf("larger than %d bytes", MaxProfileBytes)
	}
	p := &Profile{Name: name, Format: "xlsx", Encoding: "UTF-8", Sheet: "Sheet1", Date: "YYYY-MM-DD"}
	unknown, err := tomlfile.Decode(text, p)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, key := range unknown {
		wrong = append(wrong, fmt.Errorf("%s is not known", key))
	}
	return p, errors.Join(append(wrong, p.check()...)...)
}

func (p *Profile) check() (wrong []error) {
	found := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if p.Format != "xlsx" && p.Format != "csv" {
		found("format: want xlsx or csv")
	}
	if p.Encoding != "UTF-8" && p.Encoding != "GB18030" {
		found("encoding: want UTF-8 or GB18030")
	}
	if strings.Count(p.Date, "YYYY") != 1 || strings.Count(p.Date, "MM") > 1 || strings.Count(p.Date, "DD") > 1 {
		found("date: want YYYY, MM and DD, as YYYY-MM-DD")
	}
	if len(p.Columns) == 0 {
		found("column: there is none")
	}
	known := slices.Concat(mapping.CellKeys(), Identifying(), extra)
	headings := map[string]bool{}
	for i, c := range p.Columns {
		if c.Heading == "" || headings[c.Heading] {
			found("column %d: wants a heading that no other has", i+1)
		}
		headings[c.Heading] = true
		if c.Field != "" && !slices.Contains(known, c.Field) {
			found("column %d: %s is not known: the fields are %s", i+1, c.Field, strings.Join(known, ", "))
		}
		if c.Field == "" && len(c.Codes) > 0 {
			found("column %d: codes are for a field", i+1)
		}
	}
	return wrong
}

// Wants reports whether a column holds one of some fields.
func (p *Profile) Wants(fields []string) bool {
	return slices.ContainsFunc(p.Columns, func(c Column) bool { return slices.Contains(fields, c.Field) })
}

// Uncoded counts the words that had no code, by heading and word.
type Uncoded map[string]map[string]int

// String lists them, as "性别: 其他 x 2".
func (u Uncoded) String() string {
	var list []string
	for _, heading := range slices.Sorted(maps.Keys(u)) {
		for _, word := range slices.Sorted(maps.Keys(u[heading])) {
			list = append(list, fmt.Sprintf("%s: %s x %d", heading, word, u[heading][word]))
		}
	}
	return strings.Join(list, "; ")
}
