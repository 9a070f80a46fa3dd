package entry_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/raresync/raresync/registry/entry"
)

func TestContentShowsWordsAndTrueNumbers(t *testing.T) {
	for name, tc := range map[string]struct {
		entry entry.Entry
		want  string
	}{
		"a case": {entry.Entry{Facts: entry.Facts{Case: &entry.Case{
			Sex: entry.SexFemale, Birth: entry.Date{Year: 2001, Month: 2}, HospitalsBefore: entry.CountOf(5),
			Verification: entry.Clinical, FamilyHistory: entry.No,
			Life:     entry.Life{Status: entry.OptedOut, SurvivalDays: entry.CountOf(0)},
			Diseases: []entry.Disease{{Onset: entry.When{Kind: entry.WhenAgeRange, A: "P1Y", B: "P2Y"}}},
		}}}, `{"sex": "female", "birth": "2001-02", "hospitals_before": 5, "verification": "clinical",
			"family_history": "no", "life": {"status": "opted out", "survival_days": 0},
			"diseases": [{"onset": {"kind": "age range", "a": "P1Y", "b": "P2Y"}}]}`},
		"a genetic result": {entry.Entry{Facts: entry.Facts{Genetics: &entry.Genetics{
			Test: entry.TestExome, Stated: entry.Causative,
			Interpretations: []entry.Interpretation{{Progress: entry.ProgressRunning, Variants: []entry.Variant{
				{Standing: entry.StandingContributory, ACMG: entry.ACMGUncertain}}}},
		}}}, `{"test": "exome", "stated": "causative", "interpretations": [{"progress": "in progress",
			"variants": [{"standing": "contributory", "acmg": "uncertain significance"}]}]}`},
	} {
		raw, err := tc.entry.Content()
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %s\nwant %s", name, raw, tc.want)
		}
	}
}
