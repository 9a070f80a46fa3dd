package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// CSV writes a report for Excel: UTF-8 with its mark, lines that end in CR LF, and a
// cell that a spreadsheet would take for a formula is made a text.
func (r Report) CSV(w io.Writer, lang string) error {
	b := bufio.NewWriter(w)
	line := func(cells ...string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(csvCell(c))
		}
		b.WriteString("\r\n")
	}
	b.WriteString("\uFEFF")
	line(r.Title.In(lang))
	line(r.Label(lang))
	line(r.Disclosure(lang))
	for _, n := range r.Notes {
		line(n.In(lang))
	}
	for _, t := range r.Tables {
		line()
		line(t.Title.In(lang))
		for _, row := range t.lines(lang) {
			line(row...)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// csvCell quotes a cell, and puts an apostrophe before what is not a number and
// begins like a formula, be it after blanks.
func csvCell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == 0 {
			return -1
		}
		return r
	}, s)
	bare := strings.TrimLeft(s, " \t\r\n\u00a0\u3000\ufeff")
	if _, err := strconv.ParseFloat(s, 64); err != nil && s != "-" &&
		(strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || bare != "" && strings.ContainsAny(bare[:1], "=+-@|%") || strings.IndexAny(bare, "＝＋－＠") == 0) {
		s = "'" + s
	}
	if strings.ContainsAny(s, ",\"\r\n'") || s != strings.TrimSpace(s) {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// lines are a table's headings, rows and total as printed.
func (t Table) lines(lang string) [][]string {
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = c.Title.In(lang)
	}
	out := [][]string{head}
	rows := t.Rows
	if t.Total != nil {
		rows = append(rows[:len(rows):len(rows)], t.Total)
	}
	for _, row := range rows {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = t.Columns[i].Words(cell, lang)
		}
		out = append(out, line)
	}
	return out
}

// printed is a report as JSON has it, and as a command prints it.
type printed struct {
	Name       string         `json:"name"`
	Title      string         `json:"title"`
	Size       uint64         `json:"tree_size"`
	Root       string         `json:"root"`
	LogTime    string         `json:"log_time"`
	Edition    string         `json:"disease_lists"`
	MinCell    int            `json:"min_cell"` // 0: exact
	Label      string         `json:"label"`
	Disclosure string         `json:"disclosure"`
	Notes      []string       `json:"notes"`
	Tables     []printedTable `json:"tables"`
}

type printedTable struct {
	Title   string          `json:"title"`
	Columns []printedColumn `json:"columns"`
	Rows    [][]any         `json:"rows"` // texts and numbers; null: withheld, or nothing to say
	Total   []any           `json:"total,omitempty"`
}

type printedColumn struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Kind  Kind   `json:"kind"`
}

// JSON writes a report for programs. A count of null is withheld, or there is none.
func (r Report) JSON(w io.Writer, lang string) error {
	out := printed{
		Name: r.Name, Title: r.Title.In(lang), Size: r.Size, Root: fmt.Sprintf("%x", r.Root), LogTime: r.LogTime, Edition: r.Edition,
		MinCell: r.MinCell, Label: r.Label(lang), Disclosure: r.Disclosure(lang), Notes: []string{}, Tables: []printedTable{},
	}
	for _, n := range r.Notes {
		out.Notes = append(out.Notes, n.In(lang))
	}
	for _, t := range r.Tables {
		p := printedTable{Title: t.Title.In(lang), Rows: [][]any{}}
		for _, c := range t.Columns {
			p.Columns = append(p.Columns, printedColumn{c.Name, c.Title.In(lang), c.Kind})
		}
		for _, row := range t.Rows {
			p.Rows = append(p.Rows, t.values(row, lang))
		}
		if t.Total != nil {
			p.Total = t.values(t.Total, lang)
		}
		out.Tables = append(out.Tables, p)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// values are cells as JSON has them.
func (t Table) values(row []Cell, lang string) []any {
	out := make([]any, len(row))
	for i, cell := range row {
		switch c := t.Columns[i]; {
		case cell.Withheld, c.Kind != Word && cell.None:
		case c.Kind == Word:
			out[i] = cell.Text.In(lang)
		case c.Kind == Share:
			out[i], _ = strconv.ParseFloat(c.Words(cell, lang), 64)
		case c.Kind == Middle:
			out[i] = cell.Value
		default:
			out[i] = cell.N
		}
	}
	return out
}
