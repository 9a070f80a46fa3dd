package entry_test

import (
	"testing"
	"time"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
)

func TestDatesAreReadAsFarAsTheyAreKnown(t *testing.T) {
	for text, want := range map[string]entry.Precision{
		"":           entry.PrecisionUnknown,
		"2024":       entry.PrecisionYear,
		"2024-02":    entry.PrecisionMonth,
		"2024-02-29": entry.PrecisionDay,
	} {
		d, ok := entry.ParseDate(text)
		if !ok || d.Precision() != want || d.String() != text {
			t.Errorf("%q: %v, %q, %v", text, d.Precision(), d, ok)
		}
	}
	for _, text := range []string{"2023-02-29", "2024-13", "2024-00", "0000", "24-02-01", "2024-2-1", "2024/02/01", "２０２４", "2024-02-1a"} {
		if _, ok := entry.ParseDate(text); ok {
			t.Errorf("%q is read as a date", text)
		}
	}
}

func TestASpanRunsFromTheFirstToTheLastDay(t *testing.T) {
	for text, want := range map[string][2]string{
		"2024":       {"2024-01-01", "2024-12-31"},
		"2024-02":    {"2024-02-01", "2024-02-29"},
		"2024-02-29": {"2024-02-29", "2024-02-29"},
	} {
		d, _ := entry.ParseDate(text)
		first, last := d.Span()
		if got := [2]string{first.Format(time.DateOnly), last.Format(time.DateOnly)}; got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestAnOutcomeFollowsFromTheInterpretations(t *testing.T) {
	with := func(p entry.Progress, s ...entry.Standing) entry.Genetics {
		in := entry.Interpretation{Progress: p}
		for _, standing := range s {
			in.Variants = append(in.Variants, entry.Variant{Standing: standing})
		}
		return entry.Genetics{Interpretations: []entry.Interpretation{in}}
	}
	for name, tc := range map[string]struct {
		genetics entry.Genetics
		want     entry.Result
	}{
		"nothing interpreted":              {entry.Genetics{}, entry.ResultNotGiven},
		"stated outright":                  {entry.Genetics{Stated: entry.Pending}, entry.Pending},
		"one causative among others":       {with(entry.ProgressSolved, entry.StandingCandidate, entry.StandingCausative), entry.Causative},
		"only candidates":                  {with(entry.ProgressUnsolved, entry.StandingCandidate), entry.Uncertain},
		"all rejected":                     {with(entry.ProgressUnsolved, entry.StandingRejected), entry.Negative},
		"unsolved without a variant":       {with(entry.ProgressUnsolved), entry.Negative},
		"in progress without a variant":    {with(entry.ProgressRunning), entry.Pending},
		"causative although still running": {with(entry.ProgressRunning, entry.StandingCausative), entry.Causative},
	} {
		if got := tc.genetics.Outcome(); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

func TestADiseaseFindsItsRowsInTheCatalogue(t *testing.T) {
	c := catalog.Current()
	for name, tc := range map[string]struct {
		disease entry.Disease
		rows    []entry.Row
	}{
		"by list number":        {entry.Disease{Codes: []string{entry.ListCode(1, 98)}}, []entry.Row{{List: 1, Number: 98}}},
		"by ORPHA code":         {entry.Disease{Codes: []string{"Orphanet:324"}}, []entry.Row{{List: 1, Number: 27}}},
		"by OMIM beside others": {entry.Disease{Codes: []string{"SNOMEDCT:1", "OMIM:301500"}}, []entry.Row{{List: 1, Number: 27}}},
		"by name":               {entry.Disease{Text: "法布雷病"}, []entry.Row{{List: 1, Number: 27}}},
		"outside the lists":     {entry.Disease{Codes: []string{"OMIM:620657"}}, nil},
	} {
		m := tc.disease.Resolve(c)
		if len(m.Rows) != len(tc.rows) || len(m.Rows) > 0 && m.Rows[0] != tc.rows[0] || m.Edition != c.Edition() {
			t.Errorf("%s: got %+v, want %v", name, m, tc.rows)
		}
	}
	if _, _, ok := entry.ParseListCode("LIST:1.098"); ok {
		t.Error("a list code has a second spelling")
	}
}

func TestStrengthsKeepTheirNames(t *testing.T) {
	for _, s := range []identity.Strength{identity.Local, identity.Weak, identity.Strong} {
		if got := entry.StrengthOf(s).String(); got != s.String() {
			t.Errorf("%s becomes %s", s, got)
		}
	}
}

func TestASummaryNamesTheDiseaseByTheCatalogue(t *testing.T) {
	c := catalog.Current()
	d := entry.Disease{Codes: []string{"ORPHA:324"}, Text: "Fabry's"}
	d.Match = d.Resolve(c)
	excluded := entry.Disease{Codes: []string{"ORPHA:448"}, Excluded: true}
	e := entry.Entry{Type: entry.TypeCase, Facts: entry.Facts{Case: &entry.Case{Diseases: []entry.Disease{excluded, d}}}}
	if got := e.Summary(c).Disease; got != "法布雷病" {
		t.Errorf("got %q", got)
	}
	e.Case.Diseases = []entry.Disease{{Codes: []string{"OMIM:620657"}}}
	if got := e.Summary(c).Disease; got != "OMIM:620657" {
		t.Errorf("outside the lists: got %q", got)
	}
}
