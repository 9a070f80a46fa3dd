package fhir

import (
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
)

// encounter reads when the patient was last seen and by which department. One
// with a raresync extension is a follow-up.
func (b *builder) encounter(tree *jsontree.Value) {
	if slices.Contains([]string{"planned", "cancelled"}, tree.Get("status").Str()) {
		return
	}
	from := b.date(tree.At("period", "start"), b.where+".period.start")
	last := from
	if end := b.date(tree.At("period", "end"), b.where+".period.end"); end.Known() {
		last = end
	}
	if later(last, b.seen) {
		b.seen = last
	}
	if name := labelOf(tree.Get("serviceType")); name != "" && (b.extra["department"] == nil || later(last, b.visited)) {
		b.extra["department"], b.visited = name, last
		b.put("$.raresync.department", b.where+".serviceType")
	}
	visit := object{}
	if b.extend(visit, tree, ""); len(visit) == 0 {
		return
	}
	if visit["visitDate"] == nil {
		set(visit, "visitDate", from.String())
	}
	b.parts["followUps"] = append(b.parts["followUps"], found{visit, b.where})
}

// later reports whether a begins after b.
func later(a, b entry.Date) bool {
	if !a.Known() || !b.Known() {
		return a.Known()
	}
	x, _ := a.Span()
	y, _ := b.Span()
	return x.After(y)
}

// consent reads who agreed that the patient is registered, and when: the newest
// that is in force. One that denies is decided with raresync withdraw.
func (b *builder) consent(tree *jsontree.Value) {
	scope := codeOf(tree.Get("scope"))
	switch {
	case tree.Get("status").Str() != "active":
		b.find("FH005", b.where+".status", "not in force")
		return
	case scope != "research" && scope != "patient-privacy":
		b.find("FH005", b.where+".scope", "neither research nor patient-privacy")
		return
	case tree.At("provision", "type").Str() == "deny":
		b.find("FH005", b.where+".provision.type", "it denies: record that with raresync withdraw")
		return
	}
	said := object{}
	set(said, "date", b.dateText(tree.Get("dateTime"), b.where+".dateTime"))
	for _, p := range tree.Get("performer").List() {
		switch ref := linkOf(p).reference; {
		case strings.Contains(ref, "Patient/"):
			said["by"] = "self"
		case strings.Contains(ref, "RelatedPerson/") && said["by"] == nil:
			said["by"] = "guardian"
		}
	}
	b.extend(said, tree, "")
	if len(said) == 0 {
		return
	}
	before, _ := b.extra["consent"].(object)
	if old, _ := before["date"].(string); before == nil || said["date"] != nil && said["date"].(string) > old {
		b.extra["consent"] = said
		b.put("$.raresync.consent", b.where)
	}
}

// consanguinity is RareLink's extension.
const consanguinity = "https://rarelink.bih-charite.de/fhir/StructureDefinition/consanguinity"

// relative reads of a relative whether the disease runs in the family: yes if
// one has a disease of the patient's, or any of the national lists.
func (b *builder) relative(tree *jsontree.Value) {
	for _, e := range tree.Get("extension").List() {
		if said := yes(e.Get("valueCodeableConcept")); e.Get("url").Str() == consanguinity && said != "" {
			b.extra["consanguinity"] = said
			b.put("$.raresync.consanguinity", b.where)
		}
	}
	for _, c := range tree.Get("condition").List() {
		b.family = append(b.family, found{term(c.Get("code"), telling...), b.where})
	}
}

// kin says that the disease runs in the family, once all diseases are known.
func (b *builder) kin() {
	for _, f := range b.family {
		shared := slices.ContainsFunc(b.diseases, func(d found) bool {
			own := d.is["term"].(object)
			return f.is["id"] != nil && f.is["id"] == own["id"] && d.is["excluded"] == nil
		})
		if b.extra["familyHistory"] == nil && (shared || listed(f.is)) {
			b.extra["familyHistory"] = "yes"
			b.put("$.raresync.familyHistory", f.at)
		}
	}
}
