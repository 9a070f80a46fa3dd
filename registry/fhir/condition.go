package fhir

import (
	"slices"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
)

// undiagnosed is Orphanet's code for a rare disease without a diagnosis.
const undiagnosed = "ORPHA:616874"

// doubt are the verification statuses of a diagnosis that is not sure yet.
var doubt = []string{"unconfirmed", "provisional", "differential"}

// assertedDate is the standard's extension for when a condition was diagnosed.
const assertedDate = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"

// condition reads a disease or, by its code, a feature.
func (b *builder) condition(tree *jsontree.Value) {
	code := tree.Get("code")
	status := codeOf(tree.Get("verificationStatus"))
	if c, ok := of(codings(code), "HP"); ok {
		b.feature(c, code, tree, status == "refuted")
		return
	}
	term := object{}
	var codes []string
	for _, system := range telling {
		for _, c := range codings(code) {
			if c.system == system && !slices.Contains(codes, c.id()) {
				codes = append(codes, c.id())
			}
		}
	}
	date := b.diagnosed(tree)
	extra := object{}
	set(extra, "diagnosisDate", date)
	if slices.Contains(doubt, status) {
		extra["verification"] = "suspected"
	}
	if slices.Contains(codes, undiagnosed) {
		b.extra["verification"] = "undiagnosed"
		return
	}
	if len(codes) > 0 {
		term["id"] = codes[0]
	}
	if set(term, "label", labelOf(code)); len(term) == 0 {
		b.find("FH005", b.where+".code", "neither a code of a known system nor a text")
		return
	}
	d := object{"term": term}
	if status == "refuted" {
		d["excluded"] = true
	}
	if onset := b.moment(tree, "onset", b.where); onset != nil {
		d["onset"] = onset
	}
	own := object{}
	if len(codes) > 1 {
		own["codes"] = codes[1:]
	}
	keep(own, tree, "code", "verificationStatus", "onsetDateTime", "onsetAge", "onsetPeriod", "onsetRange", "onsetString", "recordedDate")
	if len(own) > 0 {
		d["raresync"] = own
	}
	b.extend(extra, tree, "$.raresync")
	b.diseases = append(b.diseases, found{object{"is": d, "extra": extra}, b.where})
}

// diagnosed returns when a diagnosis was made.
func (b *builder) diagnosed(tree *jsontree.Value) string {
	for _, e := range tree.Get("extension").List() {
		if e.Get("url").Str() == assertedDate {
			return b.dateText(e.Get("valueDateTime"), b.where+".extension")
		}
	}
	return b.dateText(tree.Get("recordedDate"), b.where+".recordedDate")
}

// sortDiseases puts the registered disease first: one that the national lists
// have, before others, and what was excluded last. It gives the date of the
// diagnosis, and how sure it is.
func (b *builder) sortDiseases() {
	rank := func(f found) int {
		d := f.is["is"].(object)
		switch {
		case d["excluded"] == true:
			return 2
		case listed(d["term"].(object)):
			return 0
		}
		return 1
	}
	slices.SortStableFunc(b.diseases, func(x, y found) int { return rank(x) - rank(y) })
	for i, f := range b.diseases {
		if i == 0 && rank(f) < 2 {
			for name, value := range f.is["extra"].(object) {
				if _, given := b.extra[name]; !given {
					b.extra[name] = value
				}
				b.put("$.raresync."+name, f.at)
			}
			b.put("$.diseases", f.at)
		}
		b.diseases[i].is = f.is["is"].(object)
	}
}

func listed(term object) bool {
	id, _ := term["id"].(string)
	label, _ := term["label"].(string)
	d := entry.Disease{Text: label}
	if id != "" {
		d.Codes = []string{id}
	}
	return len(d.Resolve(catalog.Current()).Counted()) > 0
}

// feature writes a phenotypic feature.
func (b *builder) feature(c coding, concept, tree *jsontree.Value, absent bool) {
	kind := object{"id": c.id()}
	if label := c.label; label != "" {
		kind["label"] = label
	} else {
		set(kind, "label", labelOf(concept))
	}
	f := object{"type": kind}
	if absent {
		f["excluded"] = true
	}
	if onset := b.moment(tree, "onset", b.where); onset != nil {
		f["onset"] = onset
	}
	keep(f, tree, "code", "value", "verificationStatus", "onsetDateTime", "onsetAge", "onsetPeriod", "onsetRange", "onsetString")
	b.features = append(b.features, found{f, b.where})
}
