package view_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/console/consoletest"
	"github.com/raresync/raresync/daemon/dataset"
	"github.com/raresync/raresync/daemon/view"
)

// realOnPages wants each page of the console that counts to say how many patients and
// registrations of published cases there are.
func realOnPages(t *testing.T, real view.RealCases) {
	t.Helper()
	m := &morning{w: consoletest.Over(t, real.M, real.View)}
	m.signIn(t)
	patients, all := fmt.Sprint(real.N), fmt.Sprint(2*real.N)
	grouped := all
	if n := len(all) - 3; n > 0 {
		grouped = all[:n] + "," + all[n:]
	}
	tile := func(name, value string) string { return "<dt>" + name + "</dt><dd>" + value + "</dd>" }
	for path, wants := range map[string][]string{
		"/": {tile("患者", patients), tile("登记", grouped)}, "/cohorts": {tile("患者", patients), tile("登记", grouped), tile("医院数", "2")},
		"/hospitals/1": {tile("患者", patients), tile("登记", patients)}, "/hospitals/2": {tile("患者", patients), tile("登记", patients)},
		"/quality": {"<bdi>" + all + "</bdi>", "<bdi>1 家及以上</bdi></th><td class=\"num \"><bdi>" + patients + "</bdi>", "<bdi>2 家及以上</bdi></th><td class=\"num \"><bdi>" + patients + "</bdi>"},
	} {
		page := m.get(t, path)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
	}
}

// realInExports wants every form of a dataset to hold all registrations of published
// cases, each patient under one key.
func realInExports(t *testing.T, real view.RealCases) {
	t.Helper()
	set, err := dataset.Collect(t.Context(), real.Reader, dataset.Options{
		Size: real.M.View().Tree.Size(), Project: "p", Genetics: true, Day: func(uint64) string { return "2026-11-28" },
		Of: func(uint32) dataset.Hospital { return dataset.Hospital{} },
	})
	must(t, err)
	if len(set.Rows) != 2*real.N || set.Persons != uint64(real.N) {
		t.Errorf("a dataset of %d rows and %d persons, want %d and %d", len(set.Rows), set.Persons, 2*real.N, real.N)
	}
	persons := map[string]int{}
	for _, r := range set.Rows {
		persons[r.Person]++
	}
	for person, n := range persons {
		if n != 2 || person == "" {
			t.Errorf("person %q has %d registrations", person, n)
		}
	}
	for form, count := range map[string]func(string) int{
		"csv":    func(s string) int { return strings.Count(s, "\r\n") - 1 },
		"ndjson": func(s string) int { return strings.Count(s, "\n") },
	} {
		var b bytes.Buffer
		must(t, set.Write(form, dataset.Files(form)[0], &b))
		if n := count(b.String()); n != 2*real.N {
			t.Errorf("%s has %d rows, want %d", form, n, 2*real.N)
		}
	}
}
