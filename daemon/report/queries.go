package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/raresync/raresync/daemon/view"
)

// answerDays is within how many days a question is to be answered.
const answerDays = 30

// Question is what a hospital was asked about one of its entries, with what became of it.
type Question struct {
	Hospital uint32
	Target   uint64 // index of the entry
	Asked    Moment
	Answered Moment // by an answer or a correction; zero if neither came
	Closed   Moment // by who asked; zero if it was not
}

// Moment is when an entry came into the log.
type Moment struct {
	Index   uint64
	LogTime uint64 // ms
}

// by reports whether the entry is in a log of a size.
func (m Moment) by(size uint64) bool { return m.Index != 0 && m.Index < size }

// questions counts a hospital's questions, of a log of some size.
type questions struct {
	asked, answered, due, inTime int64
	open                         []float64       // days, of those that are
	targets                      map[uint64]bool // entries with an open question
}

// add counts a question as it stood when the log ended at a size and a time. One that
// was closed without an answer is not owed one; one that is younger than it may be is
// due only once it has its answer.
func (n *questions) add(a Question, size, now uint64) {
	n.asked++
	answered := a.Answered.by(size)
	took := view.Day(now) - view.Day(a.Asked.LogTime)
	if answered {
		n.answered++
		took = view.Day(a.Answered.LogTime) - view.Day(a.Asked.LogTime)
	}
	switch {
	case answered && took <= answerDays:
		n.due, n.inTime = n.due+1, n.inTime+1
	case answered || !a.Closed.by(size) && took > answerDays:
		n.due++
	}
	if !answered && !a.Closed.by(size) {
		n.open, n.targets[a.Target] = append(n.open, float64(took)), true
	}
}

// cells are the counts as a row prints them, with how many registrations there are.
func (n *questions) cells(registrations int64) []Cell {
	days, _ := view.Median(n.open)
	open := int64(len(n.targets))
	return []Cell{number(n.asked), number(n.answered), number(int64(len(n.open))), middle(days, len(n.open)),
		{N: n.inTime, Of: n.due, None: n.due < leastDenominator}, {N: open, Of: registrations, None: registrations < leastDenominator}}
}

// queries counts what hospitals were asked, and how they answered.
func queries(q view.Query, o Options, r *Report) error {
	names, err := namesOf(q)
	if err != nil {
		return err
	}
	registered := map[uint32]int64{}
	if err := q.Cases(func(c *view.Case) { registered[c.Hospital]++ }); err != nil {
		return err
	}
	counted := func(hospital uint32) bool {
		number := strconv.FormatUint(uint64(hospital), 10)
		_, here := names.hospitals[number] // else it is of another province
		return here && (o.Hospital == 0 || o.Hospital == hospital) && (o.Province == "" || o.Province == names.province[number])
	}
	empty := func() *questions { return &questions{targets: map[uint64]bool{}} }
	all, of, registrations := empty(), map[uint32]*questions{}, int64(0)
	for hospital, n := range registered {
		if counted(hospital) {
			registrations += n
		}
	}
	for _, a := range o.Queries {
		if !counted(a.Hospital) || !a.Asked.by(q.Head.Size) || !o.Period.Holds(a.Asked.LogTime) {
			continue
		}
		if of[a.Hospital] == nil {
			of[a.Hospital] = empty()
		}
		of[a.Hospital].add(a, q.Head.Size, q.Head.LogTime)
		all.add(a, q.Head.Size, q.Head.LogTime)
	}
	columns := []Column{
		{Name: "asked", Title: Text{"Queries", "质疑"}, Kind: People}, {Name: "answered", Title: Text{"Answered or corrected", "已答复或更正"}, Kind: People},
		{Name: "open", Title: Text{"Open", "待答"}, Kind: People}, {Name: "days_open", Title: Text{"Days open, median", "待答天数（中位数）"}, Kind: Middle},
		{Name: "in_time", Title: Text{fmt.Sprintf("Answered within %d days, percent of those due", answerDays), fmt.Sprintf("%d 天内答复率（%%）", answerDays)}, Kind: Share},
		{Name: "open_percent", Title: Text{"Registrations with an open query, percent", "有待答质疑的登记占比（%）"}, Kind: Share},
	}
	t := Table{Title: Text{"Q5: queries by hospital, the most open first", "Q5：各医院质疑，待答多者在前"}, Found: true, Columns: append([]Column{hospitalColumn}, columns...)}
	hospitals := make([]uint32, 0, len(of))
	for h := range of {
		hospitals = append(hospitals, h)
	}
	slices.SortFunc(hospitals, func(a, b uint32) int { return cmp.Or(len(of[b].open)-len(of[a].open), cmp.Compare(a, b)) })
	for _, h := range hospitals {
		name := Cell{Text: names.hospitals[strconv.FormatUint(uint64(h), 10)]}
		t.Rows = append(t.Rows, append([]Cell{name}, of[h].cells(registered[h])...))
	}
	together := Table{Title: Text{"Q5: all of these hospitals", "Q5：以上医院合计"}, Columns: columns, Rows: [][]Cell{all.cells(registrations)}}
	r.Tables = append(r.Tables, together, t)
	r.Notes = append(r.Notes, Text{
		fmt.Sprintf("Due are queries that were answered or corrected, and those open for more than %d days. What was closed without an answer is not.", answerDays),
		fmt.Sprintf("应答复的质疑包括已答复或更正的质疑，以及待答超过 %d 天的；未答复即关闭的不计。", answerDays)})
	return nil
}
