package dataset

import (
	"fmt"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/fhir"
)

// observations are the features of a case, seen or looked for in vain, its variants,
// and what was measured at visits.
func observations(r *Row) (out []object) {
	observe := func(code object) object {
		o := r.resource("Observation", fmt.Sprintf("-%d", len(out)+1))
		o["status"], o["code"] = "final", code
		out = append(out, o)
		return o
	}
	for _, f := range r.Case.Case.Features {
		observe(concept(f.Type.Label, f.Type.ID))["valueBoolean"] = !f.Excluded
	}
	if r.Genetics != nil {
		for _, in := range r.Genetics.Genetics.Interpretations {
			for _, v := range in.Variants {
				observe(concept("", "LOINC:69548-6"))["component"] = components(v)
			}
		}
	}
	for _, p := range r.Parts {
		if p.FollowUp == nil {
			continue
		}
		for _, m := range p.FollowUp.Measurements {
			if q := quantity(m.Value, m.Unit); q != nil {
				o := observe(concept(m.Assay.Label, m.Assay.ID))
				o["valueQuantity"] = q
				given(o, "effectiveDateTime", p.EventDate.String())
			}
		}
	}
	return out
}

// components say a variant by LOINC's codes.
func components(v entry.Variant) (out []object) {
	say := func(code string, value object) {
		out = append(out, object{"code": concept("", "LOINC:"+code), "valueCodeableConcept": value})
	}
	if v.Gene.Given() {
		say("48018-6", concept(v.Gene.Label, v.Gene.ID))
	}
	for _, e := range v.Expressions {
		if code := map[string]string{"hgvs.c": "48004-6", "hgvs.p": "48005-3", "hgvs.g": "81290-9"}[e.Syntax]; code != "" {
			say(code, object{"coding": []object{{"system": "http://varnomen.hgvs.org", "code": e.Value}}})
		}
	}
	if answer := fhir.Zygosity(v.Zygosity.ID, v.Zygosity.Label); answer != "" {
		say("53034-5", concept(v.Zygosity.Label, "LOINC:"+answer))
	}
	if answer := fhir.Class(v.ACMG); answer != "" {
		say("53037-8", concept(v.ACMG.String(), "LOINC:"+answer))
	}
	return out
}

// reports are the genetic test of a row.
func reports(r *Row) []object {
	if r.Genetics == nil {
		return nil
	}
	g := r.Genetics.Genetics
	o := r.resource("DiagnosticReport", "-report")
	o["status"], o["code"] = "final", concept("", "LOINC:51969-4")
	o["category"] = []object{{"coding": []object{{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "GE"}}}}
	given(o, "effectiveDateTime", r.Genetics.EventDate.String())
	extension(o, "type", g.Test.String())
	extension(o, "result", g.Outcome().String())
	extension(o, "lab", g.Lab)
	return []object{o}
}

// specimens are those of a row. The number in the biobank is in no entry.
func specimens(r *Row) (out []object) {
	names := map[[32]byte]string{}
	for _, p := range r.Parts {
		if p.Specimen != nil {
			names[p.ID] = fmt.Sprintf("-specimen-%d", len(names)+1)
		}
	}
	for _, p := range r.Parts {
		s := p.Specimen
		if s == nil {
			continue
		}
		o := r.resource("Specimen", names[p.ID])
		o["status"] = map[bool]string{true: "available", false: "unavailable"}[s.Status == entry.SpecimenAvailable]
		o["type"] = concept(s.Kind.String(), "SNOMED:"+fhir.SpecimenCode(s.Kind))
		taken := object{}
		given(taken, "collectedDateTime", p.EventDate.String())
		if s.Site.Given() {
			taken["bodySite"] = concept(s.Site.Label, s.Site.ID)
		}
		if q := quantity(s.Volume.Value, s.Volume.Unit); q != nil {
			taken["quantity"] = q
		}
		if len(taken) > 0 {
			o["collection"] = taken
		}
		if parent := names[s.DerivedFrom]; parent != "" {
			o["parent"] = []object{{"reference": fmt.Sprintf("Specimen/entry-%d%s", r.Index, parent)}}
		}
		extension(o, "status", s.Status.String())
		extension(o, "count", countOf(s.Count))
		extension(o, "biobank", s.Biobank)
		extension(o, "consent", s.Consent.String())
		extension(o, "sprec", s.SPREC)
		extension(o, "storage", s.Storage.String())
		if s.PostMortem {
			extension(o, "postMortem", true)
		}
		if s.Prenatal {
			extension(o, "prenatal", true)
		}
		out = append(out, o)
	}
	return out
}

// medications are the treatments of a row, also those that could not be had.
func medications(r *Row) (out []object) {
	for _, p := range r.Parts {
		t := p.Treatment
		if t == nil {
			continue
		}
		o := r.resource("MedicationStatement", fmt.Sprintf("-treatment-%d", len(out)+1))
		o["status"] = map[entry.TreatmentStatus]string{
			entry.TreatmentStatusNotGiven: "unknown", entry.TreatmentStarted: "active", entry.TreatmentStopped: "stopped",
			entry.TreatmentRefused: "not-taken", entry.TreatmentNotAccessible: "not-taken",
		}[t.Status]
		o["medicationCodeableConcept"] = concept(t.Agent.Label, t.Agent.ID)
		period := object{}
		given(period, "start", p.EventDate.String())
		given(period, "end", t.Stop.String())
		if len(period) > 0 {
			o["effectivePeriod"] = period
		}
		if q := quantity(t.Dose.Value, t.Dose.Unit); q != nil {
			o["dosage"] = []object{{"doseAndRate": []object{{"doseQuantity": q}}}}
		}
		extension(o, "status", t.Status.String())
		extension(o, "stopReason", t.Reason.String())
		extension(o, "line", countOf(t.Line))
		extension(o, "response", t.Response.String())
		extension(o, "access", t.Access.String())
		extension(o, "payer", t.Payer)
		extension(o, "outOfPocket", t.OutOfPocket.String())
		extension(o, "monthsWaiting", countOf(t.MonthsWaiting))
		out = append(out, o)
	}
	return out
}

// visits are the follow-ups of a row.
func visits(r *Row) (out []object) {
	for _, p := range r.Parts {
		f := p.FollowUp
		if f == nil {
			continue
		}
		o := r.resource("Encounter", fmt.Sprintf("-visit-%d", len(out)+1))
		o["status"] = "finished"
		o["class"] = object{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
		if p.EventDate.Known() {
			o["period"] = object{"start": p.EventDate.String()}
		}
		extension(o, "visitDate", p.EventDate.String())
		extension(o, "vitalStatus", f.Vital.String())
		extension(o, "diseaseStatus", f.Disease.String())
		extension(o, "nextVisit", f.NextVisit.String())
		extension(o, "scale", f.Scale)
		extension(o, "score", f.Score)
		out = append(out, o)
	}
	return out
}
