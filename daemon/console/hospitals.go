package console

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
)

func (v *visit) hospitalCell(h report.Hospital) cell {
	c := cell{Text: v.name(h.Name.EN, h.Name.ZH)}
	if v.reach("/hospitals") != "" {
		c.Href = fmt.Sprintf("/hospitals/%d", h.Number)
	}
	return c
}

func (v *visit) lastDay(h report.Hospital) cell {
	if h.LastDay == "" {
		return word(v.Say("never"))
	}
	return word(h.LastDay)
}

func (v *visit) days(h report.Hospital) cell {
	if h.LastDay == "" {
		return cell{Text: "–", Num: true}
	}
	return count(h.Days)
}

// stateCell says a state by a mark, a word and a colour.
func (v *visit) stateCell(s report.State) cell {
	class := map[report.State]string{report.Silent: "status bad", report.Fallen: "status part", report.Late: "status part"}[s]
	if class == "" {
		class = "status good"
	}
	return cell{Text: v.in(s.Text()), Class: class}
}

// behindOf says how many entries the nodes of an institution lack at most; ok is
// false if none of them has said.
func behindOf(n admin.NetworkStatus, institution uint32) (entries uint64, ok bool) {
	for _, node := range n.Nodes {
		if node.Institution == institution && node.Behind != nil {
			entries, ok = max(entries, *node.Behind), true
		}
	}
	return entries, ok
}

func (v *visit) behindCell(n admin.NetworkStatus, institution uint32) cell {
	if entries, ok := behindOf(n, institution); ok {
		return count(int64(entries))
	}
	return cell{Text: v.Say("notHeard"), Num: true}
}

func (c *Console) hospitals(v *visit) error {
	asked := v.R.URL.Query()
	state, province := asked.Get("state"), asked.Get("province")
	network, err := c.cfg.Node.Nodes(v.R.Context())
	if err != nil {
		return err
	}
	s := v.start("hospitals")
	err = v.look("hospitals", func(q view.Query) error {
		s.Label = v.label(q.Head)
		all, err := report.Hospitals(q)
		if err != nil {
			return err
		}
		s.Form = v.hospitalForm(all, state, province)
		t := &table{ID: "hospitals", Title: v.Say("hospitals"), Tall: true, Head: numeric(2, heads(v.Say("hospital"), v.Say("province"), v.Say("lastEntry"), v.Say("daysSince"), v.Say("recent"), v.Say("usual"), v.Say("delay"), v.Say("behindLog"), v.Say("state")))}
		t.Head[2].Num, t.Head[8].Num = false, false
		for _, h := range all {
			if state == string(report.Late) && h.State == report.Fallen || state == "" || state == string(h.State) {
				if province == "" || province == h.Province {
					t.Rows = append(t.Rows, []cell{v.hospitalCell(h), word(v.in(report.ProvinceText(h.Province))), v.lastDay(h), v.days(h), count(h.Recent), count(h.Usual),
						v.figure(h.Delay, 0), v.behindCell(network, h.Number), v.stateCell(h.State)})
				}
			}
		}
		s.Blocks = []block{{Table: t}}
		return nil
	})
	if err != nil {
		return err
	}
	s.Hints, s.Links = []string{v.Say("stateHint")}, []link{v.printed("silent", "")}
	return v.finish(s)
}

func (v *visit) hospitalForm(all []report.Hospital, state, province string) *form {
	codes := []string{}
	for _, h := range all {
		if h.Province != "" && !slices.Contains(codes, h.Province) {
			codes = append(codes, h.Province)
		}
	}
	slices.Sort(codes)
	provinces := []option{{Value: "", Text: v.Say("all")}}
	for _, code := range codes {
		provinces = append(provinces, option{Value: code, Text: v.in(report.ProvinceText(code))})
	}
	states := []option{{Value: "", Text: v.Say("all")}}
	for _, one := range []report.State{report.Silent, report.Fallen, report.Late, report.Reports} {
		states = append(states, option{Value: string(one), Text: v.in(one.Text())})
	}
	return &form{Action: "/hospitals", Submit: v.Say("show"), Fields: []field{
		{Name: "state", Label: v.Say("state"), Options: choose(state, states...)}, {Name: "province", Label: v.Say("province"), Options: choose(province, provinces...)},
	}}
}

// figure is an indicator's value, or that there are too few to be one.
func (v *visit) figure(f view.Figure, digits int) cell {
	if !f.Shown {
		return cell{Text: v.Say("tooFew"), Num: true}
	}
	return cell{Text: strconv.FormatFloat(f.Value, 'f', digits, 64), Num: true}
}

func (c *Console) hospital(v *visit) error {
	n, ok := number(v.R.PathValue("number"), 1<<32-1)
	if !ok || n == 0 {
		return errNone
	}
	network, err := c.cfg.Node.Nodes(v.R.Context())
	if err != nil {
		return err
	}
	s := v.start("hospitals")
	err = v.look("hospital "+strconv.FormatUint(n, 10), func(q view.Query) error {
		s.Label = v.label(q.Head)
		all, err := report.Hospitals(q)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(h report.Hospital) bool { return h.Number == uint32(n) })
		if at < 0 {
			return errNone
		}
		h := all[at]
		s.Heading = v.name(h.Name.EN, h.Name.ZH)
		quality, err := report.Make(q, "quality", report.Options{Hospital: h.Number})
		if err != nil {
			return err
		}
		var persons view.Persons
		var cases int64
		labels, values, err := monthly(q, func(c *view.Case) bool {
			return c.Hospital == h.Number
		})
		if err == nil {
			err = q.Cases(func(c *view.Case) {
				if c.Hospital == h.Number {
					cases++
					persons.Add(c.Person)
				}
			})
		}
		if err != nil {
			return err
		}
		tiles := []tile{
			{Name: v.Say("state"), Value: v.in(h.State.Text()), Hint: v.in(report.ProvinceText(h.Province))},
			{Name: v.Say("lastEntry"), Value: v.lastDay(h).Text, Hint: v.Say("daysAgo", h.Days)},
			{Name: v.Say("persons"), Value: count(persons.Len()).Text}, {Name: v.Say("cases"), Value: count(cases).Text},
			{Name: v.Say("delay"), Value: v.figure(h.Delay, 0).Text, Hint: v.Say("delayHint")},
			{Name: v.Say("behindLog"), Value: v.behindCell(network, h.Number).Text},
		}
		if h.LastDay == "" {
			tiles[1].Hint = ""
		}
		if h.State != report.Reports {
			tiles[0].Class = "bad"
		}
		s.Blocks = append([]block{{Tiles: tiles}, {Bars: v.upright("months", v.Say("monthsTitle"), v.Say("month"), v.Say("cases"), labels, values)}}, v.ofReport("quality-", quality)...)
		s.Hints = v.notes(quality)
		return nil
	})
	if err != nil {
		return err
	}
	s.Links = []link{{Href: "/hospitals", Text: v.Say("allHospitals")}, v.printed("quality", fmt.Sprintf("&hospital=%d", n))}
	return v.finish(s)
}
