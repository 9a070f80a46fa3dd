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
				Checks: []report.Checked{{Hospital: 1}}, Queries: []report.Question{{Hospital: 1, Asked: report.Moment{Index: 1}}},
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

// What came into the log after a report's tree size, it does not know; what hospitals
// are not in the view, it does not count.
func TestQueriesAreCountedUpToTheTreeSize(t *testing.T) {
	v, _ := view.Lived(t, 20)
	must(t, v.Read(t.Context(), func(q view.Query) error {
		const day = 24 * 60 * 60 * 1000
		ago := func(days, index uint64) report.Moment {
			return report.Moment{Index: index, LogTime: q.Head.LogTime - days*day}
		}
		later := report.Moment{Index: q.Head.Size, LogTime: q.Head.LogTime}
		r, err := report.Make(q, "queries", report.Options{Queries: []report.Question{
			{Hospital: 1, Target: 1, Asked: ago(40, 2), Answered: ago(10, 3)},
			{Hospital: 1, Target: 1, Asked: ago(40, 2), Answered: ago(9, 3)},
			{Hospital: 1, Target: 2, Asked: ago(40, 2)},
			{Hospital: 1, Target: 2, Asked: ago(10, 3)},
			{Hospital: 1, Target: 3, Asked: ago(40, 2), Closed: ago(5, 4)},
			{Hospital: 1, Target: 4, Asked: ago(10, 3), Answered: later, Closed: later},
			{Hospital: 1, Target: 5, Asked: later},
			{Hospital: 99, Target: 6, Asked: ago(40, 2)},
		}})
		must(t, err)
		all, mine := r.Tables[0].Rows[0], r.Tables[1].Rows[0][1:]
		for i, want := range []report.Cell{{N: 6}, {N: 2}, {N: 3}, {Value: 10, Of: 3, None: true}, {N: 1, Of: 3, None: true}} {
			if all[i] != want || mine[i] != want {
				t.Errorf("%s: %+v of all, %+v of hospital 1, want %+v", r.Tables[0].Columns[i].Name, all[i], mine[i], want)
			}
		}
		if all[5].N != 2 || mine[5].N != 2 || mine[5].Of == 0 || all[5].Of <= mine[5].Of {
			t.Errorf("registrations with an open query: %+v of all, %+v of hospital 1", all[5], mine[5])
		}
		if len(r.Tables[1].Rows) != 1 || len(r.Published(3).Tables[1].Rows) != 1 || len(r.Published(11).Tables[1].Rows) != 0 {
			t.Errorf("hospitals: %+v", r.Tables[1].Rows)
		}
		month := q.ThisMonth() + 1
		r, err = report.Make(q, "queries", report.Options{Period: view.Period{From: month, To: month}, Queries: []report.Question{{Hospital: 1, Asked: ago(0, 1)}}})
		must(t, err)
		if r.Tables[0].Rows[0][0].N != 0 {
			t.Errorf("asked next month: %+v", r.Tables[0].Rows)
		}
		return nil
	}))
}
