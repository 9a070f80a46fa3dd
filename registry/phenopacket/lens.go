package phenopacket

import (
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// A lens connects typed fields with their places in a document. The same
// description serves both directions, so that what is read is written to
// where it came from. Reading takes only what it could write back unchanged;
// everything else is left for the entry's extension.
type lens struct {
	writing  bool
	path     string         // of the object at hand, when reading
	spare    *value         // an object without members to write the next one into, or nil
	findings []rule.Finding // of reading
}

func (l *lens) find(code, name, detail string) {
	l.findings = append(l.findings, rule.Find(code, l.path+"."+name, detail))
}

// within applies f to a value that stands at path.
func (l *lens) within(path string, f func()) {
	outer := l.path
	l.path = path
	f()
	l.path = outer
}

// inside applies f to a member that is an object.
func (l *lens) inside(v *value, name string, f func(*value)) {
	if !l.writing {
		l.within(l.path+"."+name, func() { f(v.Get(name)) })
		return
	}
	child := l.spare
	l.spare = nil
	if child == nil {
		child = jsontree.NewObject()
	}
	if f(child); child.Empty() {
		l.spare = child
	} else {
		v.Set(name, child)
	}
}

// each applies f to the elements of a member that is an array.
func each[T any](l *lens, v *value, name string, items *[]T, f func(*value, *T)) {
	if !l.writing {
		list := v.Get(name).List()
		*items = slices.Grow(*items, len(list))
		for i, element := range list {
			var item T
			l.within(place(l.path+"."+name, i), func() { f(element, &item) })
			*items = append(*items, item)
		}
		return
	}
	if len(*items) == 0 {
		return
	}
	list := &value{Kind: jsontree.Array}
	for i := range *items {
		element := jsontree.NewObject()
		f(element, &(*items)[i])
		list.Items = append(list.Items, element)
	}
	v.Set(name, list)
}

func (l *lens) text(v *value, name string, s *string) {
	if !l.writing {
		*s = v.Get(name).Str()
		if item := v.Get(name); item.Given() && item.Kind != jsontree.Text {
			l.find("PP002", name, "not a text")
		}
	} else if *s != "" {
		v.Set(name, jsontree.TextOf(*s))
	}
}

// texts connects a list of texts that are all given; any other list is left.
func (l *lens) texts(v *value, name string, list *[]string) {
	if l.writing {
		if len(*list) > 0 {
			items := &value{Kind: jsontree.Array}
			for _, s := range *list {
				items.Items = append(items.Items, jsontree.TextOf(s))
			}
			v.Set(name, items)
		}
		return
	}
	var read []string
	for _, item := range v.Get(name).List() {
		if item.Str() == "" {
			l.find("PP002", name, "not a list of texts")
			return
		}
		read = append(read, item.Str())
	}
	*list = read
}

// digits connects a text field with a JSON number, as written.
func (l *lens) digits(v *value, name string, s *string) {
	if !l.writing {
		if n := v.Get(name); n != nil && n.Kind == jsontree.Number {
			*s = n.Text
		}
	} else if jsontree.ValidNumber(*s) {
		v.Set(name, &value{Kind: jsontree.Number, Text: *s})
	}
}

func (l *lens) count(v *value, name string, c *entry.Count) {
	if l.writing {
		if n, ok := c.Value(); ok {
			v.Set(name, &value{Kind: jsontree.Number, Text: strconv.FormatUint(uint64(n), 10)})
		}
		return
	}
	var s string
	l.digits(v, name, &s)
	if n, err := strconv.ParseUint(s, 10, 31); err == nil && strconv.FormatUint(n, 10) == s {
		*c = entry.CountOf(uint32(n))
	} else if v.Get(name).Given() {
		l.find("PP002", name, "not a whole number from 0 to 2147483647")
	}
}

// yes connects a flag with the literal true; an explicit false is left.
func (l *lens) yes(v *value, name string, b *bool) {
	if !l.writing {
		item := v.Get(name)
		*b = item != nil && item.Kind == jsontree.Literal && item.Text == "true"
		if item.Given() && item.Kind != jsontree.Literal {
			l.find("PP002", name, "neither true nor false")
		}
	} else if *b {
		v.Set(name, &value{Kind: jsontree.Literal, Text: "true"})
	}
}

// choice connects an enumeration with its names; names[0] means not given and
// is never read or written.
func choice[T ~uint8](l *lens, v *value, name string, e *T, names []string) {
	if l.writing {
		if int(*e) < len(names) && names[*e] != "" && *e != 0 {
			v.Set(name, jsontree.TextOf(names[*e]))
		}
		return
	}
	item := v.Get(name)
	s := item.Str()
	switch i := slices.Index(names, s); {
	case i > 0 && s != "":
		*e = T(i)
	case !item.Given() || item.Kind == jsontree.Text && s == "":
	case item.Kind == jsontree.Text || item.Kind == jsontree.Number: // the schema's JSON allows numbers
		l.find("DX003", name, "not one of "+listed(names)+"; kept as it is")
	default:
		l.find("PP002", name, "not a text")
	}
}

// listed returns the names, without the empty ones, for a finding.
func listed(names []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" }), ", ")
}

func (l *lens) term(v *value, name string, t *entry.Term) {
	l.inside(v, name, func(v *value) { l.termFields(v, t) })
}

func (l *lens) termFields(v *value, t *entry.Term) {
	l.text(v, "id", &t.ID)
	l.text(v, "label", &t.Label)
}

// date connects a Date with a text of 4, 7 or 10 characters.
func (l *lens) date(v *value, name string, d *entry.Date) {
	if l.writing {
		if d.Known() {
			v.Set(name, jsontree.TextOf(d.String()))
		}
		return
	}
	parsed, ok := entry.ParseDate(v.Get(name).Str())
	if !ok || v.Get(name) != nil && v.Get(name).Kind != jsontree.Text {
		l.find("DT001", name, "not YYYY, YYYY-MM or YYYY-MM-DD")
		return
	}
	*d = parsed
}

// place is a path with an index.
func place(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
