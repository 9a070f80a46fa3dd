package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Formats lists what -o accepts, the default first.
const Formats = "table|json|jsonl"

// Output prints a command's results in the format its user asked for.
type Output struct {
	w      io.Writer
	format string
	words  Words
}

// Words put a table into another language; JSON stays as it is. A nil function
// leaves the English there is, and so does "" as its answer.
type Words struct {
	Heading func(field string) string       // by the field's json name
	Cell    func(field, text string) string // of a cell as it would be printed
}

// Speak makes tables use words from now on.
func (o *Output) Speak(words Words) { o.words = words }

func (w Words) heading(field string) string {
	if w.Heading != nil {
		if said := w.Heading(field); said != "" {
			return said
		}
	}
	return strings.ToUpper(strings.ReplaceAll(field, "_", " "))
}

func (w Words) cell(field, text string) string {
	if w.Cell != nil {
		if said := w.Cell(field, text); said != "" {
			return said
		}
	}
	return text
}

// New returns an Output that writes to w. The format is one of [Formats]; an
// empty one means table, any other is an error.
func New(w io.Writer, format string) (*Output, error) {
	switch format {
	case "":
		format = "table"
	case "table", "json", "jsonl":
	default:
		return nil, fmt.Errorf("output format %q: want %s", format, Formats)
	}
	return &Output{w: w, format: format}, nil
}

// Print writes a list: a table with one line per row, one JSON array, or one
// JSON object per line. T is a struct or a pointer to one. The columns are
// json names of T's fields and apply to the table only; without any, the
// table shows all fields.
func Print[T any](o *Output, rows []T, columns ...string) error {
	switch o.format {
	case "json":
		if rows == nil {
			rows = []T{}
		}
		return o.json(rows, "  ")
	case "jsonl":
		for _, row := range rows {
			if err := o.json(row, ""); err != nil {
				return err
			}
		}
		return nil
	}
	lines, right, err := grid(o.words, rows, columns)
	if err != nil {
		return err
	}
	return o.lines(lines, right)
}

// PrintOne writes a single result: a table with one line per field, or one
// JSON object. The columns choose the table's fields as in [Print].
func PrintOne[T any](o *Output, row T, columns ...string) error {
	switch o.format {
	case "json":
		return o.json(row, "  ")
	case "jsonl":
		return o.json(row, "")
	}
	lines, _, err := grid(o.words, []T{row}, columns)
	if err != nil {
		return err
	}
	fields := make([][]string, len(lines[0]))
	for i := range fields {
		fields[i] = []string{lines[0][i], lines[1][i]}
	}
	return o.lines(fields, []bool{false, false})
}

// Lines writes a table that has no struct: the first line is its headings, right
// says which columns are aligned to the right. All lines have as many cells.
func (o *Output) Lines(lines [][]string, right []bool) error {
	clean := make([][]string, len(lines))
	for i, line := range lines {
		clean[i] = make([]string, len(line))
		for at, cell := range line {
			clean[i][at] = Clean(cell)
		}
	}
	return o.lines(clean, right)
}

func (o *Output) json(v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print as %s: %w", o.format, err)
	}
	return o.write(cleanJSON(b.Bytes()))
}

// write sends b in one call: a reader that went away, as head does, is the
// only likely error.
func (o *Output) write(b []byte) error {
	if _, err := o.w.Write(b); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}
