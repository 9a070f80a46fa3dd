package outbound

import (
	"bytes"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/table"
)

// Made is a table as it was written.
type Made struct {
	Data    []byte
	Ending  string // of its file's name: .xlsx or .csv
	Uncoded Uncoded
}

// dates are the fields that hold one.
var dates = map[string]bool{
	"birth": true, "diagnosis_date": true, "death_date": true, "first_contact": true, "test_date": true, "log_time": true, "onset": true,
}

// Write writes rows, each by field.
func (p *Profile) Write(rows []map[string]string) (*Made, error) {
	made := &Made{Ending: "." + p.Format, Uncoded: Uncoded{}}
	lines := [][]string{{}}
	for _, c := range p.Columns {
		lines[0] = append(lines[0], c.Heading)
	}
	for _, row := range rows {
		var line []string
		for _, c := range p.Columns {
			line = append(line, p.cell(c, row[c.Field], made.Uncoded))
		}
		lines = append(lines, line)
	}
	var err error
	if p.Format == "xlsx" {
		made.Data, err = table.WriteBook([]table.Draft{{Name: p.Sheet, Rows: lines}}) // cells are text there
		return made, err
	}
	if made.Data = table.WriteUpload(lines); p.Encoding == "GB18030" {
		made.Data, err = table.EncodeGB18030(string(bytes.TrimPrefix(made.Data, []byte("\ufeff"))))
	}
	return made, err
}

// cell is what stands in a column of a row.
func (p *Profile) cell(c Column, value string, uncoded Uncoded) string {
	if value == "" {
		value = c.Value
	} else if len(c.Codes) > 0 {
		code, ok := c.Codes[value]
		if ok {
			return code
		}
		if uncoded[c.Heading] == nil {
			uncoded[c.Heading] = map[string]int{}
		}
		uncoded[c.Heading][value]++
	} else if dates[c.Field] {
		value = p.date(value)
	}
	if value == "" {
		return p.Missing
	}
	return value
}

// date writes a date in the profile's form, as far as it is known. What is no date,
// as an age, stays.
func (p *Profile) date(text string) string {
	d, ok := entry.ParseDate(strings.SplitN(text, "T", 2)[0])
	if !ok || !d.Known() {
		return text
	}
	known := d.String()
	form := p.Date
	for _, part := range []struct {
		name string
		from int
	}{{"YYYY", 0}, {"MM", 5}, {"DD", 8}} {
		if part.from < len(known) {
			form = strings.Replace(form, part.name, known[part.from:part.from+len(part.name)], 1)
		}
	}
	for _, unknown := range []string{"MM", "DD"} { // what is not known ends it
		if i := strings.Index(form, unknown); i >= 0 {
			form = strings.TrimRight(form[:i], "-/. ")
		}
	}
	if !strings.Contains(form, known[:4]) { // the year stands last
		return known
	}
	return form
}
