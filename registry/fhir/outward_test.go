package fhir

import (
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
)

// TestWhatIsWrittenIsReadBack holds the addresses and answers that are written against
// those that are read.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for prefix, address := range addresses {
		name := strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(address, "http://"), "www."))
		if prefixes[name] != prefix {
			t.Errorf("%s is written as %s and read as %q", prefix, address, prefixes[name])
		}
	}
	for id, want := range map[string]string{
		"ORPHA:324": "http://www.orpha.net 324", "E75.2": "http://hl7.org/fhir/sid/icd-10 E75.2", "HP:0001250": "http://human-phenotype-ontology.org HP:0001250",
		"LIST:1.27": "urn:raresync:list 1.27", "UCUM:mg/kg": "http://unitsofmeasure.org mg/kg", "ATC:A16AB04": "http://www.whocc.no/atc A16AB04",
	} {
		if system, code, ok := Coding(id); !ok || system+" "+code != want {
			t.Errorf("%s: %s %s, want %s", id, system, code, want)
		}
	}
	for _, id := range []string{"", "XX:1", "ATC:", "法布雷病"} {
		if system, code, ok := Coding(id); ok {
			t.Errorf("%q is a code: %s %s", id, system, code)
		}
	}
	for k := entry.SpecimenBlood; k <= entry.SpecimenOther; k++ {
		if code := SpecimenCode(k); code != "" && kinds[code] != k.String() {
			t.Errorf("%s is written as %s, which is %s", k, code, kinds[code])
		}
	}
	for c := entry.ACMGBenign; c <= entry.ACMGPathogenic; c++ {
		if Class(c) == "" {
			t.Errorf("%s has no answer of LOINC", c)
		}
	}
	if Class(entry.ACMGNotProvided) != "" || Zygosity("", "") != "" || Zygosity("GENO:0000134", "") != Zygosity("", "hemizygous") {
		t.Error("an answer for nothing, or two for one state")
	}
}
