package view_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

func TestALetterHasTheHospitalsOwnFiguresOfTheMonth(t *testing.T) {
	v, r := view.Lived(t, 90)
	must(t, v.Read(t.Context(), func(q view.Query) error {
		month := q.ThisMonth()
		open := map[uint32]report.Asked{2: {Queries: 3, OldestDays: 40}}
		letters, err := report.Letters(q, 0, 3, open, []uint32{1, 2, 3})
		must(t, err)
		spots := 0
		for _, l := range letters {
			made, err := report.Make(q, "quality", report.Options{Hospital: l.Hospital, Period: view.Period{From: month, To: month}})
			must(t, err)
			for i, row := range made.Tables[0].Rows {
				line := l.Lines[i]
				if line.Of != uint64(row[3].N) || !row[2].None && line.Value != uint64(row[2].N) || line.Indicator != row[0].Text.EN || line.Hospitals != 0 || line.Median != 0 {
					t.Errorf("hospital %d: the letter has %+v, the report %+v", l.Hospital, line, row)
				}
			}
			if l.Of != month.Date() || l.Size != q.Head.Size || l.Open != open[l.Hospital].Queries || l.Oldest != open[l.Hospital].OldestDays {
				t.Errorf("the letter is %+v", l)
			}
			if _, err := entry.Encode(entry.Entry{
				Type: entry.TypeLetter, Profile: entry.Report, Source: entry.SourceForm, EventDate: entry.Date{Year: 2026, Month: 1, Day: 1}, Letter: &l,
			}); err != nil {
				t.Error(err)
			}
			spots += len(l.Worst)
		}
		if spots == 0 {
			t.Error("rules found nothing")
		}
		worst, err := report.Worst(q, month)
		must(t, err)
		for hospital, list := range worst {
			for _, s := range list {
				if len(s.Examples) == 0 || len(s.Examples) > int(s.Count) || !slices.IsSorted(s.Examples) {
					t.Errorf("hospital %d: %+v", hospital, s)
				}
				for _, index := range s.Examples {
					if o, err := r.Entry(index); err != nil || o.Hospital != hospital || o.Entry.Case == nil {
						t.Errorf("an example of hospital %d is %+v, %v", hospital, o, err)
					}
				}
			}
		}
		for name, m := range map[string]view.Month{"a month to come": month + 1, "one before the log": month - 1200} {
			if _, err := report.Letters(q, m, 3, nil, []uint32{1}); !errors.Is(err, report.ErrOptions) {
				t.Errorf("of %s (%s): %v", name, strconv.Itoa(int(m)), err)
			}
		}
		return nil
	}))
}
