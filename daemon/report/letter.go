package report

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Asked is what stands open of a hospital.
type Asked struct{ Queries, OldestDays uint32 }

// Letters makes the quality letters of a month, each with the hospital's own figures.
// What is usual is left out where it would be of fewer hospitals than the smallest cell,
// or than [entry.LetterHospitals]. month 0 is the last that the view has; ErrOptions
// reports one that it has nothing of. open are the open queries by hospital.
func Letters(q view.Query, month view.Month, minCell int, open map[uint32]Asked, hospitals []uint32) (out []entry.Letter, err error) {
	if month, err = letterMonth(q, month); err != nil {
		return nil, err
	}
	of, _, err := q.AllFigures(view.ByHospital, view.Period{From: month, To: month})
	if err != nil {
		return nil, err
	}
	worst, err := Worst(q, month)
	if err != nil {
		return nil, err
	}
	least := max(minCell, entry.LetterHospitals)
	for _, h := range hospitals {
		l := entry.Letter{
			Hospital: h, Of: month.Date(), Size: q.Head.Size, Root: q.Head.Root, Edition: q.Head.Edition, Open: open[h].Queries, Oldest: open[h].OldestDays,
		}
		for _, s := range worst[h] {
			l.Worst = append(l.Worst, s.LetterSpot)
		}
		for _, i := range view.Indicators() {
			l.Lines = append(l.Lines, letterLine(i, of[i.ID], strconv.FormatUint(uint64(h), 10), least))
		}
		out = append(out, l)
	}
	return out, nil
}

// letterMonth is the month that a letter is of.
func letterMonth(q view.Query, month view.Month) (view.Month, error) {
	last := q.Month
	if last == 0 {
		last = q.ThisMonth()
	}
	if month == 0 {
		return last, nil
	}
	var entries int64
	if err := q.One(`SELECT count(*) FROM (SELECT 1 FROM entries WHERE month <= ? LIMIT 1)`, []any{int64(month)}, &entries); err != nil {
		return 0, err
	}
	if month > last || entries == 0 {
		return 0, fmt.Errorf("%w: the log has nothing of %s; the last month that a letter can be of is %s", ErrOptions, month, last)
	}
	return month, nil
}

// letterLine is an indicator of one hospital, with what is usual if at least so many
// hospitals have it.
func letterLine(i view.Indicator, of view.Groups, hospital string, least int) entry.LetterLine {
	own := of[hospital]
	line := entry.LetterLine{Indicator: i.ID, Value: uint64(max(own.Num, 0)), Of: uint64(max(own.Den, 0))}
	if i.Quantile() {
		line.Value = uint64(max(own.Value, 0))
	}
	median, n := view.OverHospitals(of, func(string) bool { return true })
	if n < least {
		return line
	}
	line.Median, line.Hospitals = uint64(math.Round(max(median, 0))), uint32(n)
	if better := betterness(i.ID); better != 0 && own.Shown {
		before := 0 // hospitals that are better
		for _, other := range of {
			if other.Shown && better*cmp.Compare(other.Value, own.Value) > 0 {
				before++
			}
		}
		line.Band = uint8(1 + 4*before/n)
	}
	return line
}

// betterness is 1 for an indicator of which more is better, -1 if less is, and 0 if it
// says nothing of how a hospital registers.
func betterness(id string) int {
	switch id {
	case "Q1", "Q2.features", "Q2.genetics", "Q2.onset", "Q2.contact", "Q3.in7", "Q3.in30", "Q8", "Q10", "Q11.seen", "Q12":
		return 1
	case "Q3.median", "Q3.p90", "Q4", "Q5", "Q6.duplicates", "Q7", "Q11.lost", "Q15.silent":
		return -1
	}
	return 0
}

// Spot is a field in which a rule found something, with some of the entries in which it
// did, by their indexes.
type Spot struct {
	entry.LetterSpot
	Examples []uint64
}

// maxExamples is how many entries a spot names.
const maxExamples = 3

// ordinal is where in a list something stands.
var ordinal = regexp.MustCompile(`\[[0-9]+\]`)

