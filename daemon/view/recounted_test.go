package view_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// figures are numbers by the words of a row.
type figures map[string][]int64

// table reads a report's table: rows by their words, with the numbers that columns
// of some names hold.
func table(t report.Table, columns ...string) figures {
	out := figures{}
	for _, row := range t.Rows {
		var words []string
		var numbers []int64
		for i, c := range t.Columns {
			switch {
			case c.Kind == report.Word && !slices.Contains(columns, c.Name):
				words = append(words, row[i].Text.EN)
			case slices.Contains(columns, c.Name):
				numbers = append(numbers, row[i].N)
			}
		}
		out[strings.Join(words, "|")] = numbers
	}
	return out
}

func (f figures) compare(t *testing.T, name string, want figures) {
	t.Helper()
	for key := range want {
		if slices.Max(want[key]) == 0 && f[key] == nil {
			delete(want, key) // a row that is there only of what was found
		}
	}
	if !maps.EqualFunc(f, want, slices.Equal[[]int64]) {
		t.Errorf("%s: the report says %v, the recount %v", name, f, want)
	}
}

// census is what the recount knows of registrations.
type census struct {
	entries []view.Counted
	cases   map[string]view.Counted // that count, by hospital and entry id
	today   int
}

func takeCensus(t *testing.T, v *view.View) census {
	c := census{entries: view.Recounted(t, v), cases: map[string]view.Counted{}}
	must(t, v.Read(t.Context(), func(q view.Query) error { c.today = int(q.Today()); return nil }))
	for _, o := range c.entries {
		if o.Entry.Case != nil && o.Live() {
			c.cases[fmt.Sprint(o.Hospital, o.Entry.ID)] = o
		}
	}
	return c
}

// rows are the rows of the lists that a case counts under, as "1.3".
func rows(o view.Counted) (out []string) {
	if o.Entry.Case == nil {
		return nil
	}
	d, _ := o.Entry.Case.Principal()
	for _, r := range d.Resolve(catalog.Current()).Counted() {
		out = append(out, fmt.Sprintf("%d.%d", r.List, r.Number))
	}
	return out
}

// of is the case that an entry belongs to.
func (c census) of(o view.Counted) view.Counted {
	return c.cases[fmt.Sprint(o.Hospital, o.Entry.BelongsTo())]
}

// distinct counts the different texts under a key.
type distinct map[string]map[string]bool

func (d distinct) add(key, text string) {
	if d[key] == nil {
		d[key] = map[string]bool{}
	}
	d[key][text] = true
}

func name(row string) string {
	for _, d := range catalog.Current().All() {
		if fmt.Sprintf("%d.%d", d.List, d.Number) == row && len(d.EN) > 0 {
			return d.EN[0]
		}
	}
	return ""
}

// compare holds every report against the recount.
func (c census) compare(t *testing.T, all map[string]report.Report) {
	t.Helper()
	persons, cases, hospitals := distinct{}, map[string]int64{}, distinct{}
	recent := map[string]int64{}
	for _, o := range c.cases {
		at := fmt.Sprint(o.Hospital)
		for _, row := range append(rows(o), "all", provinceOf(o.Hospital)) {
			cases[row]++
			hospitals.add(row, at)
			if p, ok := o.Person(); ok {
				persons.add(row, string(p[:]))
			}
		}
		if p, ok := o.Person(); ok {
			hospitals.add("of "+string(p[:]), at)
		}
		if o.Day() > c.today-365 {
			recent["all"]++
			recent[provinceOf(o.Hospital)]++
		}
	}
	n := func(d distinct, key string) int64 { return int64(len(d[key])) }
	total := all["provinces"].Tables[0].Total
	if got := []int64{total[1].N, total[2].N, total[3].N, total[4].N, total[5].N}; !slices.Equal(got, []int64{3, n(hospitals, "all"), n(persons, "all"), cases["all"], recent["all"]}) {
		t.Errorf("provinces: %v", got)
	}
	want := figures{}
	for _, p := range []string{"Beijing", "Shanghai"} {
		want[p] = []int64{n(persons, p), cases[p], recent[p]}
	}
	table(all["provinces"].Tables[0], "persons", "registrations", "new").compare(t, "provinces", want)
	want = figures{}
	for _, d := range catalog.Current().All() {
		row := fmt.Sprintf("%d.%d", d.List, d.Number)
		want[row+"|"+name(row)] = []int64{n(persons, row), cases[row], n(hospitals, row)}
	}
	table(all["coverage"].Tables[1], "persons", "registrations", "hospitals").compare(t, "coverage", want)
	several := figures{"1 or more": {0}, "2 or more": {0}, "3 or more": {0}}
	for key, at := range hospitals {
		for i, least := range []string{"1 or more", "2 or more", "3 or more"} {
			if strings.HasPrefix(key, "of ") && len(at) > i {
				several[least][0]++
			}
		}
	}
	table(all["duplicates"].Tables[0], "persons").compare(t, "duplicates", several)
	table(all["duplicates"].Tables[2], "persons").compare(t, "ways between provinces", c.ways())
	c.compareParts(t, all)
	c.compareSilent(t, all["silent"])
}

