package console

import (
	"cmp"
	"slices"
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
	Others  string // who does not
	Why     string // it is not checked
	Covered string // the checkpoint and the figures, where they are of two trees
}

// strip asks what the voters have signed. figures is the tree size that the figures
// of the page are of; 0 without any.
func (v *visit) strip(figures uint64) (*proofStrip, error) {
	a, err := v.Console.cfg.Node.Agreement(v.R.Context())
	if err != nil {
		return nil, err
	}
	var others []string
	for _, w := range a.Without {
		at := v.Say("notHeard")
		if w.Heard {
			at = v.Say("hasUpTo", site.Grouped(int(w.Size)))
		}
		others = append(others, v.Say("nodeAt", w.Node, at))
	}
	s := &proofStrip{
		Agreement: a, Size: site.Grouped(int(a.Size)), Agrees: v.Say("agree", len(a.Agree), len(a.Agree)+len(a.Without)),
		Names: v.listed(a.Agree), Others: v.listed(others), Why: v.name(a.Why[0], a.Why[1]),
	}
	if figures > a.Size {
		s.Covered = v.Say("newer", site.Grouped(int(figures-a.Size)))
	}
	return s, nil
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
		whole, provinces, err := report.Counts(q, beforeMonth(q))
		if err != nil {
			return err
		}
		slices.SortStableFunc(provinces, func(a, b report.Count) int { return cmp.Compare(b.Persons, a.Persons) })
		tiles, err := v.nation(q, whole, all)
		if err != nil {
			return err
		}
		labels, values, err := monthly(q, func(*view.Case) bool { return true })
		if err != nil {
			return err
		}
		persons := map[string]int64{}
		for _, p := range provinces {
			persons[p.Province] = p.Persons
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

// namesShown is how many names stand in a line.
const namesShown = 9

// listed writes names in a line; of many the first.
func (v *visit) listed(names []string) string {
	if more := len(names) - namesShown; more > 0 {
		return v.Say("andMore", strings.Join(names[:namesShown], ", "), more)
	}
	return strings.Join(names, ", ")
}

// nation are the figures that are to be seen at once.
func (v *visit) nation(q view.Query, whole report.Count, all []report.Hospital) ([]tile, error) {
	var listed int64
	if err := q.One(`SELECT count(*) FROM diseases`, nil, &listed); err != nil {
		return nil, err
	}
	seen, err := report.ByRow(q, 0)
	if err != nil {
		return nil, err
	}
	states := map[report.State]int{}
	for _, h := range all {
		states[h.State]++
	}
	n := func(n int64) string { return site.Grouped(int(n)) }
	tiles := []tile{
		{Name: v.Say("persons"), Value: n(whole.Persons), Hint: v.Say("personsHint")},
		{Name: v.Say("cases"), Value: n(whole.Cases), Hint: v.Say("casesHint")},
		{Name: v.Say("thisMonth"), Value: n(whole.New), Hint: v.Say("thisMonthHint", q.ThisMonth().String())},
		{Name: v.Say("seen"), Value: n(int64(len(seen))) + " / " + n(listed), Hint: v.Say("seenHint"), Href: v.reach("/diseases")},
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

func (v *visit) provinceTable(all []report.Count) *table {
	t := &table{ID: "provinces", Title: v.Say("provincesTitle"), Tall: true, Head: numeric(1, heads(v.Say("province"), v.Say("hospitalCount"), v.Say("persons"), v.Say("cases"), v.Say("thisMonth")))}
	for _, p := range all {
		name := cell{Text: v.in(report.ProvinceText(p.Province))}
		if p.Province != "" {
			name.Href = v.reach("/hospitals")
		}
		if name.Href != "" {
			name.Href += "?province=" + p.Province
		}
		t.Rows = append(t.Rows, []cell{name, count(p.Hospitals), count(p.Persons), count(p.Cases), count(p.New)})
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
