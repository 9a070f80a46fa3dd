package phenopacket_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

var (
	options = phenopacket.Options{Key: [32]byte{1}, Catalog: catalog.Current(), Basis: entry.BasisStatutory}
	context = validate.Context{Today: entry.Date{Year: 2026, Month: 11, Day: 22}}
)

// accepted reads one packet and returns its entries, or fails.
func accepted(t *testing.T, name string, raw []byte) phenopacket.Entries {
	t.Helper()
	packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	e, _, err := packets[0].Accept(options, context)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return e
}

func TestRealPacketsAreAcceptedOrRefusedByName(t *testing.T) {
	for folder, least := range map[string]int{"phenopackets": 595, "phenopackets-extra": 0} {
		files := realFiles(t, folder)
		good, found := 0, map[string]int{}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			packets, err := phenopacket.Read(name, bytes.NewReader(files[name]), phenopacket.Limits{})
			var findings []rule.Finding
			if err == nil {
				_, findings, err = packets[0].Accept(options, context)
			}
			for _, f := range findings {
				found[f.Code]++
				if !strings.HasPrefix(f.Where, name+" $") {
					t.Errorf("%s: finding %s names no file and path: %q", name, f.Code, f.Where)
				}
			}
			var refused *rule.Refusal
			switch {
			case err == nil:
				good++
			case errors.As(err, &refused) && rule.Known(refused.Code()):
				t.Logf("%s: %v", name, err)
			default:
				t.Errorf("%s: neither accepted nor refused by a named rule: %v", name, err)
			}
		}
		t.Logf("%s: %d of %d accepted; findings %v", folder, good, len(files), found)
		if len(files) > 0 && good < least {
			t.Errorf("%s: %d accepted, want at least %d", folder, good, least)
		}
	}
}

// semantic returns JSON as values, with numbers as written.
func semantic(t *testing.T, raw []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// export sends entries through their sealed form and back to a packet.
func export(t *testing.T, e phenopacket.Entries, id string) []byte {
	t.Helper()
	through := func(e entry.Entry) entry.Entry {
		plain, err := entry.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := entry.Decode(plain)
		if err != nil {
			t.Fatal(err)
		}
		return back
	}
	var genetics *entry.Entry
	if e.Genetics != nil {
		g := through(*e.Genetics)
		genetics = &g
	}
	var visits []entry.Entry
	for _, f := range e.Parts {
		visits = append(visits, through(f))
	}
	out, err := phenopacket.Write(through(e.Case), genetics, id, visits...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryRealPacketComesBackFieldByField(t *testing.T) {
	for _, folder := range []string{"phenopackets", "phenopackets-extra"} {
		for name, raw := range realFiles(t, folder) {
			packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			e, err := packets[0].Entries(options)
			if err != nil {
				t.Fatal(err)
			}
			want, err := phenopacket.Deidentify(raw, "case-1")
			if err != nil {
				t.Fatal(err)
			}
			got := export(t, e, "case-1")
			if !reflect.DeepEqual(semantic(t, got), semantic(t, want[0])) {
				t.Errorf("%s comes back otherwise:\n%s\nwant\n%s", name, got, want[0])
			}
		}
	}
}

// camelKeys renames the snake_case keys of the packets the tests are given,
// independently of the package's own table.
func camelKeys(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = camelKeys(v[i])
		}
	case map[string]any:
		for _, key := range slices.Collect(maps.Keys(v)) {
			words := strings.Split(key, "_")
			for i := 1; i < len(words); i++ {
				words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
			}
			item := camelKeys(v[key])
			delete(v, key)
			v[strings.Join(words, "")] = item
		}
	}
	return v
}

// documented are the fields in which the published packets differ from their
// exports.
var documented = []string{
	"id", "subject.id", "subject.dateOfBirth", "metaData.createdBy",
	"metaData.externalReferences[].description",
	"interpretations[].id",
	"interpretations[].diagnosis.genomicInterpretations[].subjectOrBiosampleId",
}

// The differences between a packet and its export, found here by comparing
// them directly and not by Deidentify, must be those of the documented list.
func TestExportsDifferFromTheirSourceOnlyWhereDocumented(t *testing.T) {
	seen := map[string]int{}
	for _, folder := range []string{"phenopackets", "phenopackets-extra"} {
		for name, raw := range realFiles(t, folder) {
			packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			e, err := packets[0].Entries(options)
			if err != nil {
				t.Fatal(err)
			}
			compare(camelKeys(semantic(t, raw)), semantic(t, export(t, e, "case-1")), "", func(path string) {
				seen[path]++
				if !slices.Contains(documented, path) {
					t.Errorf("%s: %s differs", name, path)
				}
			})
		}
	}
	t.Logf("differences: %v", seen)
}

func compare(a, b any, path string, differs func(string)) {
	x, xo := a.(map[string]any)
	y, yo := b.(map[string]any)
	if xo && yo {
		keys := maps.Clone(x)
		maps.Copy(keys, y)
		for key := range keys {
			compare(x[key], y[key], strings.TrimPrefix(path+"."+key, "."), differs)
		}
		return
	}
	p, pa := a.([]any)
	q, qa := b.([]any)
	if pa && qa && len(p) == len(q) {
		for i := range p {
			compare(p[i], q[i], path+"[]", differs)
		}
		return
	}
	if !reflect.DeepEqual(a, b) {
		differs(path)
	}
}

func TestNoVariantTextIsInAnyClinicalPlaintext(t *testing.T) {
	for _, folder := range []string{"phenopackets", "phenopackets-extra"} {
		variants := 0
		for name, raw := range realFiles(t, folder) {
			packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			e, err := packets[0].Entries(options)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := entry.Encode(e.Case)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range geneticTexts(camelKeys(semantic(t, raw)), false) {
				variants++
				if bytes.Contains(plain, []byte(s)) {
					t.Errorf("%s: the clinical plaintext holds %q", name, s)
				}
			}
			for _, word := range []string{"interpretations", "variationDescriptor", "vcfRecord", "hgvs.c"} {
				if bytes.Contains(plain, []byte(word)) {
					t.Errorf("%s: the clinical plaintext holds %q", name, word)
				}
			}
		}
		t.Logf("%s: %d variant texts looked for", folder, variants)
	}
}

// geneticTexts returns every text and number under a variant descriptor that
// is long enough to be told from chance.
func geneticTexts(v any, within bool) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if key == "label" || key == "id" && strings.HasPrefix(asText(item), "GENO:") {
				continue // zygosity is an ontology's word
			}
			out = append(out, geneticTexts(item, within || key == "variationDescriptor")...)
		}
	case []any:
		for _, item := range v {
			out = append(out, geneticTexts(item, within)...)
		}
	default:
		if s := asText(v); within && len(s) >= 5 && s != "genomic" {
			out = append(out, s)
		}
	}
	return out
}

func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func TestTheSameFileGivesTheSameIDs(t *testing.T) {
	for name, raw := range realFiles(t, "phenopackets-extra") {
		var first [32]byte
		for range 2 {
			packets, err := phenopacket.Read(name, bytes.NewReader(raw), phenopacket.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			e, err := packets[0].Entries(options)
			if err != nil {
				t.Fatal(err)
			}
			if first == [32]byte{} {
				first = e.Case.ID
			}
			if e.Case.ID != first {
				t.Errorf("%s: two ids for one file", name)
			}
		}
	}
}
