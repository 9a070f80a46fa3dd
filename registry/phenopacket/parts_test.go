package phenopacket_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
)

// kinds names the types of entries.
func kinds(list []entry.Entry) string {
	var names []string
	for _, e := range list {
		names = append(names, e.Type.String())
	}
	return strings.Join(names, " ")
}

// withParts is the sample of the page with a death besides.
func withParts(t *testing.T) string {
	t.Helper()
	const death = `"death": {"date": "2022-03-04", "cause": {"id": "ICD10:I42.9", "label": "心肌病"}, "related": "yes"}, "department"`
	return strings.Replace(strings.Replace(sample(t), `"department"`, death, 1), `"ALIVE"`, `"DECEASED"`, 1)
}

func TestEveryPartIsAnEntryOfItsCase(t *testing.T) {
	in := withParts(t)
	if got := findings(t, in, entry.Report); got != "" {
		t.Fatal(got)
	}
	e := entries(t, in)
	if got := kinds(e.Parts); got != "follow-up specimen specimen treatment death referral" {
		t.Fatalf("parts are %s", got)
	}
	for _, part := range e.Parts {
		if part.BelongsTo() != e.Case.ID {
			t.Errorf("a %s does not name its case", part.Type)
		}
		raw, err := entry.Encode(part)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := entry.Decode(raw); err != nil || got.Of() != part.Type {
			t.Errorf("a %s comes back as %s: %v", part.Type, got.Type, err)
		}
	}
	dna, blood := e.Parts[2], e.Parts[1]
	if dna.Specimen.DerivedFrom != blood.ID || blood.Specimen.DerivedFrom != [32]byte{} {
		t.Error("the DNA does not name the blood that it was made from")
	}
	if n, _ := dna.Specimen.Count.Value(); n != 3 || dna.Specimen.Storage != entry.StorageDeep || dna.Specimen.Volume.Value != "50" {
		t.Errorf("the specimen is %+v", dna.Specimen)
	}
	drug := e.Parts[3].Treatment
	if drug.Agent.ID != "ATC:A16AB04" || drug.Access != entry.AccessInsurance || drug.OutOfPocket != entry.BandTo5000 {
		t.Errorf("the treatment is %+v", drug)
	}
	if d := e.Parts[4]; d.EventDate.String() != "2022-03-04" || d.Death.Related != entry.Yes {
		t.Errorf("the death is %+v", d)
	}
	if r := e.Parts[5].Referral; r.From == "" || r.Reason != entry.ReferralDiagnosis {
		t.Errorf("the referral is %+v", r)
	}
}

func parsed(t *testing.T, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The biobank's own numbers of specimens stay in the hospital, and nothing else of
// the parts is lost.
func TestPartsComeBackWithoutTheBiobanksNumbers(t *testing.T) {
	in := withParts(t)
	e := entries(t, in)
	got, err := phenopacket.Write(e.Case, e.Genetics, "case-1", e.Parts...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := phenopacket.Deidentify([]byte(in), "case-1")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(parsed(t, got), parsed(t, want[0])) {
		t.Errorf("got %s\nwant %s", got, want[0])
	}
	if strings.Contains(string(got), "B-17") || !strings.Contains(string(got), `"derivedFrom": "specimen-1"`) {
		t.Errorf("the numbers in the biobank are not replaced: %s", got)
	}
}

func TestPartsOfAnotherShapeStayInTheCase(t *testing.T) {
	whole := entries(t, sample(t))
	raw, err := phenopacket.Write(whole.Case, whole.Genetics, "x")
	if err != nil {
		t.Fatal(err)
	}
	bare := string(raw)
	for name, member := range map[string]string{
		"no list":        `"specimens": {"type": "blood"}`,
		"not of objects": `"treatments": ["ATC:A16AB04"]`,
		"an empty death": `"death": {}`,
	} {
		e := entries(t, strings.Replace(bare, `"department"`, member+`, "department"`, 1))
		raw, err := phenopacket.Write(e.Case, e.Genetics, "x", e.Parts...)
		if err != nil {
			t.Fatal(err)
		}
		if field, _, _ := strings.Cut(member, ":"); !bytes.Contains(raw, []byte(field)) {
			t.Errorf("%s: %s is lost", name, field)
		}
	}
}

func TestASpecimenDerivesFromOneOfThePacket(t *testing.T) {
	for name, change := range map[string][2]string{
		"unknown": {`"derivedFrom": "B-17"`, `"derivedFrom": "B-99"`},
		"itself":  {`"derivedFrom": "B-17"`, `"derivedFrom": "B-18"`},
	} {
		got := findings(t, strings.Replace(sample(t), change[0], change[1], 1), entry.Report)
		if !strings.Contains(got, "SP002") || !strings.Contains(got, "$.raresync.specimens[1].derivedFrom") || strings.Contains(got, "B-") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// Parts of an envelope come back in any order, and those of one kind are told
// apart by their dates.
func TestPartsMayComeBackInAnotherOrder(t *testing.T) {
	e := entries(t, withParts(t))
	slices.Reverse(e.Parts)
	raw, err := phenopacket.Write(e.Case, nil, "x", e.Parts...)
	if err != nil {
		t.Fatal(err)
	}
	if again := entries(t, string(raw)); kinds(again.Parts) != "follow-up specimen specimen treatment death referral" {
		t.Errorf("parts are %s", kinds(again.Parts))
	}
	if _, err := phenopacket.Write(e.Case, nil, "x", e.Case); err == nil {
		t.Error("a case is taken as a part of a case")
	}
}