// provinceOf is where a hospital of the world is.
func provinceOf(hospital uint32) string {
	return map[bool]string{false: "Beijing", true: "Shanghai"}[hospital == 3]
}

// ways are the persons that went from one province to another, or to a second hospital
// of the same, by their first registration at each hospital.
func (c census) ways() figures {
	firsts := map[[32]byte]map[uint32]uint64{}
	for _, o := range c.cases {
		p, ok := o.Person()
		if !ok {
			continue
		}
		if firsts[p] == nil {
			firsts[p] = map[uint32]uint64{}
		}
		if at, seen := firsts[p][o.Hospital]; !seen || o.Index < at {
			firsts[p][o.Hospital] = o.Index
		}
	}
	went := distinct{}
	for p, at := range firsts {
		order := slices.SortedFunc(maps.Keys(at), func(a, b uint32) int { return cmp.Compare(at[a], at[b]) })
		for i := 1; i < len(order); i++ {
			went.add(provinceOf(order[i-1])+"|"+provinceOf(order[i]), string(p[:]))
		}
	}
	out := figures{}
	for way, persons := range went {
		out[way] = []int64{int64(len(persons))}
	}
	return out
}

// compareParts holds specimens and treatments against the recount.
func (c census) compareParts(t *testing.T, all map[string]report.Report) {
	t.Helper()
	specimens, holders, drugs := map[string]int64{}, distinct{}, distinct{}
	for _, o := range c.entries {
		p, named := o.Person()
		for _, row := range rows(c.of(o)) {
			if s := o.Entry.Specimen; s != nil && o.Live() && !o.Stopped(entry.ScopeBiobank) &&
				slices.Contains([]entry.SpecimenStatus{entry.SpecimenStatusNotGiven, entry.SpecimenAvailable, entry.SpecimenStatusUnknown}, s.Status) {
				key := name(row) + "|" + s.Kind.String() + "|" + map[entry.Answer]string{entry.Yes: "yes", entry.No: "no"}[s.Consent]
				if s.Consent != entry.Yes && s.Consent != entry.No {
					key += "not known"
				}
				specimens[key]++
				if holders.add(key, "anybody"); named {
					holders.add(key, string(p[:]))
				}
			}
			if d := o.Entry.Treatment; d != nil && o.Live() && named && !o.Stopped(entry.ScopeDrugs) {
				lacks := d.Reason == entry.StopCost || d.Reason == entry.StopSupply
				for what, yes := range map[string]bool{"": true, " on": d.Status == entry.TreatmentStarted,
					" stopped": d.Status == entry.TreatmentStopped && lacks, " lacks": d.Status == entry.TreatmentNotAccessible} {
					if yes {
						drugs.add(name(row)+what, string(p[:]))
					}
				}
			}
		}
	}
	var kinds []string
	got := map[string]int64{}
	for _, row := range all["specimens"].Tables[0].Rows {
		kinds = append(kinds, row[1].Text.EN)
		got[row[0].Text.EN+"|"+row[1].Text.EN+"|"+row[2].Text.EN] += row[3].N
	}
	if !maps.Equal(got, specimens) {
		t.Errorf("specimens: %v, want %v (%v)", got, specimens, kinds)
	}
	want := figures{}
	for key := range drugs {
		if name, ok := strings.CutSuffix(key, ""); ok && !strings.HasSuffix(key, " on") && !strings.HasSuffix(key, " stopped") && !strings.HasSuffix(key, " lacks") {
			want[name] = []int64{int64(len(drugs[name+" on"])), int64(len(drugs[name+" stopped"])), int64(len(drugs[name+" lacks"]))}
		}
	}
	found := table(all["drugs"].Tables[0], "treated", "stopped", "not_accessible")
	maps.DeleteFunc(found, func(_ string, n []int64) bool { return slices.Max(n) == 0 })
	found.compare(t, "drugs", want)
}

