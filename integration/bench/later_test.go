package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAPartRunAloneJoinsTheRunBefore(t *testing.T) {
	all := newResults(options{})
	all.add("kept", "ms", 1)
	all.add("again", "ms", 2)
	path := filepath.Join(t.TempDir(), "bench.json")
	if err := all.write(path); err != nil {
		t.Fatal(err)
	}
	part := newResults(options{})
	part.Load = "0.10 0.20 0.30"
	part.add("again", "ms", 3)
	part.add("new", "ms", 4)

	got, err := readResults(path)
	if err != nil {
		t.Fatal(err)
	}
	got.take(part, []string{"erasure"})
	for name, want := range map[string]float64{"kept": 1, "again": 3, "new": 4} {
		if v := got.values(name); !slices.Equal(v, []float64{want}) {
			t.Errorf("%s: %v, want %g", name, v, want)
		}
	}
	if page := figuresTable(got); !strings.Contains(page, "\nLater, erasure alone: ") || !strings.Contains(page, "0.10 0.20 0.30") {
		t.Errorf("the page does not say which figures are of a later run:\n%s", page)
	}
	if strings.Contains(figuresTable(all), "Later") {
		t.Error("the page of one run speaks of another")
	}
}

func TestAPartDoesNotOverwriteTheRunBefore(t *testing.T) {
	for args, want := range map[string]bool{"-parts erasure -into bench.json": false, "-parts erasure -into bench.json -out part.json": true} {
		if _, err := parseOptions(strings.Fields(args)); (err == nil) != want {
			t.Errorf("%s: %v", args, err)
		}
	}
}
