package fhir

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// A form is how a file holds its resources.
type form uint8

const (
	single form = iota
	bundle
	lines
)

// A file is one that was added to a set.
type file struct {
	name string
	text string
	form form
}

// bundleTypes are those that are taken.
var bundleTypes = []string{"collection", "document", "searchset", "batch", "transaction"}

// Is reports whether raw begins as FHIR in JSON does: with an object, or one on
// each line, that has a resourceType.
func Is(raw []byte) bool {
	raw = bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\ufeff")), " \t\r\n")
	if len(raw) == 0 || raw[0] != '{' {
		return false
	}
	depth, text, escaped := 0, -1, false
	for i, c := range raw {
		switch {
		case text >= 0:
			if c == '"' && !escaped {
				if depth == 1 && string(raw[text+1:i]) == "resourceType" {
					return true
				}
				text = -1
			}
			escaped = c == '\\' && !escaped
		case c == '"':
			text = i
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return false
			}
		}
	}
	return false
}

// index enters the resources of a file.
func (s *Set) index(f *file) error {
	if !utf8.ValidString(f.text) {
		return rule.Refuse("FM001", f.name, "not UTF-8")
	}
	defer s.memory.Release()
	if isLines(f.text) {
		return s.lines(f)
	}
	number := 0
	before := maps.Clone(s.counted)
	root, err := s.memory.Walk(f.text, indexed, "entry", func(v *jsontree.Value, from, to int) error {
		number++
		return s.entry(v, number-1, from, to)
	})
	if err != nil {
		return s.unread(f.name, err)
	}
	if root.Get("resourceType").Str() == "Bundle" {
		f.form = bundle
		return s.bundle(f, root)
	}
	if f.form == bundle {
		return rule.Refuse("FH007", f.name, "entries with resources, and no Bundle")
	}
	s.counted = before // a List has entries of its own
	return s.resource(root, resource{to: len(f.text)})
}

// isLines reports whether a file has a whole object on its first line and more
// behind it.
func isLines(text string) bool {
	line, rest, ok := strings.Cut(strings.TrimLeft(text, " \t\r\n"), "\n")
	line = strings.TrimSpace(line)
	rest = strings.TrimSpace(rest)
	return ok && len(line) > 1 && line[len(line)-1] == '}' && len(rest) > 0 && rest[0] == '{'
}

func (s *Set) lines(f *file) error {
	f.form = lines
	number := 0
	for from := 0; from < len(f.text); {
		to := len(f.text)
		if end := strings.IndexByte(f.text[from:], '\n'); end >= 0 {
			to = from + end
		}
		number++
		if strings.TrimSpace(f.text[from:to]) != "" {
			s.memory.Release()
			v, err := s.memory.Parse(f.text[from:to], indexed)
			if err == nil {
				err = s.resource(v, resource{number: number, from: from, to: to})
			}
			if err != nil {
				return s.unread(fmt.Sprintf("%s line %d", f.name, number), err)
			}
		}
		from = to + 1
	}
	return nil
}

// unread turns what a parser says into a refusal; one by rule stays.
func (s *Set) unread(where string, err error) error {
	if refused, ok := err.(*rule.Refusal); ok {
		return refused
	}
	return rule.Refuse("FH007", where, err.Error())
}

// entry enters the resource of an entry of a Bundle. The bundle's own type comes
// before or behind the entries.
func (s *Set) entry(v *jsontree.Value, number, from, to int) error {
	at := fmt.Sprintf("%s Bundle.entry[%d]", s.files[len(s.files)-1].name, number)
	if !v.IsObject() {
		return rule.Refuse("FH007", at, "no object")
	}
	inner := v.Get("resource")
	if !inner.IsObject() {
		s.counted["request without a resource"]++
		return nil
	}
	if v.At("request", "method").Str() == "DELETE" {
		s.counted["request to delete"]++
		return nil
	}
	s.files[len(s.files)-1].form = bundle
	return s.resource(inner, resource{number: number, from: from, to: to, url: v.Get("fullUrl").Str()})
}

// resource enters one resource.
func (s *Set) resource(v *jsontree.Value, r resource) error {
	r.file = len(s.files) - 1
	r.kind, r.id = v.Get("resourceType").Str(), v.Get("id").Str()
	if !isName(r.kind) {
		r.kind = ""
		return rule.Refuse("FH007", s.place(r), "no resourceType")
	}
	if _, ok := used[r.kind]; !ok {
		s.counted[r.kind]++
		r.kind, r.id = "", "" // it may be referred to, and is not read
	}
	if s.retracted(v, r) {
		return nil
	}
	if element := used[r.kind]; element != "" {
		r.subject = linkOf(v.Get(element))
	}
	if from := v.Get("derivedFrom").List(); r.kind == "Observation" && len(from) > 0 {
		r.derived = linkOf(from[0])
	}
	return s.take(r)
}

// retracted reports whether a resource says of itself that it is an error.
func (s *Set) retracted(v *jsontree.Value, r resource) bool {
	status := v.Get("status").Str()
	if r.kind == "Condition" {
		status = codeOf(v.Get("verificationStatus"))
	}
	if status != "entered-in-error" {
		return false
	}
	s.counted[r.kind+" entered in error"]++
	return true
}

// isName reports whether a text has the form of a type's name, so that it may be
// printed.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && s[0] >= 'A' && s[0] <= 'Z' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// bundle looks at what stands beside the entries.
func (s *Set) bundle(f *file, root *jsontree.Value) error {
	kind := root.Get("type").Str()
	if slices.Contains(bundleTypes, kind) {
		return nil
	}
	if !slices.Contains([]string{"history", "batch-response", "transaction-response", "message"}, kind) {
		kind = "missing or unknown"
	}
	return rule.Refuse("FH002", f.name+" Bundle.type", kind)
}
