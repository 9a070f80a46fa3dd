package generate_test

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/validate"
)

var today = entry.Date{Year: 2026, Month: 11, Day: 22}

func all(o generate.Options) []generate.File {
	o.Today, o.Catalog = today, catalog.Current()
	var files []generate.File
	for f := range generate.Files(o) {
		files = append(files, f)
	}
	return files
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	o := generate.Options{Seed: 7, Hospitals: 3, Patients: 50}
	a, b := all(o), all(o)
	for i := range a {
		if !bytes.Equal(a[i].Raw, b[i].Raw) || a[i].ResidentID != b[i].ResidentID {
			t.Fatalf("file %d differs between two runs", i)
		}
	}
	o.Seed = 8
	if bytes.Equal(a[0].Raw, all(o)[0].Raw) {
		t.Error("another seed gives the same patient")
	}
}

func TestAPatientDoesNotDependOnTheNumberOfOthers(t *testing.T) {
	few := all(generate.Options{Seed: 7, Hospitals: 3, Patients: 5})
	many := all(generate.Options{Seed: 7, Hospitals: 3, Patients: 50})
	for i := range few {
		if !bytes.Equal(few[i].Raw, many[i].Raw) {
			t.Errorf("file %d differs", i)
		}
	}
}

func TestEveryFileIsAcceptedAndEveryRowOfTheListsOccurs(t *testing.T) {
	o := phenopacket.Options{Key: [32]byte{1}, Catalog: catalog.Current(), Basis: entry.BasisStatutory}
	rows := map[entry.Row]bool{}
	genetics, visits := 0, 0
	for _, f := range all(generate.Options{Seed: 7, Hospitals: 1, Patients: 207}) {
		packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Raw), phenopacket.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		id, _, err := identity.Normalize(identity.Document{Type: identity.RIC, Value: f.ResidentID},
			identity.Options{Today: identity.Date{Year: 2026, Month: 11, Day: 22}, Production: true})
		if err != nil {
			t.Fatal(err)
		}
		e, findings, err := packets[0].Accept(o, validate.Context{Today: today, Identity: id})
		if err != nil {
			t.Fatalf("%s: %v\n%s", f.Name, err, f.Raw)
		}
		for _, finding := range findings {
			t.Errorf("%s: %v", f.Name, finding)
		}
		for _, row := range e.Case.Case.Diseases[0].Match.Counted() {
			rows[row] = true
		}
		if e.Genetics != nil {
			genetics++
		}
		visits += len(e.Parts)
	}
	if len(rows) != 207 {
		t.Errorf("%d rows of the lists occur, want 207", len(rows))
	}
	if genetics < 80 || visits < 100 {
		t.Errorf("%d genetic entries and %d follow-ups: too few", genetics, visits)
	}
}

func TestALongTailHasFewCommonDiseasesAndManyOfWhichThereIsHardlyAPatient(t *testing.T) {
	count := map[string]int{}
	for _, f := range all(generate.Options{Seed: 7, Hospitals: 1, Patients: 4000, Tail: true}) {
		packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Raw), phenopacket.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := packets[0].Entries(phenopacket.Options{Catalog: catalog.Current()})
		if err != nil {
			t.Fatal(err)
		}
		count[e.Case.Case.Diseases[0].Text]++
	}
	many, few := 0, 0
	for _, n := range count {
		switch {
		case n > 400:
			many++
		case n < 20:
			few++
		}
	}
	if len(count) < 150 || many != 1 || few < 100 {
		t.Errorf("%d diseases: %d with over a tenth of the patients, %d with fewer than 20 of 4000", len(count), many, few)
	}
}

func TestOnePatientInTenIsAtTwoHospitalsUnderOneIdentity(t *testing.T) {
	ids := map[string]map[int]bool{}
	second := 0
	for _, f := range all(generate.Options{Seed: 7, Hospitals: 4, Patients: 1000}) {
		if ids[f.ResidentID] == nil {
			ids[f.ResidentID] = map[int]bool{}
		}
		if ids[f.ResidentID][f.Hospital] {
			t.Errorf("%s twice at hospital %d", f.Name, f.Hospital)
		}
		ids[f.ResidentID][f.Hospital] = true
		if f.Second {
			second++
			if len(ids[f.ResidentID]) != 2 {
				t.Errorf("%s: the second file has another identity", f.Name)
			}
		}
	}
	if len(ids) != 1000 || second < 70 || second > 130 {
		t.Errorf("%d identities, %d second files, want 1000 and about 100", len(ids), second)
	}
}

func TestResidentIDsAgreeWithSexAndBirthAndBelongToNobody(t *testing.T) {
	for name, tc := range map[string]struct {
		sex   entry.Sex
		birth entry.Date
	}{
		"male known to the day":       {entry.SexMale, entry.Date{Year: 2001, Month: 2, Day: 28}},
		"female known to the month":   {entry.SexFemale, entry.Date{Year: 1999, Month: 12}},
		"female known to the year":    {entry.SexFemale, entry.Date{Year: 1960}},
		"sex and birth both unstated": {},
	} {
		t.Run(name, func(t *testing.T) {
			raw := generate.ResidentID(3, "case.json", "P1", tc.sex, tc.birth)
			if raw != generate.ResidentID(3, "case.json", "P1", tc.sex, tc.birth) {
				t.Error("two numbers for one subject")
			}
			if raw == generate.ResidentID(3, "case.json", "P2", tc.sex, tc.birth) {
				t.Error("two subjects share a number")
			}
			id, _, err := identity.Normalize(identity.Document{Type: identity.RIC, Value: raw},
				identity.Options{Today: identity.Date{Year: 2026, Month: 11, Day: 22}, Production: true})
			if err != nil || raw[:6] != "100000" {
				t.Fatalf("%s: %v", raw, err)
			}
			given := identity.Date{Year: int(tc.birth.Year), Month: int(tc.birth.Month), Day: int(tc.birth.Day)}
			if f, bad := identity.CheckBirth(id, given); bad {
				t.Error(f)
			}
			if f, bad := identity.CheckSex(id, identity.Sex(tc.sex)); bad {
				t.Error(f)
			}
		})
	}
}
