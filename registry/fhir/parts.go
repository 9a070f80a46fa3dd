package fhir

import (
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/mapping"
)

// maxParts bounds the entries that a patient's specimens, or treatments, become.
const maxParts = 200

// A sample is a Specimen, until the one that it was made from is known.
type sample struct {
	found
	names  []string // under which others refer to it
	parent string
}

// kinds are the types of specimens by code of SNOMED.
var kinds = map[string]string{
	"119297000": "blood", "122555007": "blood", "119361006": "plasma", "119364003": "serum", "258566005": "DNA", "441673008": "RNA",
	"119376003": "tissue", "122575003": "urine", "119339001": "stool", "119342007": "saliva", "258450006": "cerebrospinal fluid", "440500007": "dried blood",
}

// specimen reads a Specimen; it is an entry if it has all that one needs.
func (b *builder) specimen(r resource, tree *jsontree.Value) {
	s := object{}
	if c, ok := of(codings(tree.Get("type")), "SNOMED"); ok {
		set(s, "type", kinds[c.code])
	}
	if s["type"] == nil {
		set(s, "type", mapping.Meaning("specimen_type", labelOf(tree.Get("type"))))
	}
	taken := tree.Get("collection")
	set(s, "collected", b.dateText(taken.Get("collectedDateTime"), b.where+".collection.collectedDateTime"))
	if s["collected"] == nil {
		set(s, "collected", b.dateText(taken.At("collectedPeriod", "start"), b.where+".collection.collectedPeriod.start"))
	}
	switch tree.Get("status").Str() {
	case "available":
		s["status"] = "available"
	case "unavailable", "unsatisfactory":
		s["status"] = "unknown"
	}
	if n := len(tree.Get("container").List()); n > 0 {
		s["count"] = n
	}
	if site := term(taken.Get("bodySite"), "SNOMED"); len(site) > 0 {
		s["site"] = site
	}
	if q := quantity(taken.Get("quantity")); q != nil {
		s["volume"] = q
	}
	b.extend(s, tree, "")
	if lacks := lacking(s, "type", "collected", "biobank", "count", "status", "consent"); lacks != "" {
		b.find("FH005", b.where, lacks)
		return
	}
	id := tree.At("accessionIdentifier", "value").Str()
	if id == "" {
		id = r.id
	}
	keep(s, tree, "type", "status", "collection", "container", "accessionIdentifier", "parent", "receivedTime")
	one := sample{found: found{s, b.where}, names: []string{r.url, r.kind + "/" + r.id}}
	if parents := tree.Get("parent").List(); len(parents) > 0 {
		one.parent = linkOf(parents[0]).reference
	}
	if len(tree.Get("parent").List()) > 0 || id != "" {
		s["id"] = id
	}
	b.samples = append(b.samples, one)
}

// bank gives the specimens to the packet, each with the one that it was made
// from.
func (b *builder) bank() {
	for _, s := range b.samples {
		if s.parent != "" {
			id := ""
			for _, other := range b.samples {
				for _, name := range other.names {
					if name != "" && (name == s.parent || strings.HasSuffix(s.parent, "/"+name)) {
						id, _ = other.is["id"].(string)
					}
				}
			}
			if id == "" {
				b.find("FH001", s.at+".parent", "no Specimen of the patient in the file that is an entry")
				continue
			}
			s.is["derivedFrom"] = id
		}
		b.part("specimens", s.found)
	}
}

// statuses of treatments, by those of FHIR.
var statuses = map[string]string{
	"active": "started", "in-progress": "started", "on-hold": "stopped", "completed": "stopped", "stopped": "stopped", "not-taken": "refused",
}

// treatment reads a drug or a procedure; it is an entry if it has all that one
// needs.
func (b *builder) treatment(r resource, tree *jsontree.Value) {
	t := object{}
	agent := tree.Get("code")
	if r.kind != "Procedure" {
		agent = tree.Get("medicationCodeableConcept")
		if ref := tree.Get("medicationReference"); ref.IsObject() {
			drug, why := b.set.deref(r, tree, ref)
			if why != "" {
				b.find("FH001", b.where+".medicationReference", why)
				return
			}
			agent = drug.Get("code")
		}
	}
	if is := term(agent, "ATC", "SNOMED"); len(is) > 0 {
		t["agent"] = is
	}
	set(t, "status", statuses[tree.Get("status").Str()])
	b.period(t, r, tree)
	for _, dose := range tree.Get(dosageOf(r.kind)).List() {
		for _, rate := range dose.Get("doseAndRate").List() {
			if q := quantity(rate.Get("doseQuantity")); q != nil && t["dose"] == nil {
				t["dose"] = q
			}
		}
	}
	b.extend(t, tree, "")
	need := []string{"agent", "status", "start"}
	if t["status"] == "refused" || t["status"] == "not accessible" {
		need = need[:2]
	}
	if lacks := lacking(t, need...); lacks != "" {
		b.find("FH005", b.where, lacks)
		return
	}
	keep(t, tree, "medicationCodeableConcept", "medicationReference", "code", "status", "effectiveDateTime", "effectivePeriod",
		"performedDateTime", "performedPeriod", "authoredOn", "dosage", "dosageInstruction", "intent", "dateAsserted")
	b.part("treatments", found{t, b.where})
}

func dosageOf(kind string) string {
	if kind == "MedicationRequest" {
		return "dosageInstruction"
	}
	return "dosage"
}

// period reads when a treatment began and ended. A procedure that is done began
// and ended on its day.
func (b *builder) period(t object, r resource, tree *jsontree.Value) {
	name := "effective"
	switch r.kind {
	case "Procedure":
		name = "performed"
	case "MedicationRequest":
		set(t, "start", b.dateText(tree.Get("authoredOn"), b.where+".authoredOn"))
		return
	}
	if set(t, "start", b.dateText(tree.Get(name+"DateTime"), b.where+"."+name+"DateTime")); t["start"] != nil {
		if r.kind == "Procedure" && t["status"] == "stopped" {
			t["stop"] = t["start"]
		}
		return
	}
	set(t, "start", b.dateText(tree.At(name+"Period", "start"), b.where+"."+name+"Period.start"))
	set(t, "stop", b.dateText(tree.At(name+"Period", "end"), b.where+"."+name+"Period.end"))
}

// part adds what becomes an entry of its own, within the bound.
func (b *builder) part(name string, f found) {
	if len(b.parts[name]) == maxParts {
		b.find("FH005", f.at, "beyond the limit of a patient")
		return
	}
	b.parts[name] = append(b.parts[name], f)
}

// lacking names the fields that are missing.
func lacking(o object, names ...string) string {
	var missing []string
	for _, name := range names {
		if o[name] == nil {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return ""
	}
	return "no " + strings.Join(missing, ", ")
}
