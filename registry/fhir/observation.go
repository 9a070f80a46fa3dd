package fhir

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/raresync/raresync/registry/jsontree"
)

// maxMeasurements bounds what of a patient's Observations goes into the case:
// an entry is small, and a laboratory's export is not.
const maxMeasurements = 200

// unsure are the statuses of Observations that say nothing (yet).
var unsure = []string{"registered", "cancelled"}

// notThere are answers that a feature was looked for and not found.
var notThere = []string{"373067005", "2667000", "272519000"}

// observation reads a feature, a variant, what is concluded from one, or a
// measurement.
func (b *builder) observation(i int, r resource, tree *jsontree.Value) {
	code, value := tree.Get("code"), tree.Get("valueCodeableConcept")
	if slices.Contains(unsure, tree.Get("status").Str()) {
		b.find("FH005", b.where, "status "+tree.Get("status").Str())
		return
	}
	if c, ok := of(codings(code), "HP"); ok {
		absent := yes(tree.Get("valueBoolean")) == "no" || has(value, "SNOMED", notThere...)
		b.feature(c, code, tree, absent)
		return
	}
	if c, ok := of(codings(value), "HP"); ok {
		b.feature(c, value, tree, false)
		return
	}
	if b.genetic(i, r, tree) {
		return
	}
	b.measurement(tree)
}

func (b *builder) measurement(tree *jsontree.Value) {
	assay := term(tree.Get("code"), "LOINC")
	m := object{"assay": assay}
	if v := measured(tree); v != nil {
		m["value"] = v
	} else if parts := b.components(tree); parts != nil {
		m["complexValue"] = object{"typedQuantities": parts}
	}
	switch {
	case assay["id"] == nil:
		b.find("FH005", b.where+".code", "no code of a known system")
		return
	case len(m) == 1:
		b.find("FH005", b.where+".value", "neither a quantity nor a code")
		return
	case len(b.values) >= maxMeasurements:
		b.told++
		return
	}
	if at := b.moment(tree, "effective", b.where); at != nil {
		m["timeObserved"] = at
	}
	keep(m, tree, "code", "valueQuantity", "valueCodeableConcept", "component", "effectiveDateTime", "effectivePeriod")
	b.values = append(b.values, found{m, b.where})
}

// measured writes value[x] as a measurement does.
func measured(v *jsontree.Value) object {
	if q := quantity(v.Get("valueQuantity")); q != nil {
		return object{"quantity": q}
	}
	if c := term(v.Get("valueCodeableConcept")); len(c) > 0 && c["id"] != nil {
		return object{"ontologyClass": c}
	}
	return nil
}

// components writes the parts of a measurement, as of a blood pressure.
func (b *builder) components(tree *jsontree.Value) (parts []any) {
	for _, c := range tree.Get("component").List() {
		kind := term(c.Get("code"), "LOINC")
		if q := quantity(c.Get("valueQuantity")); q != nil && kind["id"] != nil {
			parts = append(parts, object{"type": kind, "quantity": q})
		}
	}
	return parts
}

// quantity writes a Quantity, or nil without a number and a unit.
func quantity(v *jsontree.Value) object {
	number := v.Get("value")
	unit := object{}
	if code := v.Get("code").Str(); code != "" {
		unit["id"] = "UCUM:" + code
		if c, ok := codingOf(v); ok {
			unit["id"] = c.id()
		}
	}
	if set(unit, "label", v.Get("unit").Str()); number == nil || number.Kind != jsontree.Number || len(unit) == 0 {
		return nil
	}
	return object{"unit": unit, "value": json.Number(number.Text)}
}

// report reads a DiagnosticReport: of a genetic one, when and where the test was
// done. What it concludes stands in its Observations.
func (b *builder) report(tree *jsontree.Value) {
	genetic := slices.ContainsFunc(tree.Get("category").List(), func(c *jsontree.Value) bool { return codeOf(c) == "GE" }) ||
		has(tree.Get("code"), "LOINC", "51969-4", "81247-9", "55232-3", "53039-4")
	if !genetic {
		b.find("FH005", b.where, "no genetic report; its Observations are read by themselves")
		return
	}
	b.put("$.raresync.geneticTest", b.where)
	for _, name := range []string{"effectiveDateTime", "issued"} {
		if tree.Get(name).Given() {
			set(b.test, "date", b.dateText(tree.Get(name), b.where+"."+name))
			break
		}
	}
	for _, p := range tree.Get("performer").List() {
		if b.test["lab"] == nil && linkOf(p).reference != "" {
			if made, why := b.set.deref(resource{}, tree, p); why == "" && made.Get("resourceType").Str() == "Organization" {
				set(b.test, "lab", made.Get("name").Str())
			}
		}
	}
	b.extend(b.test, tree, "$.raresync.geneticTest")
	for _, ref := range tree.Get("result").List() {
		if _, why := b.set.deref(resource{}, tree, ref); why != "" {
			b.find("FH001", b.where+".result", fmt.Sprintf("an Observation: %s", why))
		}
	}
}
