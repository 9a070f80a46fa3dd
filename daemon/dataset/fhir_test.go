package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/validate"
)

var todayInTests = entry.Date{Year: 2026, Month: 11, Day: 22}

// accepted are the entries of a phenopacket.
func accepted(t testing.TB, name string, raw []byte) (phenopacket.Entries, error) {
	t.Helper()
	packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
	if err != nil {
		return phenopacket.Entries{}, err
	}
	e, _, err := packets[0].Accept(phenopacket.Options{Key: [32]byte{1}, Catalog: catalog.Current(), Basis: entry.BasisStatutory, Source: entry.SourcePhenopacket},
		validate.Context{Today: todayInTests})
	return e, err
}

// lives are rows of made-up patients with all that belongs to them.
func lives(t testing.TB, n int) *Set {
	t.Helper()
	s := &Set{Genetics: true, of: func(uint32) Hospital { return Hospital{Name: "医院", Province: "31"} }}
	for f := range generate.Files(generate.Options{Seed: 11, Hospitals: 1, Patients: n, Today: todayInTests, Catalog: catalog.Current()}) {
		e, err := accepted(t, f.Name, f.Raw)
		if err != nil {
			continue // a mistake that the generator made on purpose
		}
		i := len(s.Rows)
		if i%5 == 0 {
			for _, kind := range []entry.SpecimenKind{entry.SpecimenBlood, entry.SpecimenDNA} {
				b := banked(byte(i), kind)
				b.Specimen.PostMortem = e.Case.Case.Life.Status == entry.Dead
				e.Parts = append(e.Parts, b)
			}
			e.Parts = append(e.Parts, lacking())
		}
		s.Rows = append(s.Rows, Row{Index: uint64(i), Day: "2026-11-01", Hospital: 1, Person: fmt.Sprintf("%032x", i), Case: e.Case, Genetics: e.Genetics, Parts: e.Parts})
	}
	return s
}

// banked is a specimen, or the DNA that was made from it.
func banked(n byte, kind entry.SpecimenKind) entry.Entry {
	e := entry.Entry{Type: entry.TypeSpecimen, ID: [32]byte{n, byte(kind)}, Facts: entry.Blank(entry.TypeSpecimen), EventDate: entry.Date{Year: 2025, Month: 5, Day: 6}}
	*e.Specimen = entry.Specimen{
		Kind: kind, Status: entry.SpecimenStatus(1 + n%5), Count: entry.CountOf(2), Biobank: "样本库", Consent: entry.Yes, SPREC: "SER-PL1-A-B-N-B-A", Storage: entry.StorageDeep,
		Site: entry.Term{ID: "SNOMED:368208006", Label: "Left upper arm"}, Volume: entry.Quantity{Value: "2.50", Unit: entry.Term{ID: "UCUM:mL", Label: "mL"}},
	}
	if kind == entry.SpecimenDNA {
		e.Specimen.DerivedFrom = [32]byte{n, byte(entry.SpecimenBlood)}
	}
	return e
}

// lacking is a treatment that could not be had.
func lacking() entry.Entry {
	e := entry.Entry{Type: entry.TypeTreatment, Facts: entry.Blank(entry.TypeTreatment)}
	*e.Treatment = entry.Treatment{
		Agent: entry.Term{ID: "ATC:A16AB04", Label: "阿加糖酶β"}, Status: entry.TreatmentNotAccessible, Access: entry.AccessOwnMeans, Payer: "<自费>",
		OutOfPocket: entry.BandAbove20000, MonthsWaiting: entry.CountOf(0), Line: entry.CountOf(1), Response: entry.ResponseUnknown,
		Dose: entry.Quantity{Value: "1", Unit: entry.Term{ID: "UCUM:mg/kg", Label: "mg/kg"}},
	}
	return e
}

// TestFHIRSaysWhatTheEntriesSay reads what is handed out by the reader of hospitals'
// FHIR, and compares it with the entries that it was made of.
func TestFHIRSaysWhatTheEntriesSay(t *testing.T) {
	s := lives(t, 150)
	set := fhir.NewSet(fhir.Limits{})
	for _, file := range Files("fhir") {
		raw := written(t, s, "fhir", file)
		if len(raw) == 0 {
			t.Errorf("%s is empty: the test says little", file)
		}
		if err := set.Add(file, raw); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	again := map[string]phenopacket.Entries{}
	for p := range set.Patients() {
		e, err := accepted(t, p.Subject, p.Packet)
		if err != nil {
			t.Errorf("%s: %v, findings %v, of %s", p.Subject, err, p.Findings, p.Packet)
		}
		again[p.Subject] = e
	}
	if len(again) != len(s.Rows) || len(s.Rows) < 100 {
		t.Fatalf("%d patients of %d rows", len(again), len(s.Rows))
	}
	counts := map[string]int{}
	for _, r := range s.Rows {
		got, want := phrases(again[r.Person].Case, again[r.Person].Genetics, again[r.Person].Parts), phrases(r.Case, r.Genetics, r.Parts)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d: got\n%s\nwant\n%s", r.Index, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, phrase := range want {
			kind, _, _ := strings.Cut(phrase, " ")
			counts[kind]++
		}
	}
	for _, kind := range []string{"patient", "disease", "onset", "feature", "test", "variant", "specimen", "treatment", "visit"} {
		if counts[kind] < 3 {
			t.Errorf("%d of %s: the test says little", counts[kind], kind)
		}
	}
}

