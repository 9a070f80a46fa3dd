package fhir

import (
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/mapping"
)

// addresses are those of the code systems, by the prefixes that packets write.
var addresses = map[string]string{
	"LIST": "urn:raresync:list", "ORPHA": "http://www.orpha.net", "OMIM": "http://www.omim.org", "MONDO": "http://purl.obolibrary.org/obo/mondo.owl",
	"ICD10": "http://hl7.org/fhir/sid/icd-10", "SNOMED": "http://snomed.info/sct", "HP": "http://human-phenotype-ontology.org",
	"HGNC": "http://www.genenames.org", "LOINC": "http://loinc.org", "ATC": "http://www.whocc.no/atc", "UCUM": "http://unitsofmeasure.org",
	"RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
}

// Coding returns the address of a code's system and the code in it, of a code as
// entries hold it: "ORPHA:324", "E75.2". ok is false of a system without an address.
func Coding(id string) (system, code string, ok bool) {
	prefix, rest, _ := strings.Cut(id, ":")
	if known, normal, err := catalog.NormalizeCode(id); err == nil {
		if prefix, rest, _ = strings.Cut(normal, ":"); known == catalog.ICD10 {
			prefix, rest = string(known), normal
		}
	}
	if prefix == "HP" { // its codes have the prefix within
		rest = prefix + ":" + rest
	}
	system = addresses[prefix]
	return system, rest, system != "" && rest != ""
}

// Zygosity returns LOINC's answer for an allelic state, as a packet writes it, or "".
func Zygosity(id, label string) string {
	for answer, word := range zygosities {
		if word == label || id != "" && id == mapping.Meaning("zygosity", word) {
			return answer
		}
	}
	return ""
}

// Class returns LOINC's answer for a pathogenicity class by its number, or "".
func Class(c entry.ACMG) string {
	name := strings.ToUpper(strings.ReplaceAll(c.String(), " ", "_"))
	for answer, class := range classes {
		if class == name {
			return answer
		}
	}
	return ""
}

// SpecimenCode returns the code in SNOMED CT of a kind of specimen, or "".
func SpecimenCode(k entry.SpecimenKind) (least string) {
	for code, word := range kinds {
		if word == k.String() && (least == "" || code < least) {
			least = code
		}
	}
	return least
}
