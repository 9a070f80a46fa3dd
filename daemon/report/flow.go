package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/raresync/raresync/daemon/view"
)

// duplicates counts persons by hospitals, and the ways between provinces.
func duplicates(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Persons by the number of hospitals", "按登记医院数统计患者"}, Columns: []Column{
		{Name: "hospitals", Title: Text{"Hospitals", "医院数"}, Kind: Word}, personsColumn,
	}, Rows: [][]Cell{{words("1 or more", "1 家及以上"), {}}, {words("2 or more", "2 家及以上"), {}}, {words("3 or more", "3 家及以上"), {}}}}
	// Each row holds the next: what is left between two of them is not printed.
	persons, firsts, err := firstsOf(q)
	if err != nil {
		return err
	}
	t.Rows[0][1].N, t.Rows[1][1].N = persons, int64(len(firsts))
	for _, at := range firsts {
		if len(at) > 2 {
			t.Rows[2][1].N++
		}
	}
	again, err := q.Figures(indicator("Q6.duplicates"), view.ByNation, view.Period{})
	if err != nil {
		return err
	}
	twice := Table{Title: Text{"Registered again at the same hospital", "同院重复登记"}, Columns: []Column{
		{Name: "repeated", Title: Text{"Repeated registrations", "重复登记"}, Kind: People}, {Name: "percent", Title: Text{"Percent", "百分比"}, Kind: Share},
	}, Rows: [][]Cell{{number(again[""].Num), share(again[""].Num, again[""].Den)}}}
	flow := Table{Title: Text{"From the province of the first registration to that of the next", "首次登记省 → 后续登记省"}, Found: true, Columns: []Column{
		{Name: "from", Title: Text{"From", "从"}, Kind: Word}, {Name: "to", Title: Text{"To", "到"}, Kind: Word}, personsColumn,
	}}
	if err := waysOf(q, firsts, &flow); err != nil {
		return err
	}
	referred := flow
	referred.Title, referred.Rows = Text{"Referrals between provinces", "省间转诊"}, nil
	err = flowRows(q, &referred, `WITH way AS (SELECT r.person, coalesce(a.province, CASE WHEN f.from_code = '' THEN r.province END, '') AS a,
		coalesce(b.province, CASE WHEN f.to_code = '' THEN r.province END, '') AS b FROM referrals f CROSS JOIN facts r ON r.idx = f.idx
		LEFT JOIN hospitals a ON a.entity = f.from_code AND f.from_code <> '' LEFT JOIN hospitals b ON b.entity = f.to_code AND f.to_code <> ''
		WHERE r.person IS NOT NULL) SELECT a, b, count(DISTINCT person) FROM way GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`)
	r.Tables = append(r.Tables, t, twice, flow, referred)
	return err
}

// place is a person's first registration at a hospital.
type place struct {
	hospital uint32
	index    int64
}

// firstsOf counts persons, and returns where those are registered that are at several
// hospitals, the first first.
func firstsOf(q view.Query) (persons int64, several map[int64][]place, err error) {
	var all, twice, here view.Persons
	last := uint32(0)
	if err := q.Cases(func(c *view.Case) { // hospital by hospital
		if c.Hospital != last {
			last, here = c.Hospital, view.Persons{}
		}
		if !here.Has(c.Person) && all.Has(c.Person) {
			twice.Add(c.Person)
		}
		here.Add(c.Person)
		all.Add(c.Person)
	}); err != nil {
		return 0, nil, err
	}
	several = map[int64][]place{}
	err = q.Cases(func(c *view.Case) {
		if !twice.Has(c.Person) {
			return
		}
		at := several[c.Person]
		if n := len(at); n > 0 && at[n-1].hospital == c.Hospital {
			return // cases come by their indexes
		}
		several[c.Person] = append(at, place{c.Hospital, c.Index})
	})
	for _, at := range several {
		slices.SortFunc(at, func(a, b place) int { return cmp.Compare(a.index, b.index) })
	}
	return all.Len(), several, err
}

// waysOf counts persons by the province of a registration and that of the next at
// another hospital.
func waysOf(q view.Query, firsts map[int64][]place, t *Table) error {
	province, err := q.Provinces()
	if err != nil {
		return err
	}
	type way struct{ from, to string }
	counts := map[way]int64{}
	var gone []way // of one person
	for _, at := range firsts {
		gone = gone[:0]
		for i := range at[1:] {
			if w := (way{province[at[i].hospital], province[at[i+1].hospital]}); !slices.Contains(gone, w) {
				gone = append(gone, w)
			}
		}
		for _, w := range gone {
			counts[w]++
		}
	}
	ways := slices.SortedFunc(maps.Keys(counts), func(a, b way) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	for _, w := range ways {
		t.Rows = append(t.Rows, []Cell{{Text: ProvinceText(w.from)}, {Text: ProvinceText(w.to)}, number(counts[w])})
	}
	return nil
}

func flowRows(q view.Query, t *Table, query string) error {
	return q.Each(query, func(row view.Row) error {
		var a, b string
		var n int64
		err := row(&a, &b, &n)
		t.Rows = append(t.Rows, []Cell{{Text: ProvinceText(a)}, {Text: ProvinceText(b)}, number(n)})
		return err
	})
}
