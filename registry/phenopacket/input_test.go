package phenopacket_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// sample returns the case file that docs/INPUT.md shows.
func sample(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "INPUT.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```json\n")
	file, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("docs/INPUT.md shows no sample")
	}
	return file
}

// findings returns what is found in a packet under a profile, each on a line.
func findings(t *testing.T, in string, p entry.Profile) string {
	t.Helper()
	o := options
	o.Profile = p
	_, found, err := read(t, in)[0].Accept(o, context)
	if (err != nil) != (rule.Refusals(found) != nil) {
		t.Fatalf("refused with %v, found %v", err, found)
	}
	var lines []string
	for _, f := range found {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

func TestTheSampleOfThePageRaisesNothing(t *testing.T) {
	for _, p := range []entry.Profile{entry.Report, entry.Cohort} {
		if got := findings(t, sample(t), p); got != "" {
			t.Errorf("%s: %s", p, got)
		}
	}
	if e := entries(t, sample(t)); e.Case.Profile != entry.Report || e.Genetics == nil || kinds(e.Parts) != "follow-up specimen specimen treatment referral" {
		t.Errorf("the sample does not become a case, a genetic result and its parts: %s", kinds(e.All()))
	}
}

func TestAByteOrderMarkIsLeftOutOnce(t *testing.T) {
	const mark = "\ufeff"
	got, want := entries(t, mark+sample(t)), entries(t, sample(t))
	if got.Case.ID != want.Case.ID {
		t.Error("the mark changes the entry")
	}
	if _, err := phenopacket.Read("x.json", bytes.NewReader([]byte(mark+mark+sample(t))), phenopacket.Limits{}); err == nil {
		t.Error("two marks are read")
	}
}

func TestValuesThatMeanNothingAreNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		from, to string
		profile  entry.Profile
		want     []string
	}{
		"a sex that is no word of the schema": {`"MALE"`, `"XX"`, entry.Report, []string{
			"DX003 W x.json $.subject.sex: not one of MALE, FEMALE,", "RQ001 E x.json $.subject.sex: profile report needs the sex at birth"}},
		"an enumeration as a number": {`"MALE"`, `1`, entry.Published, []string{"DX003 W x.json $.subject.sex"}},
		"an enumeration as a list":   {`"MALE"`, `["MALE"]`, entry.Published, []string{"PP002 E x.json $.subject.sex"}},
		"a vital status of no kind": {`"ALIVE"`, `"WELL"`, entry.Report, []string{
			"DX003 W x.json $.subject.vitalStatus.status", "RQ001 E x.json $.subject.vitalStatus.status: profile report needs the vital status"}},
		"a vital status of a visit": {`"alive"`, `"well"`, entry.Cohort, []string{
			"DX003 W x.json $.raresync.followUps[0].vitalStatus", "RQ001 E x.json $.raresync.followUps[0].vitalStatus: profile cohort needs the vital status"}},
		"a province that is none, to report":          {`"44"`, `"99"`, entry.Report, []string{"RQ001 E x.json $.raresync.province: profile report needs the first two digits of GB/T 2260"}},
		"a province that is none, in a published one": {`"44"`, `"99"`, entry.Published, []string{"DX003 W x.json $.raresync.province"}},
		"a province as a number":                      {`"44"`, `44`, entry.Published, []string{"PP002 E x.json $.raresync.province"}},
		"fewer than no hospitals":                     {`"hospitalsBefore": 3`, `"hospitalsBefore": -5`, entry.Report, []string{"PP002 E x.json $.raresync.hospitalsBefore: not a whole number"}},
		"a word for whether a feature is excluded":    {`"excluded": true`, `"excluded": "yes"`, entry.Report, []string{"PP002 E x.json $.phenotypicFeatures[1].excluded"}},
		"an ACMG class of no kind": {`"PATHOGENIC"`, `"BAD"`, entry.Report, []string{
			"DX003 W x.json $.interpretations[0].diagnosis.genomicInterpretations[0].variantInterpretation.acmgPathogenicityClassification"}},
		"a child's consent of its own": {`"department"`, `"basis": "consent", "consent": {"by": "self", "date": "2014-05-01"}, "department"`, entry.Report, []string{
			"CN002 E x.json $.raresync.consent.by"}},
		"its guardian's consent": {`"department"`, `"basis": "consent", "consent": {"by": "guardian", "date": "2014-05-01"}, "department"`, entry.Report, nil},
		"a basis of no kind": {`"department"`, `"basis": "habit", "department"`, entry.Report, []string{
			"PP002 E x.json $.raresync.basis: not one of statutory, consent, both"}},
		"a basis as a number":            {`"department"`, `"basis": 2, "department"`, entry.Report, []string{"PP002 E x.json $.raresync.basis: not one of statutory, consent, both"}},
		"the basis that goes without it": {`"department"`, `"basis": "statutory", "department"`, entry.Report, nil},
		"a consent of no day":            {`"department"`, `"consent": {"date": "spring"}, "department"`, entry.Report, []string{"DT001 E x.json $.raresync.consent.date"}},
		"no diagnosis date":              {`"diagnosisDate": "2020-05-06",`, ``, entry.Report, []string{"RQ001 E x.json $.raresync.diagnosisDate: profile report needs the diagnosis date"}},
		"an explicit null":               {`"hospitalsBefore": 3`, `"hospitalsBefore": null`, entry.Report, nil},
	} {
		in := strings.Replace(sample(t), tc.from, tc.to, 1)
		if in == sample(t) {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if tc.profile == entry.Published {
			in = strings.Replace(in, `"metaData": {`, `"metaData": {"externalReferences": [{"id": "PMID:1"}],`, 1)
		}
		got := findings(t, in, tc.profile)
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if n := len(strings.Split(got, "\n")); got != "" && n != len(tc.want) || got == "" && tc.want != nil {
			t.Errorf("%s: got %q, want %d findings", name, got, len(tc.want))
		}
	}
}

// The basis that a file states holds for every entry of the case, and comes back
// in an export with all that the file says of the consent.
func TestTheStatedBasisHoldsForTheWholeCase(t *testing.T) {
	in := strings.Replace(sample(t), `"department"`, `"basis": "both", "consent": {"by": "self", "date": "2020-05-06"}, "department"`, 1)
	e := entries(t, in)
	for _, one := range e.All() {
		if one.Basis != entry.BasisBoth {
			t.Errorf("the %s has the basis %s", one.Type, one.Basis)
		}
	}
	raw, err := phenopacket.Write(e.Case, e.Genetics, "x", e.Parts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"basis":"both"`, `"by":"self"`, `"date":"2020-05-06"`} {
		if !strings.Contains(strings.ReplaceAll(string(raw), `": "`, `":"`), want) {
			t.Errorf("the export lacks %s: %s", want, raw)
		}
	}
}
