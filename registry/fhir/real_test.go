package fhir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// realFiles returns the published FHIR files that the tests are given, by
// default from ../shared/data/fhir beside the repository.
// RARESYNC_REQUIRE_TESTDATA=1 makes their absence a failure.
func realFiles(t testing.TB) map[string][]byte {
	t.Helper()
	root := os.Getenv("RARESYNC_TESTDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	paths, err := filepath.Glob(filepath.Join(root, "fhir", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		if os.Getenv("RARESYNC_REQUIRE_TESTDATA") == "1" {
			t.Fatalf("no FHIR files in %s", root)
		}
		t.Logf("no FHIR files in %s: only made ones are tested", root)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = raw
	}
	return files
}

// canonical is JSON with its members sorted.
func canonical(t *testing.T, raw []byte) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRealFilesAreAcceptedOrRefusedByName(t *testing.T) {
	files := realFiles(t)
	resources, patients, found := 0, 0, map[string]int{}
	whole := fhir.NewSet(fhir.Limits{})
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !fhir.Is(files[name]) {
			t.Errorf("%s is not seen to be FHIR", name)
		}
		set := fhir.NewSet(fhir.Limits{})
		if err := set.Add(name, files[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		n := 0
		for p := range set.Patients() {
			judge(t, name, p, found)
			n++
		}
		for _, f := range set.Findings() {
			note(t, name, f, found)
		}
		if patients += n; n == 0 && rule.Refusals(set.Findings()) == nil {
			t.Errorf("%s: neither a patient nor a refusal", name)
		}
		if strings.HasPrefix(name, "evco") {
			if err := whole.Add(name, files[name]); err != nil {
				t.Error(err)
			}
		}
		resources++
	}
	t.Logf("%d files, %d patients, findings %v", resources, patients, found)
	if len(files) == 0 {
		return
	}
	variants := 0
	for p := range whole.Patients() {
		judge(t, "the files of one cohort", p, found)
		if bytes.Contains(p.Packet, []byte(`"expressions"`)) && bytes.Contains(p.Packet, []byte("acmgPathogenicityClassification")) {
			variants++
		}
	}
	if variants == 0 {
		t.Error("no variant with its class was joined to its patient across files")
	}
}

// judge makes the entries of a patient: accepted, and given back as it was, or
// refused by name.
func judge(t *testing.T, file string, p fhir.Patient, found map[string]int) {
	t.Helper()
	packets, err := phenopacket.Read("", bytes.NewReader(p.Packet), phenopacket.Limits{})
	var refused *rule.Refusal
	if errors.As(err, &refused) {
		note(t, file, refused.Findings[0], found)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, findings, err := packets[0].Accept(options, today)
	if err != nil && !errors.As(err, &refused) {
		t.Errorf("%s: neither accepted nor refused by a named rule: %v", file, err)
	}
	for _, f := range append(p.Findings, findings...) {
		note(t, file, p.Locate(f), found)
	}
	e, err := packets[0].Entries(options)
	if err != nil {
		t.Errorf("%s: not kept: %v", file, err)
		return
	}
	want, err := phenopacket.Deidentify(p.Packet, "case-1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := phenopacket.Write(e.Case, e.Genetics, "case-1", e.Parts...)
	if err != nil || !bytes.Equal(canonical(t, got), canonical(t, want[0])) {
		t.Errorf("%s: %v: got\n%s\nwant\n%s", file, err, got, want[0])
	}
}

func note(t *testing.T, file string, f rule.Finding, found map[string]int) {
	t.Helper()
	if found[f.Code]++; !rule.Known(f.Code) {
		t.Errorf("%s: no rule: %v", file, f)
	}
}