// compareSilent counts again what came when.
func (c census) compareSilent(t *testing.T, r report.Report) {
	t.Helper()
	want := figures{}
	for h := uint32(1); h <= 3; h++ {
		last, recent, before := -1, int64(0), int64(0)
		for _, o := range c.entries {
			if o.Hospital != h {
				continue
			}
			last = max(last, o.Day())
			switch age := c.today - o.Day(); {
			case age < 30:
				recent++
			case age <= 120:
				before++
			}
		}
		silence := int64(c.today - last)
		if last < 0 {
			silence = 0
		}
		want[fmt.Sprintf("Hospital %d", h)] = []int64{silence, recent, (before + 1) / 3}
	}
	got := figures{}
	for key, numbers := range table(r.Tables[0], "days", "last_30_days", "usual") {
		got[strings.Split(key, "|")[0]] = numbers
	}
	got.compare(t, "silent", want)
}

func TestAnIndependentRecountAgreesWithEveryReport(t *testing.T) {
	v, _ := view.Lived(t, 60)
	all := made(t, v, "1.3")
	takeCensus(t, v).compare(t, all)
	for _, tables := range []report.Table{all["specimens"].Tables[0], all["drugs"].Tables[0]} {
		if len(tables.Rows) < 3 {
			t.Errorf("%s has %d rows: the recount says little", tables.Title.EN, len(tables.Rows))
		}
	}
}

// TestPublishedCasesThroughTwoHospitals counts the real cases, each registered at two
// hospitals: as many persons as cases, and twice as many registrations.
func TestPublishedCasesThroughTwoHospitals(t *testing.T) {
	real := view.Real(t)
	v, n := real.View, real.N
	if n == 0 {
		t.Log("no published cases: none are counted")
		return
	}
	if n < 595 {
		t.Errorf("%d cases are accepted, want 595 at least", n)
	}
	all := made(t, v, "1.3")
	takeCensus(t, v).compare(t, all)
	persons, cases := int64(n), 2*int64(n)
	total := all["provinces"].Tables[0].Total
	if total[3].N != persons || total[4].N != cases || total[5].N != cases {
		t.Errorf("provinces: %d persons, %d registrations of %d cases", total[3].N, total[4].N, n)
	}
	table(all["duplicates"].Tables[0], "persons").compare(t, "duplicates", figures{"1 or more": {persons}, "2 or more": {persons}, "3 or more": {0}})
	quality := table(all["quality"].Tables[0], "numerator", "denominator")
	for row, numbers := range quality {
		switch id, _, _ := strings.Cut(row, "|"); id {
		case "Q2.features", "Q2.genetics", "Q2.onset", "Q2.contact", "Q5", "Q14":
			if numbers[1] != cases {
				t.Errorf("%s is of %d registrations, want %d", id, numbers[1], cases)
			}
		case "Q6.elsewhere", "Q7", "Q12":
			if numbers[1] != persons {
				t.Errorf("%s is of %d persons, want %d", id, numbers[1], persons)
			}
		}
	}
	realOnPages(t, real)
	realInExports(t, real)
}
