package console

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

const maxSearch = 100 // characters

func (c *Console) diseases(v *visit) error {
	search := strings.TrimSpace(v.R.URL.Query().Get("q"))
	if len(search) > 4*maxSearch {
		return errAsked
	}
	lists, err := c.cfg.Catalogue()
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, d := range lists.Search(search) {
		found[d.Ref()] = true
	}
	s := v.start("diseases")
	s.Form = &form{Action: "/diseases", Submit: v.Say("search"), Fields: []field{{Name: "q", Label: v.Say("searchDisease"), Value: search, Hint: v.Say("searchHint")}}}
	err = v.look("diseases", func(q view.Query) error {
		s.Label = v.label(q.Head)
		counts, err := report.ByRow(q, q.Today()-365)
		if err != nil {
			return err
		}
		t := &table{ID: "diseases", Head: numeric(3, heads(v.Say("row"), v.Say("disease"), v.Say("otherName"), v.Say("persons"), v.Say("cases"), v.Say("hospitalCount"), v.Say("thisYear")))}
		for _, d := range lists.All() {
			if search != "" && !found[d.Ref()] {
				continue
			}
			name, other := v.names(d)
			n := counts[entry.Row{List: uint8(d.List), Number: uint16(d.Number)}]
			t.Rows = append(t.Rows, []cell{word(d.Ref()), {Text: name, Href: "/diseases/" + d.Ref()}, {Text: other}, count(n.Persons), count(n.Cases), count(n.Hospitals), count(n.New)})
		}
		t.Title = v.Say("rowsFound", len(t.Rows), len(lists.All()))
		s.Blocks = []block{{Table: t}}
		return nil
	})
	if err != nil {
		return err
	}
	s.Links = []link{v.printed("coverage", ""), v.printedAs("drugs", "printedDrugs"), v.printedAs("specimens", "printedSpecimens")}
	return v.finish(s)
}

func (v *visit) printedAs(name, says string) link {
	return link{Href: "/reports/" + name + "?format=html", Text: v.Say(says)}
}

// names are a row's name in the visitor's language and in the other.
func (v *visit) names(d catalog.Disease) (name, other string) {
	zh, en := first(d.ZH), first(d.EN)
	if v.Lang == "zh" {
		return zh, en
	}
	return en, zh
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func (c *Console) disease(v *visit) error {
	lists, err := c.cfg.Catalogue()
	if err != nil {
		return err
	}
	d, err := rowOf(lists, v.R.PathValue("row"))
	if err != nil {
		return err
	}
	s := v.start("diseases")
	name, other := v.names(*d)
	s.Heading = d.Ref() + " " + name
	err = v.look("disease "+d.Ref(), func(q view.Query) error {
		s.Label = v.label(q.Head)
		sheet, err := report.Make(q, "disease", report.Options{Disease: d.Ref()})
		if err != nil {
			return err
		}
		labels, values, err := monthly(q, func(c *view.Case) bool { return c.Of(d.List, d.Number) })
		if err != nil {
			return err
		}
		s.Blocks = append([]block{{Table: v.about(*d, other)}}, v.ofReport("sheet-", sheet)[:1]...)
		s.Blocks = append(s.Blocks, block{Bars: v.upright("months", v.Say("monthsTitle"), v.Say("month"), v.Say("cases"), labels, values)}, block{Beside: v.groups(sheet.Tables[1:])})
		return nil
	})
	if err != nil {
		return err
	}
	s.Links = []link{{Href: "/diseases", Text: v.Say("allDiseases")}, {Href: "/cohorts?disease=" + url.QueryEscape(d.Ref()), Text: v.Say("cohortOf")}, v.printed("disease", "&disease="+url.QueryEscape(d.Ref()))}
	return v.finish(s)
}

// rowOf reads a row of the lists, as "1.68".
func rowOf(lists *catalog.Catalog, ref string) (*catalog.Disease, error) {
	list, n, ok := strings.Cut(ref, ".")
	a, err := strconv.Atoi(list)
	b, err2 := strconv.Atoi(n)
	if ok && err == nil && err2 == nil {
		if d, ok := lists.ByNumber(a, b); ok && d.Ref() == ref {
			return d, nil
		}
	}
	return nil, errNone
}

// groups are tables of a group and a count, drawn.
func (v *visit) groups(tables []report.Table) (out []block) {
	for i, t := range tables {
		var labels []string
		var values []int64
		for _, row := range t.Rows {
			labels, values = append(labels, v.in(row[0].Text)), append(values, row[1].N)
		}
		out = append(out, block{Bars: v.lying("group-"+strconv.Itoa(i), v.in(t.Title), v.Say("group"), v.Say("persons"), labels, values)})
	}
	return out
}

// about is what the lists say of a row.
func (v *visit) about(d catalog.Disease, other string) *table {
	t := &table{ID: "about", Title: v.Say("aboutDisease"), Head: heads(v.Say("what"), v.Say("says"))}
	add := func(key, text string) {
		if text != "" {
			t.Rows = append(t.Rows, []cell{word(v.Say(key)), word(text)})
		}
	}
	add("otherName", other)
	if len(d.ZH)+len(d.EN) > 2 {
		add("synonyms", strings.Join(append(d.ZH[min(1, len(d.ZH)):len(d.ZH):len(d.ZH)], d.EN[min(1, len(d.EN)):]...), "; "))
	}
	var orpha []string
	for _, code := range d.ORPHA {
		orpha = append(orpha, code.ID)
	}
	add("codes", strings.Join(append(orpha, d.OMIM...), ", "))
	if len(d.ICD10) > 0 {
		add("icd", strings.Join(d.ICD10, ", ")+" ("+d.ICD10Edition+")")
	}
	add("list", site.Grouped(d.List))
	return t
}
