package report

import (
	"github.com/raresync/raresync/daemon/view"
)

// Questions lists what a partner may ask: reports that name no hospital and no
// person. The name of each is the question's.
func Questions() (out []Listed) {
	for _, k := range kinds() {
		if k.question != "" {
			out = append(out, Listed{k.question, k.title, k.about})
		}
	}
	return out
}

// Answering returns the report that answers a question.
func Answering(question string) (name string, ok bool) {
	for _, k := range kinds() {
		if k.question != "" && k.question == question {
			return k.name, true
		}
	}
	return "", false
}

// byMonth counts up to the end of each month in which something came into the log, or
// could have. What a month brought is the difference of two of its rows: a count of
// its own would add up to totals that other reports print.
func byMonth(q view.Query, _ Options, r *Report) error {
	t := Table{Title: Text{"Up to the end of each month of the log, in China", "截至日志各月末（北京时间）"}, Columns: []Column{
		{Name: "month", Title: Text{"Month", "月份"}, Kind: Word}, casesColumn, personsColumn,
	}}
	cases, persons := map[view.Month]int64{}, map[view.Month]int64{}
	came := map[int64]view.Month{} // of a person: the month of the first registration
	first := q.ThisMonth()
	err := q.Cases(func(c *view.Case) {
		month := view.Month(c.Month)
		cases[month]++
		first = min(first, month)
		if was, there := came[c.Person]; c.Person != 0 && (!there || month < was) {
			came[c.Person] = month
		}
	})
	for _, month := range came {
		persons[month]++
	}
	var allCases, allPersons int64
	for month := first; month <= q.ThisMonth(); month++ {
		allCases, allPersons = allCases+cases[month], allPersons+persons[month]
		t.Rows = append(t.Rows, []Cell{word(month.String()), number(allCases), number(allPersons)})
	}
	r.Tables = append(r.Tables, t)
	return err
}