// phrases say what entries hold that FHIR is to carry, sorted.
func phrases(c entry.Entry, genetics *entry.Entry, parts []entry.Entry) (out []string) {
	say := func(kind string, values ...any) { out = append(out, kind+" "+fmt.Sprintln(values...)) }
	if c.Case == nil {
		return nil
	}
	k := c.Case
	say("patient", k.Sex, k.Birth, k.Life.Status, k.Province, k.Department, k.Verification, c.EventDate)
	for _, d := range k.Diseases {
		say("disease", d.Codes, d.Text, d.Excluded, d.Match.Rows)
		if d.Onset.Kind == entry.WhenAge {
			say("onset", d.Onset.A)
		}
	}
	for _, f := range k.Features {
		say("feature", f.Type, f.Excluded)
	}
	if genetics != nil {
		g := genetics.Genetics
		say("test", g.Test, g.Outcome(), g.Lab, genetics.EventDate)
		for _, in := range g.Interpretations {
			for _, v := range in.Variants {
				say("variant", v.Gene, v.Expressions, v.Zygosity, v.ACMG)
			}
		}
	}
	for _, p := range parts {
		switch {
		case p.Specimen != nil:
			x := p.Specimen
			say("specimen", p.EventDate, x.Kind, x.Status, x.Count, x.Biobank, x.Consent, x.SPREC, x.Storage, x.PostMortem, x.Site, x.Volume, x.DerivedFrom != [32]byte{})
		case p.Treatment != nil:
			x := p.Treatment
			say("treatment", p.EventDate, x.Agent, x.Status, x.Stop, x.Reason, x.Dose.Value, x.Line, x.Response, x.Access, x.Payer, x.OutOfPocket, x.MonthsWaiting)
		case p.FollowUp != nil:
			x := p.FollowUp
			say("visit", p.EventDate, x.Vital, x.Disease, x.NextVisit, x.Scale, x.Score)
		}
	}
	slices.Sort(out)
	return out
}

func TestFHIRHasNothingGeneticWithoutTheRight(t *testing.T) {
	s := lives(t, 60)
	s.Genetics = false
	for i := range s.Rows {
		s.Rows[i].Genetics = nil
	}
	for _, file := range Files("fhir") {
		raw := written(t, s, "fhir", file)
		for _, word := range []string{"hgvs", "69548-6", "48018-6", "51969-4", "NM_"} {
			if bytes.Contains(raw, []byte(word)) {
				t.Errorf("%s says %s", file, word)
			}
		}
	}
}

// TestEveryResourceIsOneThatFHIRKnows looks at what R4 wants of each.
func TestEveryResourceIsOneThatFHIRKnows(t *testing.T) {
	s := lives(t, 60)
	needs := map[string][]string{
		"Patient": {"id"}, "Condition": {"id", "subject"}, "Observation": {"id", "subject", "status", "code"}, "DiagnosticReport": {"id", "subject", "status", "code"},
		"Specimen": {"id", "subject", "status"}, "MedicationStatement": {"id", "subject", "status", "medicationCodeableConcept"}, "Encounter": {"id", "subject", "status", "class"},
	}
	ids := map[string]bool{}
	for _, file := range Files("fhir") {
		for line := range bytes.Lines(written(t, s, "fhir", file)) {
			var resource map[string]any
			if err := json.Unmarshal(line, &resource); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			kind, _ := resource["resourceType"].(string)
			id := fmt.Sprint(kind, "/", resource["id"])
			if ids[id] || needs[kind] == nil || len(fmt.Sprint(resource["id"])) > 64 {
				t.Errorf("%s: %s is there twice, or not known, or has a long id", file, id)
			}
			ids[id] = true
			for _, name := range needs[kind] {
				if resource[name] == nil {
					t.Errorf("%s: %s has no %s", file, id, name)
				}
			}
		}
	}
}
