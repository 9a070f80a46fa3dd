package catalog

import (
	"errors"
	"testing"

	"github.com/raresync/raresync/registry/rule"
)

func TestNormalizeCode(t *testing.T) {
	for name, tc := range map[string]struct {
		raw    string
		system System
		want   string
		code   string
	}{
		"ORPHA":                         {"ORPHA:558", ORPHA, "ORPHA:558", ""},
		"Orphanet with colon":           {"Orphanet:558", ORPHA, "ORPHA:558", ""},
		"ORPHA without colon":           {"ORPHA558", ORPHA, "ORPHA:558", ""},
		"ORPHA with space":              {" orpha 558 ", ORPHA, "ORPHA:558", ""},
		"ORPHA in an address":           {"Orphanet_558", ORPHA, "ORPHA:558", ""},
		"ORPHA with full-width colon":   {"ORPHA：558", ORPHA, "ORPHA:558", ""},
		"ORPHA with leading zero":       {"ORPHA:0558", "", "", "DX004"},
		"ORPHA with letters":            {"ORPHA:55a", "", "", "DX004"},
		"OMIM":                          {"OMIM:154700", OMIM, "OMIM:154700", ""},
		"MIM":                           {"MIM 154700", OMIM, "OMIM:154700", ""},
		"phenotypic series":             {"OMIMPS:191100", OMIMPS, "OMIMPS:191100", ""},
		"OMIM of five digits":           {"OMIM:15470", "", "", "DX004"},
		"MONDO":                         {"MONDO:0007947", MONDO, "MONDO:0007947", ""},
		"MONDO too short":               {"MONDO:7947", "", "", "DX004"},
		"HGNC":                          {"HGNC:3603", HGNC, "HGNC:3603", ""},
		"HPO id":                        {"HP:0001250", HP, "HP:0001250", ""},
		"HPO id of an address":          {"HP_0001250", HP, "HP:0001250", ""},
		"HPO id too short":              {"HP:1250", "", "", "PH001"},
		"ICD-10":                        {"E72.2", ICD10, "E72.2", ""},
		"ICD-10 category":               {"G10", ICD10, "G10", ""},
		"ICD-10 without dot":            {"e7220", ICD10, "E72.20", ""},
		"ICD-10 with China's extension": {"E72.200X001", ICD10, "E72.200x001", ""},
		"ICD-10 with placeholder":       {"T36.0X1A", ICD10, "T36.0X1A", ""},
		"ICD-10 with asterisk":          {"I98.2*", ICD10, "I98.2", ""},
		"ICD-10 named":                  {"ICD-10: Q87.4", ICD10, "Q87.4", ""},
		"ICD-10-CM named":               {"ICD-10-CM:Q87.40", ICD10, "Q87.40", ""},
		"ICD-10 with an open dot":       {"E72.", "", "", "DX004"},
		"ICD-11":                        {"5C50.0", "", "", "DX004"},
		"empty":                         {"", "", "", "DX004"},
		"a name":                        {"马方综合征", "", "", "DX004"},
		"invalid UTF-8":                 {"E72\xff", "", "", "DX004"},
	} {
		system, got, err := NormalizeCode(tc.raw)
		var refusal *rule.Refusal
		errors.As(err, &refusal)
		if system != tc.system || got != tc.want || refusal.Code() != tc.code {
			t.Errorf("%s: %q gives %q %q %v, want %q %q %s", name, tc.raw, system, got, err, tc.system, tc.want, tc.code)
		}
	}
}

func FuzzNormalizeCode(f *testing.F) {
	for _, seed := range []string{"ORPHA:558", "e72.200X001", "HP_0001250", "ICD-10-CM:Q87.40", "E72.2+*", "１"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		Current().Search(raw)
		Current().Resolve(Query{ORPHA: raw, OMIM: raw, Name: raw, ICD10: raw})
		system, id, err := NormalizeCode(raw)
		if err != nil {
			return
		}
		again, same, err := NormalizeCode(id)
		if err != nil || again != system || same != id {
			t.Errorf("%q gives %q, which gives %q %q %v", raw, id, again, same, err)
		}
	})
}
