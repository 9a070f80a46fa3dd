package console

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
)

// screen is what the template shows: all pages of the console are built of the same
// few blocks.
type screen struct {
	site.Screen
	Heading string
	Label   string // of which tree the figures are
	Hints   []string
	Links   []link
	Form    *form
	Blocks  []block
}

// block is one thing on a page; one of its fields is set.
type block struct {
	Proof  *proofStrip
	Tiles  []tile
	Map    *tileMap
	Bars   *bars
	Table  *table
	Text   string  // as it is, in a fixed pitch
	Beside []block // next to each other, where there is room
}

type link struct {
	Href, Text string
	File       bool // to be kept, not shown
}

// tile is a figure that is to be seen at once.
type tile struct{ Name, Value, Hint, Href, Class string }

// table is one for people; ID names it on the page.
type table struct {
	ID, Title string
	Head      []cell
	Rows      [][]cell
	Total     bool // the last row is one
	Tall      bool // it scrolls within the page
}

type cell struct {
	Text, Small, Href, Class string
	Num                      bool
	Button                   *button
}

// button is one that sends a value. Label tells it from others of the same text.
type button struct{ Action, Name, Value, Text, Label string }

// form asks for what a page is about.
type form struct {
	Post   bool // it does something
	Action string
	Fields []field
	Submit string
}

type field struct {
	Name, Label, Value, Hint string
	Number, Hidden           bool
	Options                  []option // a choice; none is a text
}

type option struct {
	Value, Text string
	Chosen      bool
}

// choose marks the option that is chosen.
func choose(value string, options ...option) []option {
	for i := range options {
		options[i].Chosen = options[i].Value == value
	}
	return options
}

// start begins a page of a section.
func (v *visit) start(word string) *screen {
	return &screen{Screen: site.Screen{Title: word}, Heading: v.Say(word)}
}

// finish shows a page.
func (v *visit) finish(s *screen) error {
	v.Visit.Show(http.StatusOK, "page", s)
	return nil
}

// label says of which tree figures are, and of which hospitals.
func (v *visit) label(h view.Head) string {
	text := v.Say("label", site.Grouped(int(h.Size)), hex.EncodeToString(h.Root[:6]), time.UnixMilli(int64(h.LogTime)).In(china).Format("2006-01-02 15:04"), h.Edition)
	if only := v.Console.cfg.Only; only[0] != "" {
		text += " · " + v.name(only[0], only[1])
	}
	if v.Account.Province != "" {
		text += " · " + v.Say("onlyProvince", v.in(report.ProvinceText(v.Account.Province)))
	}
	return text
}

var china = time.FixedZone("UTC+8", 8*3600)

// in is a text of a report in the visitor's language.
func (v *visit) in(t report.Text) string { return t.In(v.Lang) }

// name is an institution's name in the visitor's language, or the other if it has
// none.
func (v *visit) name(en, zh string) string {
	if v.Lang == "zh" && zh != "" || en == "" {
		return zh
	}
	return en
}

func word(text string) cell { return cell{Text: text} }
func count(n int64) cell    { return cell{Text: site.Grouped(int(n)), Num: true} }
func heads(titles ...string) (out []cell) {
	for _, t := range titles {
		out = append(out, cell{Text: t})
	}
	return out
}

// numeric says from which column on a table's heads stand over numbers.
func numeric(from int, head []cell) []cell {
	for i := from; i < len(head); i++ {
		head[i].Num = true
	}
	return head
}

// ofReport shows a report's tables as they are: exact.
func (v *visit) ofReport(prefix string, r report.Report) (out []block) {
	for i, t := range r.Tables {
		shown := &table{ID: prefix + strconv.Itoa(i), Title: v.in(t.Title), Total: t.Total != nil, Tall: len(t.Rows) > 15}
		for _, c := range t.Columns {
			shown.Head = append(shown.Head, cell{Text: v.in(c.Title), Num: c.Kind != report.Word})
		}
		rows := t.Rows
		if t.Total != nil {
			rows = append(rows[:len(rows):len(rows)], t.Total)
		}
		for _, row := range rows {
			line := make([]cell, len(row))
			for at, c := range row {
				line[at] = cell{Text: t.Columns[at].Words(c, v.Lang), Num: t.Columns[at].Kind != report.Word}
			}
			shown.Rows = append(shown.Rows, line)
		}
		out = append(out, block{Table: shown})
	}
	return out
}

// notes are what a report says beside its tables.
func (v *visit) notes(r report.Report) (out []string) {
	for _, n := range r.Notes {
		out = append(out, v.in(n))
	}
	return out
}

// printed is a link to the report that may be passed on.
func (v *visit) printed(name, query string) link {
	return link{Href: "/reports/" + name + "?format=html" + query, Text: v.Say("printed")}
}

// percent writes a share with one digit.
func percent(f view.Figure) string { return strconv.FormatFloat(f.Value, 'f', 1, 64) }

// number reads a number that was asked for; ok is false of anything else.
func number(text string, most uint64) (n uint64, ok bool) {
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil && n <= most
}

// monthly are the registrations of the last twelve months that are of a kind.
func monthly(q view.Query, is func(*view.Case) bool) (labels []string, values []int64, err error) {
	first := q.ThisMonth() - 11
	values = make([]int64, 12)
	for i := range values {
		labels = append(labels, (first + view.Month(i)).String())
	}
	return labels, values, q.Cases(func(c *view.Case) {
		if at := view.Month(c.Month) - first; at >= 0 && at < 12 && is(c) {
			values[at]++
		}
	})
}

// beforeMonth is the last day before the month of the last log time.
func beforeMonth(q view.Query) int64 { return q.Today() - int64(view.DateOfDay(q.Today()).Day) }
