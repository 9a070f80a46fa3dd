package console

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/catalog"
)

// cohort is who is asked for. What is "" is not asked.
type cohort struct {
	disease, sex, province string
	from, to               string // years of diagnosis
}

// question is what is kept of the cohort: who asks for few people shows it.
func (c cohort) question() string {
	return "cohort disease=" + c.disease + " sex=" + c.sex + " province=" + c.province + " from=" + c.from + " to=" + c.to
}

// fits reads what was asked: it returns whether a registration is of the cohort.
func (c cohort) fits(lists *catalog.Catalog) (fits func(r *view.Case, province string) bool, err error) {
	var all []func(r *view.Case, province string) bool
	if c.disease != "" {
		d, err := rowOf(lists, c.disease)
		if err != nil {
			return nil, errAsked
		}
		all = append(all, func(r *view.Case, _ string) bool { return r.Of(d.List, d.Number) })
	}
	if c.sex != "" {
		n, ok := number(c.sex, 4)
		if !ok {
			return nil, errAsked
		}
		all = append(all, func(r *view.Case, _ string) bool { return uint64(r.Sex) == n })
	}
	if c.province != "" {
		if !slices.Contains(report.Provinces(), c.province) {
			return nil, errAsked
		}
		all = append(all, func(_ *view.Case, province string) bool { return province == c.province })
	}
	for _, bound := range []struct {
		text string
		fits func(year, bound uint64) bool
	}{{c.from, func(year, from uint64) bool { return year >= from }}, {c.to, func(year, to uint64) bool { return year <= to }}} {
		if bound.text == "" {
			continue
		}
		n, ok := number(bound.text, 9999)
		if !ok || n < 1900 {
			return nil, errAsked
		}
		all = append(all, func(r *view.Case, _ string) bool {
			return view.Known(r.EventMonth) && bound.fits(uint64(r.EventMonth/12), n)
		})
	}
	return func(r *view.Case, province string) bool {
		return r.Person != 0 && !slices.ContainsFunc(all, func(f func(*view.Case, string) bool) bool { return !f(r, province) })
	}, nil
}

// groups are a cohort divided in one way. A person may be in several groups.
type groups struct {
	id    string
	of    func(r *view.Case, province string) string
	label func(group string) string
	most  bool // the largest first, not by their names

	persons map[string]*view.Persons
}

func (c *Console) cohorts(v *visit) error {
	asked := v.R.URL.Query()
	who := cohort{asked.Get("disease"), asked.Get("sex"), asked.Get("province"), asked.Get("from"), asked.Get("to")}
	lists, err := c.cfg.Catalogue()
	if err != nil {
		return err
	}
	fits, err := who.fits(lists)
	if err != nil {
		return err
	}
	s := v.start("cohorts")
	s.Form = v.cohortForm(who, lists)
	err = v.look(who.question(), func(q view.Query) error {
		s.Label = v.label(q.Head)
		provinces, err := q.Provinces()
		if err != nil {
			return err
		}
		var persons view.Persons
		var cases, hospitals int64
		last, ways := uint32(0), v.ways()
		err = q.Cases(func(r *view.Case) {
			province := provinces[r.Hospital]
			if !fits(r, province) {
				return
			}
			cases++
			persons.Add(r.Person)
			if r.Hospital != last {
				last = r.Hospital
				hospitals++
			}
			for _, g := range ways {
				group := g.of(r, province)
				if g.persons[group] == nil {
					g.persons[group] = &view.Persons{}
				}
				g.persons[group].Add(r.Person)
			}
		})
		s.Blocks = []block{{Tiles: []tile{
			{Name: v.Say("persons"), Value: count(persons.Len()).Text, Hint: v.Say("personsHint")}, {Name: v.Say("cases"), Value: count(cases).Text}, {Name: v.Say("hospitalCount"), Value: count(hospitals).Text},
		}}, {Beside: v.draw(ways)}}
		return err
	})
	if err != nil {
		return err
	}
	s.Hints = []string{v.Say("cohortHint"), v.Say("exact")}
	return v.finish(s)
}

func (v *visit) cohortForm(who cohort, lists *catalog.Catalog) *form {
	diseases := []option{{Value: "", Text: v.Say("all")}}
	for _, d := range lists.All() {
		name, _ := v.names(d)
		diseases = append(diseases, option{Value: d.Ref(), Text: d.Ref() + " " + name})
	}
	provinces := []option{{Value: "", Text: v.Say("all")}}
	for _, code := range report.Provinces() {
		if v.Account.Province == "" || v.Account.Province == code {
			provinces = append(provinces, option{Value: code, Text: v.in(report.ProvinceText(code))})
		}
	}
	sexes := []option{{Value: "", Text: v.Say("all")}}
	for i := range 5 {
		sexes = append(sexes, option{Value: strconv.Itoa(i), Text: v.Say("sex" + strconv.Itoa(i))})
	}
	return &form{Action: "/cohorts", Submit: v.Say("countThem"), Fields: []field{
		{Name: "disease", Label: v.Say("disease"), Options: choose(who.disease, diseases...)},
		{Name: "province", Label: v.Say("provinceOfHospital"), Options: choose(who.province, provinces...)},
		{Name: "sex", Label: v.Say("sexAtBirth"), Options: choose(who.sex, sexes...)},
		{Name: "from", Label: v.Say("fromYear"), Value: who.from, Number: true}, {Name: "to", Label: v.Say("toYear"), Value: who.to, Number: true},
	}}
}

// ways are those in which a cohort is divided.
func (v *visit) ways() []groups {
	all := []groups{
		{id: "sex", of: func(r *view.Case, _ string) string { return strconv.Itoa(int(r.Sex)) }, label: func(group string) string { return v.Say("sex" + group) }},
		{id: "year", of: func(r *view.Case, _ string) string {
			if !view.Known(r.EventMonth) {
				return ""
			}
			return strconv.Itoa(int(r.EventMonth / 12))
		}, label: func(group string) string {
			if group == "" {
				return v.Say("unknown")
			}
			return group
		}},
		{id: "province", of: func(_ *view.Case, province string) string { return province }, label: func(group string) string { return v.in(report.ProvinceText(group)) }, most: true},
	}
	for i := range all {
		all[i].persons = map[string]*view.Persons{}
	}
	return all
}

func (v *visit) draw(ways []groups) (out []block) {
	for _, g := range ways {
		names := slices.SortedFunc(maps.Keys(g.persons), func(a, b string) int {
			if g.most {
				return cmp.Or(cmp.Compare(g.persons[b].Len(), g.persons[a].Len()), cmp.Compare(a, b))
			}
			return cmp.Compare(a, b)
		})
		var labels []string
		var values []int64
		for _, name := range names {
			labels, values = append(labels, g.label(name)), append(values, g.persons[name].Len())
		}
		if len(values) > 0 {
			out = append(out, block{Bars: v.lying("by-"+g.id, v.Say("by."+g.id), v.Say("group"), v.Say("persons"), labels, values)})
		}
	}
	return out
}
