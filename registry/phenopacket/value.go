package phenopacket

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// kind says what a value is.
type kind uint8

const (
	object kind = iota
	array
	text
	number  // as written
	literal // true, false or null
)

// A value is one node of a JSON document. Numbers stay as written and text is
// unescaped, so that nothing is lost between reading and writing.
type value struct {
	kind  kind
	text  string   // of text, number and literal
	names []string // of an object's members, beside items
	items []*value // of an object or array

	places map[string]int // of names, once a large object was searched
}

func textOf(s string) *value { return &value{kind: text, text: s} }

func newObject() *value { return &value{kind: object} }

// largeObject is the number of members from which an object is searched by a
// map: a hostile file may have objects of thousands.
const largeObject = 32

// place returns the place of a member, or -1.
func (v *value) place(name string) int {
	if len(v.names) < largeObject {
		return slices.Index(v.names, name)
	}
	if v.places == nil {
		v.places = make(map[string]int, len(v.names))
		for i, name := range v.names {
			v.places[name] = i
		}
	}
	if i, ok := v.places[name]; ok {
		return i
	}
	return -1
}

// get returns the member of an object, or nil. A nil value has no members.
func (v *value) get(name string) *value {
	if v == nil || v.kind != object {
		return nil
	}
	if i := v.place(name); i >= 0 {
		return v.items[i]
	}
	return nil
}

// at follows member names.
func (v *value) at(names ...string) *value {
	for _, name := range names {
		v = v.get(name)
	}
	return v
}

// set gives an object a member, replacing one of the same name.
func (v *value) set(name string, item *value) {
	if i := v.place(name); i >= 0 {
		v.items[i] = item
		return
	}
	if v.places != nil {
		v.places[name] = len(v.names)
	}
	v.names = append(v.names, name)
	v.items = append(v.items, item)
}

// remove takes a member out of an object and returns it, or nil.
func (v *value) remove(name string) *value {
	if v == nil || v.kind != object {
		return nil
	}
	i := v.place(name)
	if i < 0 {
		return nil
	}
	item := v.items[i]
	v.places = nil
	v.names = slices.Delete(v.names, i, i+1)
	v.items = slices.Delete(v.items, i, i+1)
	return item
}

// list returns the elements of an array, or none.
func (v *value) list() []*value {
	if v == nil || v.kind != array {
		return nil
	}
	return v.items
}

// str returns the content of a text, or "".
func (v *value) str() string {
	if v == nil || v.kind != text {
		return ""
	}
	return v.text
}

// given reports whether there is a value other than null.
func (v *value) given() bool { return v != nil && (v.kind != literal || v.text != "null") }

func (v *value) isObject() bool { return v != nil && v.kind == object }

// empty reports an object without members: the placeholder of overlay.go.
func (v *value) empty() bool { return v.kind == object && len(v.items) == 0 }

func (v *value) clone() *value {
	c := &value{kind: v.kind, text: v.text, names: slices.Clone(v.names)}
	for _, item := range v.items {
		c.items = append(c.items, item.clone())
	}
	return c
}

// equal compares two values; the order of members does not count, the
// spelling of numbers does.
func (v *value) equal(w *value) bool {
	if v == nil || w == nil {
		return v == w
	}
	if v.kind != w.kind || v.text != w.text || len(v.items) != len(w.items) {
		return false
	}
	for i, item := range v.items {
		other := w.items[i]
		if v.kind == object && w.names[i] != v.names[i] {
			other = w.get(v.names[i])
		}
		if other == nil || !item.equal(other) {
			return false
		}
	}
	return true
}

// canonical returns the value as JSON without white space, members sorted by
// name.
func (v *value) canonical() []byte { return v.append(nil, true) }

// append appends the value as JSON without white space.
func (v *value) append(b []byte, sorted bool) []byte {
	switch v.kind {
	case text:
		return appendText(b, v.text)
	case number, literal:
		return append(b, v.text...)
	case array:
		b = append(b, '[')
		for i, item := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b, sorted)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for n, i := range v.order(sorted) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, v.names[i]), ':')
		b = v.items[i].append(b, sorted)
	}
	return append(b, '}')
}

// order returns the places of an object's members in the order of writing.
func (v *value) order(sorted bool) []int {
	places := make([]int, len(v.names))
	for i := range places {
		places[i] = i
	}
	if sorted {
		slices.SortFunc(places, func(i, j int) int { return strings.Compare(v.names[i], v.names[j]) })
	}
	return places
}

// appendText appends s as a JSON string: only what must be escaped is.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
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

// validNumber reports whether s is a JSON number of a bearable length.
func validNumber(s string) bool {
	if s == "" || len(s) > maxNumberBytes || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return json.Valid([]byte(s))
}
