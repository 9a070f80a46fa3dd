package fhir

import (
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/jsontree"
)

type object = map[string]any

// prefixes name the code systems as a packet does. Systems are written without
// scheme, www and a last slash.
var prefixes = map[string]string{
	"urn:raresync:list": "LIST", "orpha.net": "ORPHA", "orpha.net/ordo": "ORPHA", "ordo.orpha.net": "ORPHA", "omim.org": "OMIM",
	"urn:oid:2.16.840.1.113883.6.174": "OMIM", "purl.obolibrary.org/obo/mondo.owl": "MONDO", "purl.obolibrary.org/obo/mondo": "MONDO",
	"hl7.org/fhir/sid/icd-10": "ICD10", "hl7.org/fhir/sid/icd-10-cm": "ICD10", "hl7.org/fhir/sid/icd-10-gm": "ICD10",
	"fhir.de/codesystem/bfarm/icd-10-gm": "ICD10", "urn:oid:2.16.156.10011.2.3.3.11": "ICD10", "urn:oid:2.16.840.1.113883.6.3": "ICD10",
	"urn:oid:2.16.840.1.113883.6.90": "ICD10", "snomed.info/sct": "SNOMED", "human-phenotype-ontology.org": "HP",
	"purl.obolibrary.org/obo/hp.owl": "HP", "purl.obolibrary.org/obo/hp": "HP", "genenames.org": "HGNC", "genenames.org/geneid": "HGNC",
	"loinc.org": "LOINC", "whocc.no/atc": "ATC", "unitsofmeasure.org": "UCUM", "nlm.nih.gov/research/umls/rxnorm": "RxNorm",
	"varnomen.hgvs.org": "HGVS", "ncbi.nlm.nih.gov/refseq": "RefSeq",
}

// telling orders the systems in which a disease may be coded.
var telling = []string{"LIST", "ORPHA", "OMIM", "MONDO", "ICD10", "SNOMED"}

// A coding is one code with its name.
type coding struct{ system, code, label string }

// id writes the code as a packet does: "ORPHA:324", "E75.2".
func (c coding) id() string {
	if c.system == "ICD10" {
		return c.code
	}
	return c.system + ":" + c.code
}

// codings are the codes of a CodeableConcept in systems that have a name here.
func codings(concept *jsontree.Value) (all []coding) {
	for _, c := range concept.Get("coding").List() {
		if one, ok := codingOf(c); ok {
			all = append(all, one)
		}
	}
	return all
}

func codingOf(c *jsontree.Value) (coding, bool) {
	name := strings.TrimPrefix(strings.TrimPrefix(c.Get("system").Str(), "https://"), "http://")
	prefix := prefixes[strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "www."), "/"))]
	code := strings.TrimSpace(c.Get("code").Str())
	if prefix == "" || code == "" {
		return coding{}, false
	}
	if prefix == "HGVS" {
		return coding{prefix, code, ""}, true
	}
	raw := code
	if !strings.Contains(code, ":") && !strings.HasPrefix(strings.ToUpper(code), "ORPHA") {
		raw = prefix + ":" + code
	}
	if system, normal, err := catalog.NormalizeCode(raw); err == nil && string(system) == prefix {
		code = normal
	}
	return coding{prefix, strings.TrimPrefix(code, prefix+":"), c.Get("display").Str()}, true
}

// of returns the first code in one of some systems.
func of(all []coding, systems ...string) (coding, bool) {
	for _, system := range systems {
		if i := slices.IndexFunc(all, func(c coding) bool { return c.system == system }); i >= 0 {
			return all[i], true
		}
	}
	return coding{}, false
}

// has reports whether a concept has a code of a system.
func has(concept *jsontree.Value, system string, codes ...string) bool {
	return slices.ContainsFunc(codings(concept), func(c coding) bool {
		return c.system == system && slices.Contains(codes, c.code)
	})
}

// codeOf returns the first code of a concept, whatever its system.
func codeOf(concept *jsontree.Value) string {
	for _, c := range concept.Get("coding").List() {
		return c.Get("code").Str()
	}
	return ""
}

// labelOf returns what a concept is called: its text, or the name of its first
// code that has one.
func labelOf(concept *jsontree.Value) string {
	if text := concept.Get("text").Str(); text != "" {
		return text
	}
	for _, c := range concept.Get("coding").List() {
		if name := c.Get("display").Str(); name != "" {
			return name
		}
	}
	return ""
}

// term writes a concept as an ontology class: its first code in one of the
// systems, in the order given, else its first of any, with the name.
func term(concept *jsontree.Value, systems ...string) object {
	all := codings(concept)
	c, ok := of(all, systems...)
	if !ok && len(all) > 0 {
		c, ok = all[0], true
	}
	out := object{}
	if ok {
		out["id"] = c.id()
	}
	set(out, "label", labelOf(concept))
	return out
}

// yes reads an answer in SNOMED or as a boolean: "yes", "no" or "".
func yes(v *jsontree.Value) string {
	switch {
	case v == nil:
	case v.Kind == jsontree.Literal && v.Text == "true" || has(v, "SNOMED", "373066001"):
		return "yes"
	case v.Kind == jsontree.Literal && v.Text == "false" || has(v, "SNOMED", "373067005"):
		return "no"
	}
	return ""
}

func set(into object, name, text string) {
	if text != "" {
		into[name] = text
	}
}
