package page

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// answerPatience is how long an answer may take until it is under a receipt. One that
// takes longer is on its way.
const answerPatience = 20 * time.Second

// Queries are the questions of readers about entries of this hospital.
type Queries interface {
	// Queries lists them, the oldest first.
	Queries(ctx context.Context) ([]Query, error)
	// Answer answers the one at an index with a text, by its number, and waits for
	// the receipt. An answer whose context ended while it waited is on its way.
	Answer(ctx context.Context, index uint64, text uint8) (admin.QueryResult, error)
}

// Query is a question with what a clerk needs to find the patient. There is no
// number of the hospital's own in it: the link file has those.
type Query struct {
	admin.Query
	Type       string // of the entry
	Date       string // of the entry
	Disease    string // of a case
	CaseNumber string // of the patient
	Own        bool   // this hospital asks itself: a rule doubted what was handed in
}

// queryRow is a question as it is shown.
type queryRow struct {
	Query
	Says   string // the question
	What   string // of the rule
	Status string
	Said   string   // the answer that was given
	Texts  []string // that may be answered: the first has number 1
}

// Waits reports whether the question has no answer.
func (q Query) Waits() bool { return q.State == string(query.Open) }

func (v *visit) queryRow(q Query) queryRow {
	r := queryRow{Query: q, Says: entry.QueryText(q.Text).Words(v.Lang), Status: v.Say("query." + q.State)}
	r.What, _ = rule.Text(q.Rule, v.Lang)
	if q.Reply != 0 {
		r.Said = entry.ReplyText(q.Reply).Words(v.Lang)
	}
	for t := entry.ReplyText(1); t <= entry.ReplyTexts(); t++ {
		r.Texts = append(r.Texts, t.Words(v.Lang))
	}
	return r
}

// queries lists what is asked, first what waits for an answer.
func (p *Page) queries(v *visit) {
	list, err := p.cfg.Queries.Queries(v.R.Context())
	if err != nil {
		v.away(err)
		return
	}
	s := &screen{Screen: site.Screen{Title: "queries"}}
	for _, q := range list {
		s.Queries = append(s.Queries, v.queryRow(q))
		if q.Waits() {
			s.Open++
		}
	}
	slices.SortStableFunc(s.Queries, func(a, b queryRow) int {
		switch {
		case a.Waits() == b.Waits():
			return 0
		case a.Waits():
			return -1
		}
		return 1
	})
	v.Show(http.StatusOK, "queries", s)
}

// query shows a question, with the answers to choose from.
func (p *Page) query(v *visit) {
	if q, ok := v.asked(); ok {
		v.showQuery(http.StatusOK, q, "", "")
	}
}

func (v *visit) showQuery(status int, q Query, problem, notice string) {
	row := v.queryRow(q)
	v.Show(status, "query", &screen{Screen: site.Screen{Title: "query", Problem: problem}, Query: &row, Notice: notice})
}

// asked finds the question that the path names; otherwise the visitor is told.
func (v *visit) asked() (q Query, ok bool) {
	index, err := strconv.ParseUint(v.R.PathValue("index"), 10, 63)
	if err != nil {
		v.oops(errNone)
		return q, false
	}
	list, err := v.cfg.Queries.Queries(v.R.Context())
	if err != nil {
		v.away(err)
		return q, false
	}
	at := slices.IndexFunc(list, func(q Query) bool { return q.Index == index })
	if at < 0 {
		v.oops(errNone)
		return q, false
	}
	return list[at], true
}

// answerQuery answers a question.
func (p *Page) answerQuery(v *visit) {
	q, ok := v.asked()
	if !ok {
		return
	}
	text, err := strconv.ParseUint(v.R.PostFormValue("text"), 10, 8)
	if err != nil || text < 1 || text > uint64(entry.ReplyTexts()) {
		v.showQuery(http.StatusUnprocessableEntity, q, v.Say("chooseAnswer"), "")
		return
	}
	ctx, cancel := context.WithTimeout(v.R.Context(), answerPatience)
	defer cancel()
	got, err := p.cfg.Queries.Answer(ctx, q.Index, uint8(text))
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		v.showQuery(http.StatusAccepted, q, "", v.Say("answerOnItsWay"))
		return
	case err != nil:
		v.away(err)
		return
	case got.Outcome == delivery.Refused:
		v.showQuery(http.StatusUnprocessableEntity, q, v.refusal(got.Findings), "")
		return
	}
	if err := p.cfg.Record("query answered on the page by "+v.Account.Name, 1); err != nil { // what is sent is sent
		p.cfg.Logger.Error("page: the trail has no line of an answer", "account", v.Account.Name, "reason", err.Error())
	}
	p.cfg.Logger.Info("page: a query was answered", "account", v.Account.Name, "query", q.Index, "outcome", got.Outcome)
	v.Redirect("/queries/" + strconv.FormatUint(q.Index, 10))
}

// refusal is what the rules that refuse say.
func (v *visit) refusal(findings []admin.Finding) (said string) {
	for _, f := range delivery.Explain("", delivery.Received(findings), v.Lang) {
		if f.Refuses() {
			said += f.Rule + " " + f.What + " " + f.ToDo + " "
		}
	}
	return said
}

// functions are what the page's templates may call, beside those of all sites.
func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"typeOf": func(name string) string { return words["type."+name][map[string]int{"zh": 1}[lang]] },
		"day":    dayOf,
	}
}

// dayOf is the hospital's day of a time in RFC 3339.
func dayOf(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.In(china).Format(time.DateOnly)
}
