package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made makes every report of one view.
func made(t *testing.T, v *view.View, disease string) map[string]report.Report {
	t.Helper()
	out := map[string]report.Report{}
	must(t, v.Read(t.Context(), func(q view.Query) error {
		for _, l := range report.List() {
			r, err := report.Make(q, l.Name, report.Options{
				Disease: disease, Nodes: []report.Node{{ID: "h1", Behind: -1}}, Withdrawals: []report.Withdrawal{{Hospital: "x"}},
				Checks: []report.Checked{{Hospital: 1}},
			})
			must(t, err)
			if r.Size != q.Head.Size || r.Root != q.Head.Root || r.Size == 0 || len(r.Tables) == 0 || len(r.Tables[0].Rows) == 0 && l.Name != "specimens" && l.Name != "drugs" {
				t.Errorf("%s is empty or does not say of which tree", l.Name)
			}
			out[l.Name] = r
		}
		for options, o := range map[string]report.Options{"no row": {Disease: "1"}, "no such row": {Disease: "1.999"}} {
			if _, err := report.Make(q, "disease", o); !errors.Is(err, report.ErrOptions) {
				t.Errorf("a disease sheet with %s: %v", options, err)
			}
		}
		if _, err := report.Make(q, "quality", report.Options{Hospital: 99}); !errors.Is(err, report.ErrOptions) {
			t.Errorf("quality of nobody: %v", err)
		}
		if _, err := report.Make(q, "x", report.Options{}); !errors.Is(err, report.ErrUnknown) {
			t.Errorf("a report that there is none of: %v", err)
		}
		return nil
	}))
	return out
}

func TestReportsCountWhatReadersCount(t *testing.T) {
	v, r := view.Lived(t, 90)
	all := made(t, v, "1.3")
	persons, err := r.Persons(t.Context())
	must(t, err)
	total := all["provinces"].Tables[0].Total
	if total[3].N != int64(persons.Persons) || total[4].N != int64(persons.Cases) || persons.Persons < 45 {
		t.Errorf("provinces: %d persons, %d registrations; want %d, %d", total[3].N, total[4].N, persons.Persons, persons.Cases)
	}
	several := all["duplicates"].Tables[0]
	if got := several.Rows[1][1].N; got != int64(persons.TwoHospitals) || several.Rows[0][1].N != int64(persons.Persons) || got == 0 {
		t.Errorf("duplicates: %d persons at several hospitals of %d; want %d of %d", got, several.Rows[0][1].N, persons.TwoHospitals, persons.Persons)
	}
	listed, err := r.Listed(t.Context(), catalog.Current())
	must(t, err)
	for _, l := range listed {
		rows, cases := 0, int64(0)
		for _, row := range all["coverage"].Tables[1].Rows {
			if strings.HasPrefix(row[0].Text.EN, fmt.Sprint(l.List, ".")) && row[3].N > 0 {
				rows, cases = rows+1, cases+row[3].N
			}
		}
		if l.List > 0 && (rows != l.Diseases || cases != int64(l.Cases)) {
			t.Errorf("coverage of list %d: %d rows with %d registrations, want %d with %d", l.List, rows, cases, l.Diseases, l.Cases)
		}
	}
	if n := len(all["coverage"].Tables[1].Rows); n != 207 {
		t.Errorf("coverage has %d rows", n)
	}
	checkDisease(t, all["disease"], all["coverage"])
}

// checkDisease compares the sheet of row 1.3 with the list of all rows, and its parts
// with one another.
func checkDisease(t *testing.T, sheet, coverage report.Report) {
	t.Helper()
	want := coverage.Tables[1].Rows[2]
	if got := sheet.Tables[0].Rows; want[0].Text.EN != "1.3" || got[0][1].N != want[2].N || got[1][1].N != want[3].N || got[0][1].N == 0 {
		t.Errorf("the sheet counts %d persons and %d registrations, the list %d and %d", got[0][1].N, got[1][1].N, want[2].N, want[3].N)
	}
	for _, table := range sheet.Tables[1:] {
		sum := int64(0)
		for _, row := range table.Rows {
			sum += row[1].N
		}
		if sum != table.Total[1].N || sum != want[2].N {
			t.Errorf("%s: %d persons in rows, %d in all", table.Title.EN, sum, table.Total[1].N)
		}
	}
}

func TestEveryReportIsPrintedInEveryWay(t *testing.T) {
	v, _ := view.Lived(t, 20)
	for name, r := range made(t, v, "1.3") {
		for _, lang := range []string{"zh", "en"} {
			for _, r := range []report.Report{r, r.Published(11)} {
				var csv, html, raw bytes.Buffer
				must(t, r.CSV(&csv, lang))
				must(t, r.HTML(&html, lang))
				must(t, r.JSON(&raw, lang))
				root := fmt.Sprintf("%x", r.Root)
				for _, printed := range []string{csv.String(), html.String(), raw.String()} {
					if !strings.Contains(printed, root) || !strings.Contains(printed, r.Title.In(lang)) {
						t.Errorf("%s in %s does not name its root or itself", name, lang)
					}
				}
				var back struct {
					MinCell int `json:"min_cell"`
					Tables  []struct{ Rows [][]any }
				}
				must(t, json.Unmarshal(raw.Bytes(), &back))
				if back.MinCell != r.MinCell || len(back.Tables) != len(r.Tables) {
					t.Errorf("%s: %+v", name, back)
				}
			}
		}
	}
}

// A published report counts what was said up to its tree size, and withholds few.
func TestChecksAreCountedUpToTheTreeSize(t *testing.T) {
	v, _ := view.Lived(t, 20)
	must(t, v.Read(t.Context(), func(q view.Query) error {
		said := report.Checked{Hospital: 1, Result: entry.CheckDiffers, Differs: []entry.CheckField{entry.CheckSex}, Index: q.Head.Size - 1}
		later, next := said, said
		later.Index, next.Letter = q.Head.Size, q.Head.Size
		r, err := report.Make(q, "checks", report.Options{Checks: []report.Checked{said, later, next, {Hospital: 1}, {Hospital: 1, Result: entry.CheckAgrees}, {Hospital: 1, Result: entry.CheckNoSource}}})
		must(t, err)
		for i, want := range []int64{5, 3, 1, 1, 1} {
			if got := r.Tables[0].Rows[0][1+i].N; got != want {
				t.Errorf("%s: %d, want %d", r.Tables[0].Columns[1+i].Name, got, want)
			}
		}
		if got := r.Tables[1].Rows; len(got) != 1 || got[0][1].N != 1 {
			t.Errorf("fields that differ: %+v", got)
		}
		if printed := r.Published(3); len(printed.Tables[1].Rows) != 0 {
			t.Errorf("a field of one registration is printed: %+v", printed.Tables[1].Rows)
		}
		return nil
	}))
}
