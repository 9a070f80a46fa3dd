package fhir

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
)

// own begins the address of an extension that is a fact of raresync's.
const own = "urn:raresync:"

// factName is a field of the raresync member, or one within a field.
var factName = regexp.MustCompile(`^[a-zA-Z]{1,32}(\.[a-zA-Z]{1,32})?$`)

// extend takes the facts of a resource's own extensions.
func (b *builder) extend(into object, tree *jsontree.Value, path string) {
	for _, e := range tree.Get("extension").List() {
		name, ok := strings.CutPrefix(e.Get("url").Str(), own)
		if !ok || strings.HasPrefix(name, "id:") {
			continue
		}
		value := fact(e)
		if !factName.MatchString(name) || value == nil {
			b.find("DX003", b.where+".extension", "want "+own+" and the name of a field, with a text, code, date, number or boolean")
			continue
		}
		outer, inner, nested := strings.Cut(name, ".")
		if path != "" {
			b.put(path+"."+outer, b.where+".extension("+outer+")")
		}
		if !nested {
			into[outer] = value
			continue
		}
		within, _ := into[outer].(object)
		if within == nil {
			within = object{}
			into[outer] = within
		}
		within[inner] = value
	}
}

// fact returns the value of an extension, or nil.
func fact(e *jsontree.Value) any {
	for i, name := range e.Names {
		if v := e.Items[i]; strings.HasPrefix(name, "value") {
			switch v.Kind {
			case jsontree.Text:
				return v.Text
			case jsontree.Number:
				return json.Number(v.Text)
			case jsontree.Literal:
				return v.Text == "true"
			}
		}
	}
	return nil
}

// keep puts what is coded in a resource and has no place in the packet under
// "fhir", less the elements that have one. Texts that people typed, references,
// identifiers and names are left out, so that nothing identifying stays.
func keep(into object, tree *jsontree.Value, but ...string) {
	kept := object{}
	for i, name := range tree.Names {
		if slices.Contains(but, name) || slices.Contains(never, name) {
			continue
		}
		if v := coded(tree.Items[i], name); v != nil {
			kept[name] = v
		}
	}
	if len(kept) > 0 {
		into["fhir"] = kept
	}
}

// never are elements that are not kept: who and where, what people wrote, and
// what belongs to the server.
var never = []string{
	"resourceType", "id", "meta", "text", "contained", "identifier", "implicitRules", "language", "note", "status", "issued",
}

// codeElements are those whose text is a code of the standard.
var codeElements = []string{"use", "priority", "comparator", "intent", "type", "relation"}

var dateTime = regexp.MustCompile(`^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.]{5,18}(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?$`)

// coded returns what of an element is coded, a number, a date or a boolean, or
// nil.
func coded(v *jsontree.Value, name string) any {
	switch v.Kind {
	case jsontree.Number:
		return json.Number(v.Text)
	case jsontree.Literal:
		if v.Text == "null" {
			return nil
		}
		return v.Text == "true"
	case jsontree.Text:
		if dateTime.MatchString(v.Text) || slices.Contains(codeElements, name) && isToken(v.Text) {
			return v.Text
		}
		return nil
	case jsontree.Array:
		var list []any
		for _, item := range v.Items {
			if kept := coded(item, name); kept != nil {
				list = append(list, kept)
			}
		}
		if list == nil {
			return nil
		}
		return list
	}
	return codedObject(v)
}

func codedObject(v *jsontree.Value) any {
	if v.Get("reference") != nil || v.Get("system") != nil && v.Get("value") != nil && v.Get("code") == nil {
		return nil // a Reference, an Identifier, a ContactPoint
	}
	out := object{}
	isCoding := v.Get("code").Str() != "" && v.Get("system").Str() != ""
	url := v.Get("url").Str()
	for i, name := range v.Names {
		switch {
		case isCoding && (name == "system" || name == "code" || name == "version"):
			set(out, name, v.Items[i].Str())
		case slices.Contains(never, name) || name == "url":
		default:
			if kept := coded(v.Items[i], name); kept != nil {
				out[name] = kept
			}
		}
	}
	if strings.HasPrefix(url, own) || len(out) == 0 {
		return nil
	}
	set(out, "url", url)
	return out
}

// isToken reports whether a text is a code of the standard: short, and no words.
func isToken(s string) bool {
	return len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' })
}
