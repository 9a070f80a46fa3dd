package view_test

import (
	"errors"
	"testing"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
)

// counted sums up what one look at the view shows of each hospital.
func counted(t *testing.T, v *view.View, province string) (hospitals map[int]int, persons int, reports map[string]report.Report) {
	t.Helper()
	hospitals, reports = map[int]int{}, map[string]report.Report{}
	must(t, v.ReadIn(t.Context(), province, func(q view.Query) error {
		if err := q.Each(`SELECT hospital, count(*) FROM registrations GROUP BY 1`, func(row view.Row) error {
			var h, n int
			err := row(&h, &n)
			hospitals[h] = n
			return err
		}); err != nil {
			return err
		}
		for _, l := range report.List() {
			r, err := report.Make(q, l.Name, report.Options{Disease: "1.3"})
			if err != nil {
				return err
			}
			reports[l.Name] = r
		}
		return q.One(`SELECT count(DISTINCT person) FROM registrations`, nil, &persons)
	}))
	return hospitals, persons, reports
}

func TestALookAtOneProvinceShowsNothingOfOthers(t *testing.T) {
	v, _ := view.Lived(t, 60)
	nation, persons, _ := counted(t, v, "")
	provinces := map[string][]int{}
	must(t, v.Read(t.Context(), func(q view.Query) error {
		return q.Each(`SELECT province, number FROM hospitals WHERE NOT other`, func(row view.Row) error {
			var p string
			var n int
			err := row(&p, &n)
			provinces[p] = append(provinces[p], n)
			return err
		})
	}))
	if len(provinces) < 2 || len(nation) < 2 {
		t.Fatalf("the world has the provinces %v and registrations %v", provinces, nation)
	}
	for p, numbers := range provinces {
		own, some, reports := counted(t, v, p)
		for h, n := range own {
			if nation[h] != n {
				t.Errorf("hospital %d: %d registrations seen from its province, %d from the nation", h, n, nation[h])
			}
		}
		if len(own) > len(numbers) || some > persons || some == 0 {
			t.Errorf("province %s sees hospitals %v, has %v; %d persons of %d", p, own, numbers, some, persons)
		}
		for _, table := range reports["silent"].Tables {
			if len(table.Rows) != len(numbers) {
				t.Errorf("province %s: %d hospitals are listed, it has %d", p, len(table.Rows), len(numbers))
			}
		}
		if again, _, _ := counted(t, v, ""); len(again) != len(nation) {
			t.Fatalf("after a look at %s the nation is %v", p, again)
		}
	}
	if err := v.ReadIn(t.Context(), `1"`, func(view.Query) error { return nil }); !errors.Is(err, view.ErrProvince) {
		t.Errorf("a province that is none: %v", err)
	}
}

func TestAHospitalsViewListsNoOthers(t *testing.T) {
	v := view.Own(t, 20)
	must(t, v.Read(t.Context(), func(q view.Query) error {
		all, err := report.Hospitals(q)
		must(t, err)
		if len(all) != 1 || all[0].Number != 2 || all[0].LastDay == "" {
			t.Errorf("a hospital's view lists %+v", all)
		}
		whole, provinces, err := report.Counts(q, 0)
		must(t, err)
		if whole.Hospitals != 1 || whole.Active != 1 || len(provinces) != 1 || whole.Cases == 0 || whole.Cases != whole.New {
			t.Errorf("it counts %+v, %+v", whole, provinces)
		}
		return nil
	}))
}
