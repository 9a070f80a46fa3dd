package term

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

const (
	gutter = "  " // between two columns
	absent = "-"  // stands for an empty cell, so that columns can be counted
)

// column is one field of a row's struct, by its json name.
type column struct {
	name  string
	index []int
	right bool // numbers are aligned to the right
}

// grid turns rows into cells, headings first, and says which columns are
// aligned to the right.
func grid[T any](words Words, rows []T, names []string) (lines [][]string, right []bool, err error) {
	cols, err := choose(reflect.TypeFor[T](), names)
	if err != nil {
		return nil, nil, err
	}
	head := make([]string, len(cols))
	for i, c := range cols {
		head[i] = words.heading(c.name)
		right = append(right, c.right)
	}
	lines = append(lines, head)
	for _, row := range rows {
		lines = append(lines, cells(words, reflect.ValueOf(row), cols))
	}
	return lines, right, nil
}

// choose finds the named columns in t, or all of them when no name is given.
func choose(t reflect.Type, names []string) ([]column, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("print a table: a row is a %s, not a struct", t)
	}
	all := columns(t)
	if len(names) == 0 {
		return all, nil
	}
	chosen := make([]column, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(all, func(c column) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("print a table: %s has no field %q", t, name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// columns lists the fields of t that JSON shows, embedded structs unfolded.
func columns(t reflect.Type) []column {
	var all []column
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" || f.Anonymous && tag == "" {
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		all = append(all, column{name: tag, index: f.Index, right: isNumber(f.Type)})
	}
	return all
}

// isNumber is false for types such as time.Duration, which print as words.
func isNumber(t reflect.Type) bool {
	words := t.Implements(reflect.TypeFor[fmt.Stringer]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64 && !words
}

func cells(words Words, row reflect.Value, cols []column) []string {
	line := make([]string, len(cols))
	for i, c := range cols {
		line[i] = absent
		if row.Kind() == reflect.Pointer && row.IsNil() {
			continue
		}
		field, err := reflect.Indirect(row).FieldByIndexErr(c.index)
		if err != nil { // behind an embedded pointer that is nil
			continue
		}
		if s := Clean(text(field)); s != "" {
			line[i] = words.cell(c.name, s)
		}
	}
	return line
}

// text is a value as a person reads it, "" when there is none. A type's text
// form comes before its String, because JSON shows that one.
func text(v reflect.Value) string {
	if !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		return ""
	}
	switch x := v.Interface().(type) {
	case time.Time:
		if x.IsZero() {
			return ""
		}
		return x.Format(time.RFC3339)
	case encoding.TextMarshaler:
		b, err := x.MarshalText()
		if err != nil {
			return err.Error()
		}
		return string(b)
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return text(v.Elem())
	case reflect.Slice, reflect.Array:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = text(v.Index(i))
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v.Interface())
}

// lines writes cells in columns as wide as their widest cell. The last column
// is not padded: trailing spaces would wrap on a narrow terminal.
func (o *Output) lines(lines [][]string, right []bool) error {
	widths := make([]int, len(right))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], Width(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		for i, cell := range line {
			if i < len(line)-1 || right[i] {
				cell = pad(cell, widths[i], right[i])
			}
			if i > 0 {
				b.WriteString(gutter)
			}
			b.WriteString(cell)
		}
		b.WriteByte('\n')
	}
	return o.write([]byte(b.String()))
}
