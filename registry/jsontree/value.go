package jsontree

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind says what a value is.
type Kind uint8

// The kinds.
const (
	Object Kind = iota
	Array
	Text
	Number  // as written
	Literal // true, false or null
)

// A Value is one node of a JSON document. Numbers stay as written and text is
// unescaped, so that nothing is lost between reading and writing. A nil Value
// has no members, elements or text.
type Value struct {
	Kind  Kind
	Text  string   // of text, number and literal
	Names []string // of an object's members, beside Items
	Items []*Value // of an object or array

	places map[string]int // of names, once a large object was searched
}

// TextOf returns a text.
func TextOf(s string) *Value { return &Value{Kind: Text, Text: s} }

// NewObject returns an object without members.
func NewObject() *Value { return &Value{Kind: Object} }

// largeObject is the number of members from which an object is searched by a
// map: a hostile file may have objects of thousands.
const largeObject = 32

// place returns the place of a member, or -1.
func (v *Value) place(name string) int {
	if len(v.Names) < largeObject {
		return slices.Index(v.Names, name)
	}
	if v.places == nil {
		v.places = make(map[string]int, len(v.Names))
		for i, name := range v.Names {
			v.places[name] = i
		}
	}
	if i, ok := v.places[name]; ok {
		return i
	}
	return -1
}

// Get returns the member of an object, or nil.
func (v *Value) Get(name string) *Value {
	if v == nil || v.Kind != Object {
		return nil
	}
	if i := v.place(name); i >= 0 {
		return v.Items[i]
	}
	return nil
}

// At follows member names.
func (v *Value) At(names ...string) *Value {
	for _, name := range names {
		v = v.Get(name)
	}
	return v
}

// Set gives an object a member, replacing one of the same name.
func (v *Value) Set(name string, item *Value) {
	if i := v.place(name); i >= 0 {
		v.Items[i] = item
		return
	}
	if v.places != nil {
		v.places[name] = len(v.Names)
	}
	v.Names = append(v.Names, name)
	v.Items = append(v.Items, item)
}

// Remove takes a member out of an object and returns it, or nil.
func (v *Value) Remove(name string) *Value {
	if v == nil || v.Kind != Object {
		return nil
	}
	i := v.place(name)
	if i < 0 {
		return nil
	}
	item := v.Items[i]
	v.places = nil
	v.Names = slices.Delete(v.Names, i, i+1)
	v.Items = slices.Delete(v.Items, i, i+1)
	return item
}

// Rename gives an object's member i another name, which no other member has.
func (v *Value) Rename(i int, name string) { v.Names[i], v.places = name, nil }

// List returns the elements of an array, or none.
func (v *Value) List() []*Value {
	if v == nil || v.Kind != Array {
		return nil
	}
	return v.Items
}

// Str returns the content of a text, or "".
func (v *Value) Str() string {
	if v == nil || v.Kind != Text {
		return ""
	}
	return v.Text
}

// Given reports whether there is a value other than null.
func (v *Value) Given() bool { return v != nil && (v.Kind != Literal || v.Text != "null") }

// IsObject reports whether there is an object.
func (v *Value) IsObject() bool { return v != nil && v.Kind == Object }

// Empty reports an object without members.
func (v *Value) Empty() bool { return v.Kind == Object && len(v.Items) == 0 }

// Clone returns a copy that shares nothing with v.
func (v *Value) Clone() *Value {
	c := &Value{Kind: v.Kind, Text: v.Text, Names: slices.Clone(v.Names)}
	for _, item := range v.Items {
		c.Items = append(c.Items, item.Clone())
	}
	return c
}

// CloneTop returns a copy of an object or array that shares its members or elements with
// v: they are not to be changed.
func (v *Value) CloneTop() *Value {
	return &Value{Kind: v.Kind, Text: v.Text, Names: slices.Clone(v.Names), Items: slices.Clone(v.Items)}
}

// Equal compares two values; the order of members does not count, the
// spelling of numbers does.
func (v *Value) Equal(w *Value) bool {
	if v == nil || w == nil {
		return v == w
	}
	if v.Kind != w.Kind || v.Text != w.Text || len(v.Items) != len(w.Items) {
		return false
	}
	for i, item := range v.Items {
		other := w.Items[i]
		if v.Kind == Object && w.Names[i] != v.Names[i] {
			other = w.Get(v.Names[i])
		}
		if other == nil || !item.Equal(other) {
			return false
		}
	}
	return true
}

// Canonical returns the value as JSON without white space, members sorted by
// name.
func (v *Value) Canonical() []byte { return v.Append(make([]byte, 0, v.room()), true) }

// room is how many bytes the value takes as JSON, if nothing in it is escaped.
func (v *Value) room() int {
	n := len(v.Text) + len(`"",`)
	for _, name := range v.Names {
		n += len(name) + len(`"":`)
	}
	for _, item := range v.Items {
		n += item.room()
	}
	return n
}

// Append appends the value as JSON without white space, members sorted by name or
// as they came.
func (v *Value) Append(b []byte, sorted bool) []byte {
	switch v.Kind {
	case Text:
		return AppendText(b, v.Text)
	case Number, Literal:
		return append(b, v.Text...)
	case Array:
		b = append(b, '[')
		for i, item := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.Append(b, sorted)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for n, i := range v.order(sorted) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(AppendText(b, v.Names[i]), ':')
		b = v.Items[i].Append(b, sorted)
	}
	return append(b, '}')
}

// order returns the places of an object's members in the order of writing.
func (v *Value) order(sorted bool) []int {
	places := make([]int, len(v.Names))
	for i := range places {
		places[i] = i
	}
	if sorted {
		slices.SortFunc(places, func(i, j int) int { return strings.Compare(v.Names[i], v.Names[j]) })
	}
	return places
}

// AppendText appends s as a JSON string: only what must be escaped is.
func AppendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	if utf8.ValidString(s) && !strings.ContainsFunc(s, mustEscape) {
		return append(append(b, s...), '"')
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

func mustEscape(r rune) bool { return r == '"' || r == '\\' || r < 0x20 }

// ValidNumber reports whether s is a JSON number of a bearable length.
func ValidNumber(s string) bool {
	if len(s) > maxNumberBytes {
		return false
	}
	s = strings.TrimPrefix(s, "-")
	whole, s := digits(s)
	if whole == "" || whole[0] == '0' && len(whole) > 1 {
		return false
	}
	if after, ok := strings.CutPrefix(s, "."); ok {
		var fraction string
		if fraction, s = digits(after); fraction == "" {
			return false
		}
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	exponent, s := digits(s)
	return exponent != "" && s == ""
}

// digits cuts the digits off with which s begins.
func digits(s string) (front, rest string) {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}
