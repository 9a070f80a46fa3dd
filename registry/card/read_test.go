package card_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/card"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

const collection = `kind = "collection"
id = " RD-01 "
name = "罕见病样本集"
within = "BB"
diseases = ["ORPHA:558", "LIST:1.68"]
specimens = ["blood", "DNA"]
storage = ["deep frozen"]
persons = 120
specimen_count = 0
status = "open"
access = "yes"
start = "2020-03"
`

func TestACardIsReadAsItIsWritten(t *testing.T) {
	kind, got, err := card.Read([]byte(collection))
	want := entry.Card{
		ID: "RD-01", Name: "罕见病样本集", Within: "BB", Diseases: []string{"ORPHA:558", "LIST:1.68"},
		Kinds: []entry.SpecimenKind{entry.SpecimenBlood, entry.SpecimenDNA}, Storage: []entry.Storage{entry.StorageDeep},
		Persons: entry.CountOf(120), Specimens: entry.CountOf(0), Status: entry.CardOpen, Access: entry.Yes,
		Start: entry.Date{Year: 2020, Month: 3},
	}
	if err != nil || kind != entry.TypeCollection || !reflect.DeepEqual(got, want) {
		t.Errorf("got %s %+v, %v", kind, got, err)
	}
	if _, empty, err := card.Read([]byte("kind = \"biobank\"\ndiseases = []\n")); err != nil || !reflect.DeepEqual(empty, entry.Card{}) {
		t.Errorf("an empty list is %+v, %v", empty, err)
	}
}

func TestWhatNobodyKnowsIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		want []string // code and field
	}{
		"no kind":             {strings.Replace(collection, "collection", "", 1), []string{"CD001 kind"}},
		"a person":            {strings.Replace(collection, `"collection"`, `"case"`, 1), []string{"CD001 kind"}},
		"a mistyped key":      {collection + "acess = \"no\"\n", []string{"CD001 acess"}},
		"several":             {collection + "planed = 1\ndesign = \"x\"\n", []string{"CD001 design", "CD001 planed"}},
		"a mistyped specimen": {strings.Replace(collection, `"DNA"`, `"dna?"`, 1), []string{"CD001 specimens[1]"}},
		"an empty specimen":   {strings.Replace(collection, `"DNA"`, `""`, 1), []string{"CD001 specimens[1]"}},
		"a negative number":   {strings.Replace(collection, "120", "-1", 1), []string{"CD001 persons"}},
		"a huge number":       {strings.Replace(collection, "120", "4294967295", 1), []string{"CD001 persons"}},
		"no date":             {strings.Replace(collection, "2020-03", "2020-13", 1), []string{"CD001 start"}},
		"no TOML":             {"kind = ", []string{"CD001 "}},
		"another type":        {"kind = 7", []string{"CD001 "}},
		"too large":           {strings.Repeat("#", card.MaxBytes+1), []string{"FM005 "}},
	} {
		_, _, err := card.Read([]byte(tc.file))
		var refused *rule.Refusal
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, f := range refused.Findings {
			got = append(got, f.Code+" "+f.Where)
		}
		slices.Sort(got)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// What is read has an encoding, or is refused by the rules before it is sent.
func FuzzCard(f *testing.F) {
	f.Add([]byte(collection))
	f.Add([]byte("kind = \"biobank\"\nid = \"x\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind, c, err := card.Read(raw)
		if err != nil {
			var refused *rule.Refusal
			if !errors.As(err, &refused) {
				t.Fatalf("refused by no rule: %v", err)
			}
			return
		}
		if !kind.IsCard() {
			t.Fatalf("a %s entry", kind)
		}
		_, _ = entry.CardID([32]byte{}, kind, c, [32]byte{}) // does not panic
	})
}
