package fhir

import (
	"strings"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/mapping"
)

// patientReferral is the code of SNOMED for sending a patient to somebody else.
const patientReferral = "3457005"

// referral reads a ServiceRequest that sends the patient to another hospital, or
// came with the patient: it says so by code, or names the hospital in an extension.
// Any other is an order within the hospital, and counted.
func (b *builder) referral(tree *jsontree.Value) {
	f := object{}
	b.extend(f, tree, "")
	if f["to"] == nil && f["from"] == nil && !sends(tree) {
		b.set.counted["ServiceRequest"]++
		return
	}
	switch status := tree.Get("status").Str(); status {
	case "", "active", "completed", "on-hold":
	default:
		b.find("FH005", b.where, "status "+status)
		return
	}
	for _, name := range []string{"authoredOn", "occurrenceDateTime"} {
		if f["date"] == nil {
			set(f, "date", b.dateText(tree.Get(name), b.where+"."+name))
		}
	}
	for _, asked := range tree.Get("performer").List() {
		orSet(f, "to", hospitalOf(asked))
	}
	orSet(f, "from", hospitalOf(tree.Get("requester")))
	for _, why := range tree.Get("reasonCode").List() {
		orSet(f, "reason", mapping.Meaning("referral_reason", labelOf(why)))
	}
	need := []string{"date", "reason", "to"}
	if f["from"] != nil {
		need = need[:2]
	}
	if lacks := lacking(f, need...); lacks != "" {
		b.find("FH005", b.where, lacks)
		return
	}
	keep(f, tree, "authoredOn", "occurrenceDateTime", "performer", "requester", "reasonCode", "intent", "code", "category")
	b.part("referrals", found{f, b.where})
}

// sends reports whether a ServiceRequest has the code of a referral.
func sends(tree *jsontree.Value) bool {
	for _, concept := range append(tree.Get("category").List(), tree.Get("code")) {
		if c, ok := of(codings(concept), "SNOMED"); ok && c.code == patientReferral {
			return true
		}
	}
	return false
}

// hospitalOf returns the unified social credit code by which a reference names a
// hospital, or "".
func hospitalOf(ref *jsontree.Value) string {
	code := strings.ToUpper(strings.TrimSpace(ref.At("identifier", "value").Str()))
	if identity.CheckUSCC(code) != nil {
		return ""
	}
	return code
}

// orSet sets what is not there.
func orSet(into object, name, text string) {
	if into[name] == nil {
		set(into, name, text)
	}
}