// Worst returns, by hospital, what rules found most often in the registrations that came
// into the log in a month, at most [entry.MaxLetterSpots] each.
func Worst(q view.Query, month view.Month) (map[uint32][]Spot, error) {
	type at struct {
		hospital   uint32
		code, name string
	}
	spots, last := map[at]*Spot{}, map[at]uint64{}
	err := q.Each(`SELECT r.hospital, f.code, f.field, r.idx FROM findings f JOIN registrations r ON r.idx = f.idx WHERE r.month = ? ORDER BY r.idx`,
		func(row view.Row) error {
			var k at
			var index uint64
			if err := row(&k.hospital, &k.code, &k.name, &index); err != nil {
				return err
			}
			k.name = ordinal.ReplaceAllString(k.name, "")
			if len(k.name) > entry.MaxLetterWord || last[k] == index+1 {
				return nil
			}
			last[k] = index + 1 // of a registration once
			s := spots[k]
			if s == nil {
				s = &Spot{LetterSpot: entry.LetterSpot{Rule: k.code, Field: k.name}}
				spots[k] = s
			}
			s.Count++
			if len(s.Examples) < maxExamples {
				s.Examples = append(s.Examples, index)
			}
			return nil
		}, int64(month))
	out := map[uint32][]Spot{}
	for k, s := range spots {
		out[k.hospital] = append(out[k.hospital], *s)
	}
	for h, list := range out {
		slices.SortFunc(list, func(a, b Spot) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Field, b.Field))
		})
		out[h] = list[:min(len(list), entry.MaxLetterSpots)]
	}
	return out, err
}

// LetterExample is an entry that a letter's hospital may look at.
type LetterExample struct {
	Rule, Field string // code of the rule, and where it found something
	CaseNumber  string // "" of an entry without a pseudonym
	Index       uint64
}

// LetterQuery is a query that the hospital has to answer.
type LetterQuery struct {
	Index, Target uint64
	Rule          string // code
	Says          Text
	Days          int // open
}

// OfLetter is a letter as it is read: exact, and for its hospital alone. examples and
// queries are what its reader knows besides, as of now.
func OfLetter(l entry.Letter, hospital Text, sent uint64, examples []LetterExample, queries []LetterQuery) Report {
	r := Report{
		Name: "letter", Size: l.Size, Root: l.Root, Edition: l.Edition, LogTime: time.UnixMilli(int64(sent)).UTC().Format(time.RFC3339),
		Title: Text{fmt.Sprintf("Quality letter of %s: %s", l.Of, hospital.EN), fmt.Sprintf("%s 质量函：%s", l.Of, hospital.ZH)},
		Notes: []Text{
			{fmt.Sprintf("Entries that came into the log in %s; Q11 and Q15 are of the end of the log at this tree size. The log time is that of the letter.", l.Of),
				fmt.Sprintf("%s 进入日志的条目；Q11、Q15 为该树大小时的值。日志时间为本函的时间。", l.Of)},
			{fmt.Sprintf("What is usual is said if at least %d hospitals, or the network's smallest cell, have the indicator. Quarter 1 is the best.", entry.LetterHospitals),
				fmt.Sprintf("不足 %d 家医院（或全网最小单元数）时不给出中位数和位次；第 1 四分位最好。", entry.LetterHospitals)},
			{fmt.Sprintf("Open queries when the letter was sent: %d, the oldest for %d days.", l.Open, l.Oldest),
				fmt.Sprintf("发函时未答复的质疑：%d，最长 %d 天。", l.Open, l.Oldest)},
		},
		Tables: []Table{letterLines(l), letterSpots(l)},
	}
	if len(examples) > 0 {
		r.Tables = append(r.Tables, letterExamples(examples))
	}
	if len(queries) > 0 {
		r.Tables = append(r.Tables, letterQueries(queries))
	}
	return r
}

