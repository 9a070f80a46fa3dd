package phenopacket_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// A field that no schema has and that is called like a person's particulars is
// refused by where it stands ({2}: the second member); neither its value nor its
// name is repeated.
func TestFieldsThatNameAPersonAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		member string // inside subject
		path   string // "" = accepted
	}{
		"a name":                        {`"name": "Li Example"`, "$.subject.name"},
		"a name in Chinese":             {`"姓名": "某某"`, "$.subject.{2}"},
		"a name in parts":               {`"names": {"family_name": "Li"}`, "$.subject.{2}.{1}"},
		"an address further down":       {`"extra": [{"homeAddress": "Road 1"}]`, "$.subject.{2}[0].{1}"},
		"a record number":               {`"medical_record_number": "A-1"`, "$.subject.{2}"},
		"an empty name":                 {`"name": ""`, ""},
		"a field of the schema":         {`"karyotypicSex": "XX"`, ""},
		"a field that is merely unlike": {`"filename": "x"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			raw := `{"id":"p","subject":{"id":"s1",` + tc.member + `},
				"diseases":[{"term":{"id":"OMIM:154700","label":"Marfan syndrome"}}],
				"metaData":{"created":"2024-01-01T00:00:00Z","resources":[{"id":"hp","name":"ontology"}],
				"externalReferences":[{"id":"PMID:1"}]}}`
			packets, err := phenopacket.Read("f.json", strings.NewReader(raw), phenopacket.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = packets[0].Accept(phenopacket.Options{Catalog: catalog.Current()},
				validate.Context{Today: entry.Date{Year: 2024, Month: 6, Day: 1}})
			var refused *rule.Refusal
			switch {
			case tc.path == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.path != "" && !errors.As(err, &refused):
				t.Errorf("accepted, want PR001 (%v)", err)
			case tc.path != "" && (refused.Code() != "PR001" || !strings.HasSuffix(refused.Findings[0].Where, tc.path)):
				t.Errorf("got %v, want PR001 at %s", refused, tc.path)
			case err != nil && (strings.Contains(err.Error(), "Li Example") || strings.Contains(err.Error(), "某某")):
				t.Errorf("the refusal repeats the value: %v", err)
			}
		})
	}
}

// A clerk's slip in the subject's name must not register the patient without a
// document: the file is refused, and the slip's text not repeated.
func TestDocumentForNobodyInTheFileIsRefused(t *testing.T) {
	packets, err := phenopacket.Read("f.json", strings.NewReader(`{"id":"p","subject":{"id":"P4"},"metaData":{"created":"2024-01-01T00:00:00Z"}}`), phenopacket.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := phenopacket.Strangers("f.json", packets, map[string]int{"P4": 1}); got != nil {
		t.Errorf("the right subject: %v", got)
	}
	got := phenopacket.Strangers("f.json", packets, map[string]int{"p4": 1})
	if len(got) != 1 || got[0].Code != "FH001" || strings.Contains(got[0].String(), "p4") {
		t.Errorf("got %v, want FH001 without the subject", got)
	}
}
