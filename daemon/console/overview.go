package console

import (
	"strconv"
	"strings"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
)

// proofStrip says whose figures these are.
type proofStrip struct {
	Agreement
	Size    string
	Agrees  string // "3 of 3 nodes agree"
	Names   string
	Covered string // the checkpoint and the figures, where they are of two trees
}

// strip asks what the voters have signed. figures is the tree size that the figures
// of the page are of; 0 without any.
func (v *visit) strip(figures uint64) (*proofStrip, error) {
	a, err := v.Console.cfg.Node.Agreement()
	if err != nil {
		return nil, err
	}
	s := &proofStrip{Agreement: a, Size: site.Grouped(int(a.Size)), Agrees: v.Say("agree", len(a.Agree), a.Of), Names: strings.Join(a.Agree, ", ")}
	if figures > a.Size {
		s.Covered = v.Say("newer", site.Grouped(int(figures-a.Size)))
	}
	return s, nil
}

// provinceCount are the figures of a province.
type provinceCount struct {
	code                                 string
	hospitals, persons, cases, thisMonth int64
}

func (c *Console) overview(v *visit) error {
	s := v.start("overview")
	err := v.look("overview", func(q view.Query) error {
		s.Label = v.label(q.Head)
		strip, err := v.strip(q.Head.Size)
		if err != nil {
			return err
		}
		all, err := report.Hospitals(q)
		if err != nil {
			return err
		}
		tiles, err := v.nation(q, all)
		if err != nil {
			return err
		}
		provinces, err := byProvince(q)
		if err != nil {
			return err
		}
		labels, values, err := monthly(q, "1 = 1")
		if err != nil {
			return err
		}
		persons := map[string]int64{}
		for _, p := range provinces {
			persons[p.code] = p.persons
		}
		s.Blocks = []block{
			{Proof: strip}, {Tiles: tiles},
			{Beside: []block{{Map: v.drawMap("map", v.Say("mapTitle"), persons)}, {Table: v.provinceTable(provinces)}}},
			{Bars: v.upright("months", v.Say("monthsTitle"), v.Say("month"), v.Say("cases"), labels, values)},
			{Table: v.needAttention(all)},
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.Hints, s.Links = []string{v.Say("exact")}, []link{v.printed("provinces", ""), {Href: "/log/checkpoint", Text: v.Say("checkpointFile"), File: true}}
	return v.finish(s)
}

// nation are the figures that are to be seen at once.
func (v *visit) nation(q view.Query, all []report.Hospital) ([]tile, error) {
	var persons, cases, month, seen, listed int64
	err := q.One(`SELECT count(DISTINCT person), count(*), coalesce(sum(month = ?), 0) FROM registrations`, []any{int64(q.ThisMonth())}, &persons, &cases, &month)
	if err != nil {
		return nil, err
	}
	if err := q.One(`SELECT count(*), coalesce(sum(EXISTS (SELECT 1 FROM case_rows x JOIN live e ON e.idx = x.idx WHERE x.list = d.list AND x.number = d.number)), 0) FROM diseases d`,
		nil, &listed, &seen); err != nil {
		return nil, err
	}
	states := map[report.State]int{}
	for _, h := range all {
		states[h.State]++
	}
	n := func(n int64) string { return site.Grouped(int(n)) }
	tiles := []tile{
		{Name: v.Say("persons"), Value: n(persons), Hint: v.Say("personsHint")},
		{Name: v.Say("cases"), Value: n(cases), Hint: v.Say("casesHint")},
		{Name: v.Say("thisMonth"), Value: n(month), Hint: v.Say("thisMonthHint", q.ThisMonth().String())},
		{Name: v.Say("seen"), Value: n(seen) + " / " + n(listed), Hint: v.Say("seenHint"), Href: v.reach("/diseases")},
		{Name: v.Say("silentHospitals"), Value: strconv.Itoa(states[report.Silent]) + " / " + strconv.Itoa(len(all)), Hint: v.Say("silentHint"), Href: v.reach("/hospitals?state=silent")},
		{Name: v.Say("lateHospitals"), Value: strconv.Itoa(states[report.Late] + states[report.Fallen]), Hint: v.Say("lateHint"), Href: v.reach("/hospitals?state=late")},
	}
	if states[report.Silent] > 0 {
		tiles[4].Class = "bad"
	}
	return tiles, nil
}

// reach is a path, if the visitor may open it.
func (v *visit) reach(path string) string {
	section, _, _ := strings.Cut(path, "?")
	for _, item := range menu(v.Account) {
		if item.Path == section {
			return path
		}
	}
	return ""
}

func byProvince(q view.Query) (all []provinceCount, err error) {
	err = q.Each(`SELECT h.province, count(DISTINCT h.number), count(DISTINCT r.person), count(r.idx), coalesce(sum(r.month = ?), 0)
		FROM hospitals h LEFT JOIN registrations r ON r.hospital = h.number WHERE NOT h.reader GROUP BY 1 ORDER BY 3 DESC, 1`, func(row view.Row) error {
		var p provinceCount
		err := row(&p.code, &p.hospitals, &p.persons, &p.cases, &p.thisMonth)
		all = append(all, p)
		return err
	}, int64(q.ThisMonth()))
	return all, err
}

func (v *visit) provinceTable(all []provinceCount) *table {
	t := &table{ID: "provinces", Title: v.Say("provincesTitle"), Tall: true, Head: numeric(1, heads(v.Say("province"), v.Say("hospitalCount"), v.Say("persons"), v.Say("cases"), v.Say("thisMonth")))}
	for _, p := range all {
		name := cell{Text: v.in(report.ProvinceText(p.code))}
		if p.code != "" {
			name.Href = v.reach("/hospitals")
		}
		if name.Href != "" {
			name.Href += "?province=" + p.code
		}
		t.Rows = append(t.Rows, []cell{name, count(p.hospitals), count(p.persons), count(p.cases), count(p.thisMonth)})
	}
	return t
}

const attention = 12 // hospitals on the first page

// needAttention are the hospitals that somebody should call.
func (v *visit) needAttention(all []report.Hospital) *table {
	t := &table{ID: "attention", Title: v.Say("attentionTitle"), Head: heads(v.Say("hospital"), v.Say("province"), v.Say("lastEntry"), v.Say("daysSince"), v.Say("state"))}
	t.Head[3].Num = true
	for _, h := range all {
		if h.State != report.Reports && len(t.Rows) < attention {
			t.Rows = append(t.Rows, []cell{v.hospitalCell(h), word(v.in(report.ProvinceText(h.Province))), v.lastDay(h), v.days(h), v.stateCell(h.State)})
		}
	}
	return t
}
