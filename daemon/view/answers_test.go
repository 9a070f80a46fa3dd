package view_test

import (
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// compareMonths counts again what was there at the end of each month.
func (c census) compareMonths(t *testing.T, r report.Report) {
	t.Helper()
	monthOf := func(day int) string { return time.Unix(int64(day)*24*60*60, 0).UTC().Format("2006-01") }
	got := table(r.Tables[0], "registrations", "persons")
	for month, numbers := range got {
		var cases int64
		persons := distinct{}
		for _, o := range c.cases {
			if monthOf(o.Day()) > month {
				continue
			}
			cases++
			if p, ok := o.Person(); ok {
				persons.add("", string(p[:]))
			}
		}
		if !slices.Equal(numbers, []int64{cases, int64(len(persons[""]))}) {
			t.Errorf("up to the end of %s: %v, want %d registrations of %d persons", month, numbers, cases, len(persons[""]))
		}
	}
	if _, there := got[monthOf(c.today)]; !there {
		t.Errorf("the month of the last log time has no row: %v", got)
	}
}

// compareAccess counts again why and how persons are treated.
func (c census) compareAccess(t *testing.T, r report.Report) {
	t.Helper()
	groups := [3]distinct{{}, {}, {}}
	for _, o := range c.entries {
		d := o.Entry.Treatment
		p, named := o.Person()
		if d == nil || !o.Live() || !named || o.Stopped(entry.ScopeDrugs) || len(rows(c.of(o))) == 0 {
			continue
		}
		count := func(i int, group string) {
			if group == "" {
				group = "not given"
			}
			groups[i].add(group, string(p[:]))
			groups[i].add("All", string(p[:]))
		}
		switch d.Status {
		case entry.TreatmentStopped:
			count(0, d.Reason.String())
		case entry.TreatmentStarted:
			count(1, d.Access.String())
			count(2, map[entry.Band]string{entry.BandNothing: "nothing", entry.BandTo1000: "up to 1000 yuan", entry.BandTo5000: "1000-5000 yuan",
				entry.BandTo20000: "5000-20000 yuan", entry.BandAbove20000: "above 20000 yuan"}[d.OutOfPocket])
		}
	}
	for i, again := range groups {
		given := r.Tables[i+1]
		seen := int64(0)
		for _, row := range append(slices.Clone(given.Rows), given.Total) {
			if want := int64(len(again[row[0].Text.EN])); row[1].N != want {
				t.Errorf("%s, %s: %d, want %d", given.Title.EN, row[0].Text.EN, row[1].N, want)
			}
			seen += row[1].N
		}
		if seen == 0 {
			t.Errorf("%s counts nobody: the recount says little", given.Title.EN)
		}
	}
}

func TestAnswersAgreeWithTheRecount(t *testing.T) {
	v, _ := view.Lived(t, 150)
	c := takeCensus(t, v)
	all := made(t, v, "1.3")
	c.compareMonths(t, all["months"])
	c.compareAccess(t, all["drugs"])
	for _, q := range report.Questions() {
		name, ok := report.Answering(q.Name)
		if r := all[name]; !ok || len(r.Tables) == 0 {
			t.Errorf("question %s: no report answers it", q.Name)
		}
		for _, table := range all[name].Tables {
			for _, column := range table.Columns {
				if column.Name == "hospital" || column.Name == "index" {
					t.Errorf("question %s names hospitals or entries: %s", q.Name, table.Title.EN)
				}
			}
		}
	}
	if _, ok := report.Answering(""); ok {
		t.Error("a report that is not for partners answers the empty question")
	}
}

// TestWhoHasStoppedAUseIsInNoFigureOfIt reads without those whose use is stopped.
func TestWhoHasStoppedAUseIsInNoFigureOfIt(t *testing.T) {
	v, _ := view.Lived(t, 150)
	c := takeCensus(t, v)
	var stopped int64
	for _, use := range []entry.Scope{entry.ScopeReuse, entry.ScopeIndustry, entry.ScopeDrugs} {
		var want, got, again int64
		for _, o := range c.cases {
			if !o.Stopped(use) {
				want++
			}
		}
		count := func(into *int64) func(view.Query) error {
			return func(q view.Query) error { return q.One(`SELECT count(*) FROM registrations`, nil, into) }
		}
		must(t, v.ReadPart(t.Context(), view.Part{Without: use}, count(&got)))
		must(t, v.Read(t.Context(), count(&again)))
		if got != want || again != int64(len(c.cases)) {
			t.Errorf("without who has stopped %s: %d of %d registrations, want %d of %d", use, got, again, want, len(c.cases))
		}
		stopped += again - want
	}
	if stopped == 0 {
		t.Error("nobody has stopped a use: the test says little")
	}
}

// TestNoPublishedAnswerTellsASmallCount publishes every answer with each smallest cell.
func TestNoPublishedAnswerTellsASmallCount(t *testing.T) {
	v, _ := view.Lived(t, 60)
	all := made(t, v, "1.3")
	for _, q := range report.Questions() {
		name, _ := report.Answering(q.Name)
		for minCell := 3; minCell <= 20; minCell++ {
			for i, table := range all[name].Published(minCell).Tables {
				figures, withheld, total := table.Suppressed()
				var held uint64
				for _, row := range append(slices.Clone(table.Rows), table.Total) {
					for at, cell := range row {
						if cell.Withheld {
							held++
						}
						if kind := table.Columns[at].Kind; kind == report.People && !cell.Withheld && !cell.None && cell.N < int64(minCell) {
							t.Errorf("%s, table %d, smallest cell %d: %d is printed", q.Name, i, minCell, cell.N)
						}
					}
				}
				if held != withheld || withheld > figures || (total == "none") != (table.Total == nil) {
					t.Errorf("%s, table %d: %d of %d withheld, want %d; total %s", q.Name, i, withheld, figures, held, total)
				}
			}
		}
	}
}
