package console

import (
	"fmt"
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
	err := q.Each(`SELECT f.code, f.severity, count(DISTINCT f.idx), count(DISTINCT l.hospital) FROM findings f JOIN live l ON l.idx = f.idx
		GROUP BY 1, 2 ORDER BY 3 DESC, 1`, func(row view.Row) error {
		var code, severity string
		var n, hospitals int64
		err := row(&code, &severity, &n, &hospitals)
		what, _ := rule.Text(code, v.Lang)
		t.Rows = append(t.Rows, []cell{word(code), word(what), word(severity), count(n), count(hospitals)})
		return err
	})
	return t, err
}
