package fhir

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
)

// maxSteps bounds a chain of references.
const maxSteps = 4

// A link is a Reference: by address, or by an identifier alone.
type link struct {
	reference string
	number    string // as numberKey gives it
	there     bool
}

func (l link) given() bool { return l.there }

func linkOf(v *jsontree.Value) link {
	return link{v.Get("reference").Str(), numberKey(v.Get("identifier")), v.IsObject()}
}

// numberKey makes an Identifier comparable; "" if it has no value.
func numberKey(v *jsontree.Value) string {
	if v.Get("value").Str() == "" {
		return ""
	}
	return v.Get("system").Str() + "\x00" + v.Get("value").Str()
}

// follow returns where a reference leads to in the set, or why nowhere. It knows
// the fullUrl of an entry, absolute or urn:uuid, and type and id, first within
// the server of the resource that refers.
func (s *Set) follow(from resource, l link) (int, string) {
	ref, _, _ := strings.Cut(l.reference, "/_history/")
	switch {
	case ref == "":
		return -1, "a reference without an address"
	case strings.HasPrefix(ref, "#"):
		return -1, "contained in the resource; give it a place of its own"
	case strings.Contains(ref, "?"):
		return -1, "a conditional reference"
	}
	found := s.byURL[ref]
	name := ref
	if parts := strings.Split(ref, "/"); len(parts) > 2 {
		name = strings.Join(parts[len(parts)-2:], "/")
	}
	if base, ok := strings.CutSuffix(from.url, "/"+from.kind+"/"+from.id); ok && len(found) == 0 && name == ref {
		found = s.byURL[base+"/"+ref]
	}
	if len(found) == 0 && (name == ref || !s.elsewhere(ref, name)) {
		found = s.byName[name]
	}
	switch len(found) {
	case 0:
		return -1, "not in the file"
	case 1:
		return found[0], ""
	}
	return -1, fmt.Sprintf("%d resources have this address", len(found))
}

// elsewhere reports whether a resource of this name has an address of another
// server than the one that is referred to.
func (s *Set) elsewhere(ref, name string) bool {
	for _, i := range s.byName[name] {
		if s.resources[i].url != "" && s.resources[i].url != ref {
			return true
		}
	}
	return false
}

// deref returns the resource that an element of a resource refers to, contained
// or of the set, or why there is none.
func (s *Set) deref(r resource, tree, ref *jsontree.Value) (*jsontree.Value, string) {
	l := linkOf(ref)
	if id, ok := strings.CutPrefix(l.reference, "#"); ok {
		for _, inner := range tree.Get("contained").List() {
			if inner.Get("id").Str() == id {
				return inner, ""
			}
		}
		return nil, "not contained in the resource"
	}
	i, why := s.follow(r, l)
	if why != "" {
		return nil, why
	}
	return s.read(s.resources[i]), ""
}
