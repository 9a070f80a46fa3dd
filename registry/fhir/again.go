package fhir

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// Again returns the resources of some patients of one set as a Bundle, so that they
// can be mended and come once more: each Patient with what is about it, and the
// Medications that are named. Unless withIDs, documents, names, telephones and
// addresses are masked, and notes, narratives and photographs left out; a document
// that comes again so is refused (ID004). Record numbers stay.
func Again(patients []Patient, withIDs bool) []byte {
	out := []byte(`{"resourceType":"Bundle","type":"collection","entry":[`) // no tree of all: it would take many times as much
	seen := map[int]bool{}
	for _, p := range patients {
		for _, i := range p.set.withMedications(p.members) {
			if seen[i] {
				continue
			}
			if len(seen) > 0 {
				out = append(out, ",\n"...)
			}
			seen[i] = true
			r := p.set.resources[i]
			tree := p.set.read(r)
			if !withIDs {
				hide(tree, r.kind == "Patient")
			}
			e := jsontree.NewObject()
			if r.url != "" {
				e.Set("fullUrl", jsontree.TextOf(r.url))
			}
			e.Set("resource", tree)
			out = e.Append(out, false)
			p.set.memory.Release()
		}
	}
	out = append(out, "]}\n"...)
	var readable bytes.Buffer
	if len(out) > maxReadable || json.Indent(&readable, out, "", "  ") != nil {
		return out
	}
	return readable.Bytes()
}

// maxReadable is up to which size a Bundle is laid out for people; in a larger one an
// entry is a line.
const maxReadable = 4 << 20

// withMedications returns resources with the Medications that they name.
func (s *Set) withMedications(members []int) []int {
	all := slices.Clone(members)
	for _, i := range members {
		if ref := s.read(s.resources[i]).Get("medicationReference"); ref.IsObject() {
			if drug, why := s.follow(s.resources[i], linkOf(ref)); why == "" && s.resources[drug].kind == "Medication" {
				all = append(all, drug)
			}
		}
	}
	return all
}

// identifying are elements that say who a person is, untold those that may say anything.
var (
	identifying = []string{"name", "telecom", "address", "contact"}
	untold      = []string{"text", "note", "photo"}
)

// hide masks what a resource says of who somebody is. In a Patient that stands in
// more elements.
func hide(v *jsontree.Value, patient bool) {
	if v == nil {
		return
	}
	for _, name := range untold {
		if item := v.Get(name); item != nil && item.Kind != jsontree.Text {
			v.Remove(name)
		}
	}
	if v.Get("reference").Given() && v.Get("display").Given() {
		v.Set("display", jsontree.TextOf(rule.Mask(v.Get("display").Str())))
	}
	for i, item := range v.Items {
		name := ""
		if v.Kind == jsontree.Object {
			name = v.Names[i]
		}
		switch {
		case patient && slices.Contains(identifying, name):
			maskAll(item)
		case name == "identifier":
			hideNumbers(item)
		default:
			hide(item, item.Get("resourceType").Str() == "Patient")
		}
	}
}

// hideNumbers masks identifiers that are not the hospital's own record numbers.
func hideNumbers(v *jsontree.Value) {
	for _, id := range append(v.List(), v) {
		if value := id.Get("value"); value.Given() && documentOf(id).Type != identity.LOCAL {
			id.Set("value", jsontree.TextOf(rule.Mask(value.Text)))
		}
	}
}

// maskAll masks every text and number, but what an address says of the province.
func maskAll(v *jsontree.Value) {
	if v.Kind == jsontree.Text || v.Kind == jsontree.Number {
		v.Kind, v.Text = jsontree.Text, rule.Mask(v.Text)
	}
	for i, item := range v.Items {
		if v.Kind != jsontree.Object || v.Names[i] != "state" && v.Names[i] != "use" && v.Names[i] != "system" {
			maskAll(item)
		}
	}
}
