package report

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/raresync/raresync/daemon/view"
)

// Text is a word of a report in both languages.
type Text struct{ EN, ZH string }

// In returns the text in a language, English unless it is "zh".
func (t Text) In(lang string) string {
	if lang == "zh" && t.ZH != "" {
		return t.ZH
	}
	return t.EN
}

// same is a text that both languages write alike.
func same(s string) Text { return Text{EN: s, ZH: s} }

// Kind says what a column holds, and so what is printed of it.
type Kind string

// The kinds.
const (
	Word   Kind = "word"
	Number Kind = "number" // of hospitals, days, nodes: no people are counted
	People Kind = "people" // a count of persons, or of entries about them
	Share  Kind = "share"  // percent of a count of people
	Middle Kind = "middle" // a quantile over people
	Open   Kind = "exact"  // follows from small counts: never published
)

// Sum says how a column's total follows from its rows.
type Sum int

// The ways.
const (
	NoSum   Sum = iota
	Adds        // the total is the sum of the rows
	Overlap     // a person may be in several rows: the total is at most their sum
)

// Column is one column of a table.
type Column struct {
	Name  string
	Title Text
	Kind  Kind
	Sum   Sum
}

// Cell is one value. Which fields count follows from the column's kind.
type Cell struct {
	Text  Text
	N     int64   // a number, or the numerator of a share
	Of    int64   // of how many: a share's denominator, a quantile's count
	Value float64 // a quantile

	None     bool // nothing to say: no value, or too few to be one
	Withheld bool // not printed
	Public   bool // a value that the log shows every node
}

// Table is one table of a report.
type Table struct {
	Title   Text
	Columns []Column
	Rows    [][]Cell
	Total   []Cell // a cell for each column; nil without a total
	// Found says that there are rows only of what was found. When published, those
	// of which all counts are small are left out: that they are there would tell
	// something. A table of this kind has no total.
	Found bool
	// KeepTotal withholds the rows instead, where the two cannot both be printed.
	KeepTotal bool
}

// Report is a report, exact or published.
type Report struct {
	Name    string
	Title   Text
	Size    uint64
	Root    [32]byte
	LogTime string // RFC 3339, of the last entry
	Edition string // of the disease lists
	MinCell int    // smallest count printed; 0 if the report is exact
	Month   string // with whose end the log is read, as 2026-10; "": it is of the tree size
	Notes   []Text
	Tables  []Table
}

// Limited says in the title that a report is of a province's hospitals alone.
func (r Report) Limited(province string) Report {
	p := ProvinceText(province)
	if r.Title.ZH == "" {
		r.Title.ZH = r.Title.EN
	}
	r.Title = Text{r.Title.EN + " (hospitals of " + p.EN + ")", r.Title.ZH + "（" + p.ZH + "的医院）"}
	return r
}

// Label says in one line which log a report is of.
func (r Report) Label(lang string) string {
	return Text{
		EN: fmt.Sprintf("Tree size %d, root %s, log time %s, disease lists %s", r.Size, hex.EncodeToString(r.Root[:]), r.LogTime, r.Edition),
		ZH: fmt.Sprintf("树大小 %d，根哈希 %s，日志时间 %s，病种目录 %s", r.Size, hex.EncodeToString(r.Root[:]), r.LogTime, r.Edition),
	}.In(lang)
}

// Disclosure says in one line whether small counts are in the report.
func (r Report) Disclosure(lang string) string {
	if r.MinCell == 0 {
		return Text{"Exact figures: not to be passed on", "精确数字：不得外传"}.In(lang)
	}
	return Text{
		EN: fmt.Sprintf("Counts of people below %d are withheld (-), others are printed to steps of %d", r.MinCell, step),
		ZH: fmt.Sprintf("小于 %d 的人数不予显示（-），其余按 %d 的倍数向下取整", r.MinCell, step),
	}.In(lang)
}

// Words returns a cell as it is printed.
func (c Column) Words(cell Cell, lang string) string {
	switch {
	case cell.Withheld:
		return "-"
	case c.Kind == Word:
		return cell.Text.In(lang)
	case cell.None:
		return Text{"n/a", "不适用"}.In(lang)
	case c.Kind == Share:
		return strconv.FormatFloat(cell.percent(), 'f', 1, 64)
	case c.Kind == Middle:
		return strconv.FormatFloat(cell.Value, 'f', -1, 64)
	}
	return strconv.FormatInt(cell.N, 10)
}

func (c Cell) percent() float64 {
	if c.Of == 0 {
		return 0
	}
	return 100 * float64(c.N) / float64(c.Of)
}

// leastDenominator is of how many a share or a quantile must be to be shown.
const leastDenominator = view.LeastDenominator

func word(s string) Cell           { return Cell{Text: same(s)} }
func words(en, zh string) Cell     { return Cell{Text: Text{en, zh}} }
func number(n int64) Cell          { return Cell{N: n} }
func share(n, of int64) Cell       { return Cell{N: n, Of: of, None: of < leastDenominator} }
func middle(v float64, n int) Cell { return Cell{Value: v, Of: int64(n), None: n < leastDenominator} }
