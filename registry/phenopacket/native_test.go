package phenopacket_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
)

// Lists of the schema of which each element says what an entry needs.
const (
	samples = `"biosamples":[
		{"id":"b-17","individualId":"s-1","sampleType":{"id":"UBERON:0000178","label":"blood"},"timeOfCollection":{"timestamp":"2020-05-06T09:30:00Z"},
		 "raresync":{"biobank":"院生物样本库","count":2,"status":"available","consent":"yes"},"x":[1.50]},
		{"id":"b-18","derivedFromId":"b-17","materialSample":{"id":"NCIT:C449"},"timeOfCollection":{"timestamp":"2020-05-07T00:00:00Z"},
		 "raresync":{"biobank":"院生物样本库","count":1,"status":"used up","consent":"yes"},"diagnosticMarkers":[{"id":"NCIT:C1"}]}]`
	actions = `"medicalActions":[
		{"treatment":{"agent":{"id":"ATC:A16AB04","label":"阿加糖酶β"},"doseIntervals":[{"interval":{"start":"2020-09-01T00:00:00Z","end":"2020-10-01T00:00:00Z"}},
		 {"interval":{"start":"2020-10-02T00:00:00Z"}}]}},
		{"treatment":{"agent":{"id":"ATC:B"},"doseIntervals":[{"interval":{"start":"2020-09-01T08:00:00Z","end":"2020-09-09T00:00:00Z"}}]},"adverseEvents":[{"id":"HP:0000001"}]},
		{"procedure":{"code":{"id":"NCIT:C80473"},"performed":{"timestamp":"2016-01-01T00:00:00Z"}}}]`
)

func TestBiosamplesAndActionsBecomeEntries(t *testing.T) {
	raw := []byte(with(samples + "," + actions))
	e := accepted(t, "f.json", raw)
	var got []string
	for _, p := range e.Parts {
		if s := p.Specimen; s != nil {
			got = append(got, fmt.Sprint(p.Type, " ", s.Kind, " ", p.EventDate, " ", s.Biobank))
		} else {
			got = append(got, fmt.Sprint(p.Type, " ", p.Treatment.Agent.ID, " ", p.Treatment.Status, " ", p.EventDate, " ", p.Treatment.Stop))
		}
	}
	want := "specimen blood 2020-05-06 院生物样本库; specimen DNA 2020-05-07 院生物样本库; treatment ATC:A16AB04 started 2020-09-01 ; " +
		"treatment ATC:B stopped 2020-09-01 2020-09-09; treatment NCIT:C80473 stopped 2016-01-01 2016-01-01"
	if strings.Join(got, "; ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
	}
	if e.Parts[1].Specimen.DerivedFrom != e.Parts[0].ID || bytes.Contains(e.Case.Case.Extension, []byte("biosample")) {
		t.Errorf("the parent is lost, or the case holds samples: %s", e.Case.Case.Extension)
	}
	deidentified, err := phenopacket.Deidentify(raw, "case-1")
	if err != nil {
		t.Fatal(err)
	}
	if out := export(t, e, "case-1"); !same(t, out, deidentified[0]) {
		t.Errorf("got\n%s\nwant\n%s", out, deidentified[0])
	}
}

// The entries of one envelope stand in no order, and one of them may be missing.
func TestElementsComeBackToTheirPlaces(t *testing.T) {
	raw := []byte(with(samples + "," + actions))
	e := accepted(t, "f.json", raw)
	want, err := phenopacket.Deidentify(raw, "case-1")
	if err != nil {
		t.Fatal(err)
	}
	for range e.Parts {
		e.Parts = append(e.Parts[1:], e.Parts[0])
		if out := export(t, e, "case-1"); !same(t, out, want[0]) {
			t.Errorf("got\n%s\nwant\n%s", out, want[0])
		}
	}
	slices.Reverse(e.Parts)
	if out := export(t, e, "case-1"); !same(t, out, want[0]) {
		t.Errorf("got\n%s\nwant\n%s", out, want[0])
	}
	e.Parts = slices.DeleteFunc(e.Parts, func(p entry.Entry) bool { return p.Treatment != nil && p.Treatment.Agent.ID == "ATC:A16AB04" })
	less, err := phenopacket.Deidentify([]byte(with(samples+`,"medicalActions":[`+actions[strings.Index(actions, `{"treatment":{"agent":{"id":"ATC:B"`):])), "case-1")
	if err != nil {
		t.Fatal(err)
	}
	if out := export(t, e, "case-1"); !same(t, out, less[0]) {
		t.Errorf("with one missing: got\n%s\nwant\n%s", out, less[0])
	}
}

func TestAPlaceThatNoListHasIsRefused(t *testing.T) {
	e := accepted(t, "f.json", []byte(with(actions)))
	for _, place := range []string{"-1", "65536", "99999999999999999999", `"0"`, "null", "[]"} {
		e.Parts[0].Treatment.Extension = []byte(`{"medicalAction":{},"place":` + place + `}`)
		if _, err := phenopacket.Write(e.Case, nil, "case-1", e.Parts[0]); err == nil {
			t.Errorf("place %s is written", place)
		}
	}
}

func TestWhatLacksSomethingStaysInTheCaseAndIsNamed(t *testing.T) {
	for name, tc := range map[string]struct{ member, where, detail string }{
		"no biobank": {strings.Replace(samples, `"biobank":"院生物样本库",`, "", 1), "f.json $.biosamples[0]", "no raresync.biobank"},
		"of another person": {strings.Replace(samples, `"individualId":"s-1"`, `"individualId":"mother"`, 1),
			"f.json $.biosamples[0]", "no individualId of the patient"},
		"an age at collection": {strings.Replace(samples, `{"timestamp":"2020-05-07T00:00:00Z"}`, `{"age":{"iso8601duration":"P8Y"}}`, 1),
			"f.json $.biosamples[1]", "no timeOfCollection.timestamp"},
		"radiation": {strings.Replace(actions, `{"procedure":{"code":{"id":"NCIT:C80473"},"performed":{"timestamp":"2016-01-01T00:00:00Z"}}}`,
			`{"radiationTherapy":{"dosage":1}}`, 1), "f.json $.medicalActions[2]", "no treatment.agent or procedure.code, start of an interval, or raresync.status"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(with(tc.member))
			e := accepted(t, "f.json", raw)
			found := false
			for _, f := range e.Findings {
				found = found || f.Code == "PP004" && f.Where == tc.where && f.Detail == tc.detail
			}
			if !found || len(e.Parts) > 0 {
				t.Errorf("%d parts, findings %v", len(e.Parts), e.Findings)
			}
			want, err := phenopacket.Deidentify(raw, "case-1")
			if err != nil {
				t.Fatal(err)
			}
			if out := export(t, e, "case-1"); !same(t, out, want[0]) {
				t.Errorf("got\n%s\nwant\n%s", out, want[0])
			}
		})
	}
}

func TestTheRaresyncMemberGoesFirst(t *testing.T) {
	e := accepted(t, "f.json", []byte(with(samples+`,"raresync":{"specimens":[{"type":"serum","collected":"2020-05-06","biobank":"b","count":1,"status":"available","consent":"yes"}]}`)))
	if len(e.Parts) != 1 || e.Parts[0].Specimen.Kind != entry.SpecimenSerum || !bytes.Contains(e.Case.Case.Extension, []byte("biosamples")) {
		t.Errorf("%d parts, extension %s", len(e.Parts), e.Case.Case.Extension)
	}
}
