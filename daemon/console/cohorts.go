package console

import (
	"slices"
	"strconv"
	"strings"

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

// condition is the cohort in SQL over registrations as r: of what was typed only
// arguments.
func (c cohort) condition(lists *catalog.Catalog) (text string, args []any, err error) {
	conditions := []string{"r.person IS NOT NULL"}
	add := func(condition string, with ...any) {
		conditions, args = append(conditions, condition), append(args, with...)
	}
	if c.disease != "" {
		d, err := rowOf(lists, c.disease)
		if err != nil {
			return "", nil, errAsked
		}
		add(`r.idx IN (SELECT idx FROM case_rows WHERE list = ? AND number = ?)`, d.List, d.Number)
	}
	if c.sex != "" {
		n, ok := number(c.sex, 4)
		if !ok {
			return "", nil, errAsked
		}
		add(`r.sex = ?`, int64(n))
	}
	if c.province != "" {
		if !slices.Contains(report.Provinces(), c.province) {
			return "", nil, errAsked
		}
		add(`r.province = ?`, c.province)
	}
	for _, year := range []struct{ text, condition string }{{c.from, `r.event_month >= ? * 12`}, {c.to, `r.event_month < (? + 1) * 12`}} {
		if year.text == "" {
			continue
		}
		n, ok := number(year.text, 9999)
		if !ok || n < 1900 {
			return "", nil, errAsked
		}
		add(year.condition, int64(n))
	}
	return strings.Join(conditions, " AND "), args, nil
}

func (c *Console) cohorts(v *visit) error {
	asked := v.R.URL.Query()
	who := cohort{asked.Get("disease"), asked.Get("sex"), asked.Get("province"), asked.Get("from"), asked.Get("to")}
	lists, err := c.cfg.Catalogue()
	if err != nil {
		return err
	}
	condition, args, err := who.condition(lists)
	if err != nil {
		return err
	}
	s := v.start("cohorts")
	s.Form = v.cohortForm(who, lists)
	err = v.look(who.question(), func(q view.Query) error {
		s.Label = v.label(q.Head)
		var persons, cases, hospitals int64
		if err := q.One(`SELECT count(DISTINCT r.person), count(*), count(DISTINCT r.hospital) FROM registrations r WHERE `+condition, args, &persons, &cases, &hospitals); err != nil {
			return err
		}
		s.Blocks = []block{{Tiles: []tile{
			{Name: v.Say("persons"), Value: count(persons).Text, Hint: v.Say("personsHint")}, {Name: v.Say("cases"), Value: count(cases).Text}, {Name: v.Say("hospitalCount"), Value: count(hospitals).Text},
		}}}
		charts, err := v.cohortCharts(q, condition, args)
		s.Blocks = append(s.Blocks, charts...)
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

// cohortCharts divide a cohort in three ways. A person may be in several groups of
// one.
func (v *visit) cohortCharts(q view.Query, condition string, args []any) (out []block, err error) {
	for _, by := range []struct {
		id, expr, order string
		label           func(value string) string
	}{
		{"sex", "CAST(r.sex AS TEXT)", "1", func(value string) string { return v.Say("sex" + value) }},
		{"year", "coalesce(CAST(r.event_month / 12 AS TEXT), '')", "1", func(value string) string {
			if value == "" {
				return v.Say("unknown")
			}
			return value
		}},
		{"province", "r.province", "2 DESC, 1", func(value string) string { return v.in(report.ProvinceText(value)) }},
	} {
		var labels []string
		var values []int64
		err := q.Each(`SELECT `+by.expr+`, count(DISTINCT r.person) FROM registrations r WHERE `+condition+` GROUP BY 1 ORDER BY `+by.order, func(row view.Row) error {
			var value string
			var n int64
			err := row(&value, &n)
			labels, values = append(labels, by.label(value)), append(values, n)
			return err
		}, args...)
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			out = append(out, block{Bars: v.lying("by-"+by.id, v.Say("by."+by.id), v.Say("group"), v.Say("persons"), labels, values)})
		}
	}
	return []block{{Beside: out}}, nil
}
