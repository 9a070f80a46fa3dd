package fhir_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
)

// about is a resource of Patient/1.
func about(kind, element, more string) string {
	return fmt.Sprintf(`{"resourceType":%q,%q:{"reference":"Patient/1"},%s}`, kind, element, more)
}

func coded(system, code, display string) string {
	return fmt.Sprintf(`{"coding":[{"system":%q,"code":%q,"display":%q}]}`, system, code, display)
}

const (
	loinc  = "http://loinc.org"
	snomed = "http://snomed.info/sct"
)

// life is what a hospital may know of one patient.
var life = []string{
	patient("1", ric), condition("Patient/1"),
	about("Observation", "subject", `"id":"f1","status":"final","code":`+coded(snomed, "8116006", "Phenotype")+`,"valueCodeableConcept":`+coded("http://human-phenotype-ontology.org", "HP:0000093", "Proteinuria")),
	about("Observation", "subject", `"id":"f2","status":"final","code":`+coded("http://purl.obolibrary.org/obo/hp.owl", "0001250", "Seizure")+`,"valueBoolean":false`),
	about("Observation", "subject", `"id":"m1","status":"final","code":`+coded(loinc, "29463-7", "Body weight")+
		`,"valueQuantity":{"value":61.50,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},"effectiveDateTime":"2021-01-02T08:00:00+08:00","method":`+coded(snomed, "1", "张三说的")+`,"note":[{"text":"张三"}]`),
	about("Observation", "subject", `"id":"v1","status":"final","code":`+coded(loinc, "69548-6", "Genetic variant assessment")+`,"component":[`+
		`{"code":`+coded(loinc, "48004-6", "")+`,"valueCodeableConcept":`+coded("http://varnomen.hgvs.org", "NM_000169.3:c.644A>G", "")+`},`+
		`{"code":`+coded(loinc, "48018-6", "")+`,"valueCodeableConcept":`+coded("https://www.genenames.org", "HGNC:4296", "GLA")+`},`+
		`{"code":`+coded(loinc, "53034-5", "")+`,"valueCodeableConcept":`+coded(loinc, "LA6707-9", "Hemizygous")+`}]`),
	`{"resourceType":"Observation","id":"i1","status":"final","code":` + coded("http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs", "diagnostic-implication", "") +
		`,"derivedFrom":[{"reference":"Observation/v1"}],"component":[{"code":` + coded(loinc, "53037-8", "") + `,"valueCodeableConcept":` + coded(loinc, "LA6668-3", "Pathogenic") + `}]}`,
	about("DiagnosticReport", "subject", `"status":"final","category":[`+coded("http://terminology.hl7.org/CodeSystem/v2-0074", "GE", "")+`],"code":`+coded(loinc, "51969-4", "")+
		`,"effectiveDateTime":"2020-05-01","extension":[{"url":"urn:raresync:type","valueCode":"panel"},{"url":"urn:raresync:result","valueCode":"causative"}]`),
	about("Encounter", "subject", `"status":"finished","serviceType":{"text":"神经内科"},"period":{"start":"2021-01-02","end":"2021-01-05"},`+
		`"extension":[{"url":"urn:raresync:vitalStatus","valueCode":"alive"},{"url":"urn:raresync:diseaseStatus","valueCode":"stable"}]`),
	about("Consent", "patient", `"status":"active","scope":`+coded("http://terminology.hl7.org/CodeSystem/consentscope", "research", "")+`,"dateTime":"2020-04-01","performer":[{"reference":"Patient/1"}]`),
	about("FamilyMemberHistory", "patient", `"status":"completed","relationship":`+coded(snomed, "60614009", "Natural brother")+`,"condition":[{"code":`+coded("http://www.orpha.net", "324", "")+`}]`),
	about("Specimen", "subject", `"id":"s1","status":"available","type":`+coded(snomed, "122555007", "Venous blood specimen")+`,"collection":{"collectedDateTime":"2020-05-06"},`+
		`"container":[{"description":"x"},{"description":"y"}],"accessionIdentifier":{"value":"B-17"},"extension":[{"url":"urn:raresync:biobank","valueString":"院生物样本库"},{"url":"urn:raresync:consent","valueCode":"yes"}]`),
	about("Specimen", "subject", `"id":"s2","status":"available","type":{"text":"DNA"},"parent":[{"reference":"Specimen/s1"}],"collection":{"collectedPeriod":{"start":"2020-05-06"}},`+
		`"extension":[{"url":"urn:raresync:biobank","valueString":"院生物样本库"},{"url":"urn:raresync:count","valueInteger":3},{"url":"urn:raresync:consent","valueCode":"yes"}]`),
	about("Specimen", "subject", `"id":"s3","status":"available","type":`+coded(snomed, "119364003", "Serum specimen")),
	about("MedicationStatement", "subject", `"status":"active","medicationReference":{"reference":"#m"},"contained":[{"resourceType":"Medication","id":"m","code":`+
		coded("http://www.whocc.no/atc", "A16AB04", "阿加糖酶β")+`}],"effectivePeriod":{"start":"2020-09-01"},"dosage":[{"doseAndRate":[{"doseQuantity":{"value":1,"unit":"mg/kg","system":"http://unitsofmeasure.org","code":"mg/kg"}}]}]`),
	about("MedicationRequest", "subject", `"status":"stopped","intent":"order","medicationReference":{"reference":"Medication/m2"},"authoredOn":"2020-08-01"`),
	`{"resourceType":"Medication","id":"m2","code":` + coded("http://www.whocc.no/atc", "N02BE01", "对乙酰氨基酚") + `}`,
	about("Procedure", "subject", `"status":"completed","code":`+coded(snomed, "70536003", "Transplant of kidney")+`,"performedDateTime":"2022-02-03"`),
	about("ServiceRequest", "subject", `"status":"active","intent":"order","authoredOn":"2020-08-02","category":[`+coded(snomed, "3457005", "Patient referral")+`],"performer":[{"identifier":{"value":"12100000400000000w"}}],"reasonCode":[{"text":"用药"}],"note":[{"text":"张三"}]`),
	about("ServiceRequest", "subject", `"status":"active","intent":"order","authoredOn":"2020-08-02","code":`+coded(loinc, "29463-7", "Body weight")+`,"performer":[{"identifier":{"value":"12100000400000000W"}}]`),
	about("ServiceRequest", "subject", `"status":"active","authoredOn":"2020-08-02","code":`+coded(snomed, "3457005", "")+`,"performer":[{"identifier":{"value":"110105199003077470"}}]`),
	about("ServiceRequest", "subject", `"status":"revoked","intent":"order","authoredOn":"2020-08-02","code":`+coded(snomed, "3457005", "Patient referral")),
	about("Procedure", "subject", `"status":"preparation","code":`+coded(snomed, "70536003", "Transplant of kidney")),
}

