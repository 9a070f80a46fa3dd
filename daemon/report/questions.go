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
	type came struct{ cases, persons int64 }
	in := map[view.Month]came{}
	first := q.ThisMonth()
	err := q.Each(`SELECT month, count(*), coalesce(sum(new), 0) FROM (SELECT month, person IS NOT NULL AND
		row_number() OVER (PARTITION BY person ORDER BY idx) = 1 AS new FROM registrations) GROUP BY month`, func(row view.Row) error {
		var month view.Month
		var c came
		err := row(&month, &c.cases, &c.persons)
		in[month], first = c, min(first, month)
		return err
	})
	var all came
	for month := first; month <= q.ThisMonth(); month++ {
		all.cases, all.persons = all.cases+in[month].cases, all.persons+in[month].persons
		t.Rows = append(t.Rows, []Cell{word(month.String()), number(all.cases), number(all.persons)})
	}
	r.Tables = append(r.Tables, t)
	return err
}