func letterLines(l entry.Letter) Table {
	t := Table{Title: Text{"Your hospital, and what is usual", "贵院与全网中位数"}, Columns: []Column{
		{Name: "id", Title: Text{"Id", "编号"}, Kind: Word}, {Name: "indicator", Title: Text{"Indicator", "指标"}, Kind: Word},
		{Name: "numerator", Title: Text{"Numerator", "分子"}, Kind: People}, {Name: "denominator", Title: Text{"Denominator", "分母"}, Kind: People},
		{Name: "value", Title: Text{"Value", "数值"}, Kind: Middle}, {Name: "unit", Title: Text{"Unit", "单位"}, Kind: Word},
		{Name: "hospitals_median", Title: Text{"Median of hospitals", "各医院中位数"}, Kind: Middle},
		{Name: "hospitals", Title: Text{"Hospitals", "医院数"}, Kind: Number}, {Name: "quarter", Title: Text{"Quarter", "四分位"}, Kind: Number},
	}}
	for _, line := range l.Lines {
		i, known := find(line.Indicator)
		row := []Cell{word(line.Indicator), {Text: IndicatorText(line.Indicator)}, number(int64(line.Value)), number(int64(line.Of)), {None: true},
			{Text: unitText(i.Unit)}, {Value: float64(line.Median), None: line.Hospitals == 0}, {N: int64(line.Hospitals), None: line.Hospitals == 0},
			{N: int64(line.Band), None: line.Band == 0}}
		switch {
		case i.Quantile():
			row[2], row[4] = Cell{None: true}, Cell{Value: float64(line.Value), None: line.Of == 0 || line.Of < leastDenominator && !i.Public()}
		case known && line.Of >= leastDenominator:
			row[4] = Cell{Value: round1(100 * float64(line.Value) / float64(line.Of))}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

var (
	ruleColumns = []Column{{Name: "rule", Title: Text{"Rule", "规则"}, Kind: Word}, {Name: "field", Title: Text{"Field", "字段"}, Kind: Word}}
	indexColumn = Column{Name: "index", Title: Text{"Entry", "叶号"}, Kind: Number}
)

func letterSpots(l entry.Letter) Table {
	t := Table{Title: Text{"Fields in which rules found most", "问题最多的字段"}, Columns: append(slices.Clone(ruleColumns),
		Column{Name: "meaning", Title: Text{"Meaning", "含义"}, Kind: Word}, casesColumn)}
	for _, s := range l.Worst {
		en, _ := rule.Text(s.Rule, "en")
		zh, _ := rule.Text(s.Rule, "zh")
		t.Rows = append(t.Rows, []Cell{word(s.Rule), word(s.Field), words(en, zh), number(int64(s.Count))})
	}
	return t
}

func letterExamples(examples []LetterExample) Table {
	t := Table{Title: Text{"Of these, for example, as this node has them today", "举例（本节点当前数据）"}, Columns: append(slices.Clone(ruleColumns),
		indexColumn, Column{Name: "case_number", Title: Text{"Case number", "病例号"}, Kind: Word})}
	for _, e := range examples {
		t.Rows = append(t.Rows, []Cell{word(e.Rule), word(e.Field), number(int64(e.Index)), word(e.CaseNumber)})
	}
	return t
}

func letterQueries(queries []LetterQuery) Table {
	t := Table{Title: Text{"Queries that are open today", "目前未答复的质疑"}, Columns: []Column{
		{Name: "query", Title: Text{"Query", "质疑号"}, Kind: Number}, indexColumn, ruleColumns[0], {Name: "says", Title: Text{"Says", "内容"}, Kind: Word},
		{Name: "days_open", Title: Text{"Days open", "未决天数"}, Kind: Number},
	}}
	for _, q := range queries {
		t.Rows = append(t.Rows, []Cell{number(int64(q.Index)), number(int64(q.Target)), word(q.Rule), {Text: q.Says}, number(int64(q.Days))})
	}
	return t
}

// find returns an indicator by its id; a letter may be of a later version.
func find(id string) (i view.Indicator, known bool) {
	for _, i := range view.Indicators() {
		if i.ID == id {
			return i, true
		}
	}
	return i, false
}
