package console

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/rule"
)

// completeness are the indicators of the heat map: how much of what a registration
// should say it says.
func completeness() []string {
	return []string{"Q1", "Q2.features", "Q2.genetics", "Q2.onset", "Q2.contact", "Q8", "Q12"}
}

func (c *Console) quality(v *visit) error {
	s := v.start("quality")
	err := v.look("quality", func(q view.Query) error {
		s.Label = v.label(q.Head)
		heat, err := v.heatMap(q)
		if err != nil {
			return err
		}
		rules, err := v.violations(q)
		if err != nil {
			return err
		}
		o := report.Options{Province: v.Account.Province}
		indicators, err := report.Make(q, "quality", o)
		if err != nil {
			return err
		}
		twice, err := report.Make(q, "duplicates", o)
		if err != nil {
			return err
		}
		s.Hints = append([]string{v.Say("heatHint")}, v.notes(indicators)...)
		s.Blocks = append([]block{{Table: heat}, {Table: rules}}, v.ofReport("indicators-", indicators)...)
		s.Blocks = append(s.Blocks, v.ofReport("twice-", twice)...)
		return nil
	})
	if err != nil {
		return err
	}
	s.Links = []link{v.printed("quality", ""), v.printedAs("duplicates", "printedDuplicates")}
	return v.finish(s)
}

// heatMap shows the completeness of each hospital, and of all, a number and a
// shade.
func (v *visit) heatMap(q view.Query) (*table, error) {
	t := &table{ID: "heat", Title: v.Say("heatTitle"), Tall: true, Head: heads(v.Say("hospital"))}
	all, err := report.Hospitals(q)
	if err != nil {
		return nil, err
	}
	whole, figures, err := q.AllFigures(view.ByNation, view.Period{})
	if err != nil {
		return nil, err
	}
	for _, id := range completeness() {
		t.Head = append(t.Head, cell{Text: id, Small: v.in(report.IndicatorText(id)), Num: true})
	}
	line := func(name cell, of map[string]view.Groups, group string) []cell {
		row := []cell{name}
		for _, id := range completeness() {
			row = append(row, v.shade(of[id][group]))
		}
		return row
	}
	t.Rows = append(t.Rows, line(word(v.Say("allTogether")), whole, ""))
	for _, h := range all {
		t.Rows = append(t.Rows, line(v.hospitalCell(h), figures, strconv.FormatUint(uint64(h.Number), 10)))
	}
	return t, nil
}

// shade is a percentage with how dark it is.
func (v *visit) shade(f view.Figure) cell {
	if !f.Shown {
		return cell{Text: v.Say("tooFew"), Num: true, Class: "r0"}
	}
	return cell{Text: percent(f) + " %", Num: true, Class: fmt.Sprintf("r%d", 1+min(4, int(f.Value/20)))}
}

// violations counts what rules found in what was accepted.
func (v *visit) violations(q view.Query) (*table, error) {
	t := &table{ID: "rules", Title: v.Say("rulesTitle"), Tall: true, Head: heads(v.Say("rule"), v.Say("meaning"), v.Say("severity"), v.Say("registrationsWith"), v.Say("hospitalCount"))}
	numeric(3, t.Head)
	type broken struct{ code, severity string }
	registrations, hospitals, last := map[broken]int64{}, map[broken]int64{}, map[broken]uint32{}
	err := q.Findings(func(f view.Finding) {
		at := broken{f.Code, f.Severity}
		registrations[at] += f.N
		if last[at] != f.Hospital {
			last[at] = f.Hospital
			hospitals[at]++
		}
	})
	for _, at := range slices.SortedFunc(maps.Keys(registrations), func(a, b broken) int {
		return cmp.Or(cmp.Compare(registrations[b], registrations[a]), cmp.Compare(a.code, b.code), cmp.Compare(a.severity, b.severity))
	}) {
		what, _ := rule.Text(at.code, v.Lang)
		t.Rows = append(t.Rows, []cell{{Text: at.code, Href: "/quality/rules/" + at.code}, word(what), word(at.severity), count(registrations[at]), count(hospitals[at])})
	}
	return t, err
}

// brokenShown is how many registrations are listed in which a rule found something.
const brokenShown = 100

// broken lists the newest registrations in which a rule found something.
func (c *Console) broken(v *visit) error {
	code := v.R.PathValue("code")
	if !rule.Known(code) {
		return errNone
	}
	s := v.start("quality")
	what, _ := rule.Text(code, v.Lang)
	s.Heading = code + " " + what
	err := v.look("rule "+code, func(q view.Query) error {
		s.Label = v.label(q.Head)
		t := &table{ID: "broken", Title: v.Say("brokenTitle", brokenShown), Tall: true, Head: heads(v.Say("entryNumber"), v.Say("hospital"), v.Say("logTime"), v.Say("field"), v.Say("severity"))}
		err := q.Each(`SELECT e.idx, h.en, h.zh, e.day, f.severity, group_concat(f.field, ', ') FROM findings f JOIN live e ON e.idx = f.idx
			JOIN hospitals h ON h.number = e.hospital WHERE f.code = ? GROUP BY e.idx ORDER BY e.idx DESC LIMIT ?`, func(row view.Row) error {
			var index, day int64
			var en, zh, severity, fields string
			err := row(&index, &en, &zh, &day, &severity, &fields)
			at := strconv.FormatInt(index, 10)
			t.Rows = append(t.Rows, []cell{{Text: at, Href: "/log/entries/" + at}, word(v.name(en, zh)), word(view.DateOfDay(day).String()), word(fields), word(severity)})
			if v.asks() {
				t.Rows[len(t.Rows)-1] = append(t.Rows[len(t.Rows)-1], cell{Text: v.Say("askAbout"), Href: "/queries/ask?index=" + at + "&rule=" + code})
			}
			return err
		}, code, brokenShown)
		if v.asks() {
			t.Head = append(t.Head, word(v.Say("question")))
		}
		s.Blocks = []block{{Table: t}}
		return err
	})
	if err != nil {
		return err
	}
	s.Links = []link{{Href: "/quality", Text: v.Say("quality")}}
	return v.finish(s)
}
