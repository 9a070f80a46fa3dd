package reader

import (
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// of is a case of a disease with a code, or of none.
func of(code string) entry.Case {
	if code == "" {
		return entry.Case{}
	}
	return entry.Case{Diseases: []entry.Disease{{Codes: []string{code}}}}
}

func TestRegistrationsAreCountedByTheListsOfAnEdition(t *testing.T) {
	a := &account{}
	for _, code := range []string{"LIST:1.68", "LIST:1.68", "LIST:2.3", "ORPHA:999001", "LIST:3.1", ""} {
		a.about(1, 'a'+byte(len(a.all)), of(code))
	}
	stopped := a.about(2, 's', of("LIST:1.1")).all[len(a.all)-1]
	a.consent(2, entry.Stopped, entry.ScopeAll, "s", stopped.Index)
	nameless := of("LIST:2.4")
	a.add(2, entry.Entry{Type: entry.TypeCase, Facts: entry.Facts{Case: &nameless}})
	var table strings.Builder
	if err := catalog.Current().WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	newer, err := catalog.ReadTable("test-2026/1", strings.NewReader(table.String()+"3,1,测试病甲,Test disease A,999001,exact,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	all := &Tally{diseases: true}
	for _, o := range a.all {
		all.Add(o)
	}
	for name, tc := range map[string]struct {
		by   *catalog.Catalog
		want []Listed
	}{
		"the carried edition": {catalog.Current(), []Listed{{0, 0, 3}, {1, 1, 2}, {2, 2, 2}}},
		"the enlarged one":    {newer, []Listed{{0, 0, 1}, {1, 1, 2}, {2, 2, 2}, {3, 1, 2}}},
	} {
		if got := all.Listed(tc.by); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("by %s: %v, want %v", name, got, tc.want)
		}
	}
}