func TestALifeBecomesAllItsEntries(t *testing.T) {
	patients, findings := read(t, bundle("collection", life...))
	if want := "FH003 W f1: ServiceRequest 1\n" +
		"FH005 W f1 Bundle.entry[13].resource: no collected, biobank, count, consent\n" +
		"FH005 W f1 Bundle.entry[20].resource: no reason, to\n" +
		"FH005 W f1 Bundle.entry[21].resource: status revoked\n" +
		"FH005 W f1 Bundle.entry[22].resource: no status, start"; len(patients) != 1 || said(findings) != want {
		t.Fatalf("%d patients, findings\n%s", len(patients), said(findings))
	}
	e, findings, err := entries(t, patients[0])
	if err != nil {
		t.Fatalf("%v, of %s", err, patients[0].Packet)
	}
	var got []string
	for _, one := range e.All() {
		got = append(got, one.Type.String())
	}
	if want := "case genetics follow-up specimen specimen treatment treatment treatment referral"; strings.Join(got, " ") != want {
		t.Errorf("got %s, findings %s", strings.Join(got, " "), said(findings))
	}
	c := e.Case.Case
	for what, ok := range map[string]bool{
		"a feature":       c.Features[0].Type == entry.Term{ID: "HP:0000093", Label: "Proteinuria"} && !c.Features[0].Excluded,
		"one not found":   c.Features[1].Type.ID == "HP:0001250" && c.Features[1].Excluded,
		"the department":  c.Department == "神经内科",
		"the family":      c.FamilyHistory == entry.Yes,
		"last seen":       c.LastEncounter.A == "2021-01-05T00:00:00Z",
		"the verdict":     c.Verification == entry.Genetic && c.Inferred,
		"the weight":      strings.Contains(string(c.Extension), `"value":61.50`),
		"a note":          !strings.Contains(string(c.Extension), "张三"),
		"a coded element": strings.Contains(string(c.Extension), `"fhir":{"method":{"coding":[{"code":"1","system":"http://snomed.info/sct"}]}}`),
		"the variant":     e.Genetics.Genetics.Interpretations[0].Variants[0].Expressions[0].Value == "NM_000169.3:c.644A>G",
		"its class":       e.Genetics.Genetics.Interpretations[0].Variants[0].ACMG == entry.ACMGPathogenic,
		"its zygosity":    e.Genetics.Genetics.Interpretations[0].Variants[0].Zygosity == entry.Term{ID: "GENO:0000134", Label: "hemizygous"},
		"its parent":      e.Parts[2].Specimen.DerivedFrom == e.Parts[1].ID,
		"no bank number":  !strings.Contains(string(e.Parts[1].Specimen.Extension), "B-17"),
		"the agent":       e.Parts[3].Treatment.Agent == entry.Term{ID: "ATC:A16AB04", Label: "阿加糖酶β"},
		"the dose":        e.Parts[3].Treatment.Dose.Value == "1",
		"the referral":    e.Parts[6].Referral.To == "12100000400000000W" && e.Parts[6].Referral.Reason == entry.ReferralDrug && e.Parts[6].EventDate.String() == "2020-08-02",
		"the stop":        e.Parts[5].Treatment.Stop.String() == "2022-02-03",
	} {
		if !ok {
			t.Errorf("%s is wrong in %s", what, patients[0].Packet)
		}
	}
}

func TestWhatAPatientBecomesComesBack(t *testing.T) {
	patients, _ := read(t, bundle("collection", life...))
	want, err := phenopacket.Deidentify(patients[0].Packet, "case-1")
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := entries(t, patients[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := phenopacket.Write(e.Case, e.Genetics, "case-1", e.Parts...)
	if err != nil || !bytes.Equal(canonical(t, got), canonical(t, want[0])) {
		t.Errorf("%v: got\n%s\nwant\n%s", err, got, want[0])
	}
}
