package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// sendPatience is how long a question may take until it is under a receipt.
const sendPatience = 20 * time.Second

// asks reports whether the visitor may ask hospitals.
func (v *visit) asks() bool { return v.reach("/queries") != "" && v.Console.cfg.Node.Asks() }

// queries lists the quality queries of the hospitals that the account may see.
func (c *Console) queries(v *visit) error {
	s := v.start("queries")
	hospitals := map[uint32][2]string{}
	if err := v.look("queries", func(q view.Query) error {
		s.Label = v.label(q.Head)
		return q.Each(`SELECT number, en, zh FROM hospitals`, func(row view.Row) error {
			var n uint32
			var name [2]string
			err := row(&n, &name[0], &name[1])
			hospitals[n] = name
			return err
		})
	}); err != nil {
		return err
	}
	all, err := c.cfg.Node.Queries(v.R.Context())
	if err != nil {
		return err
	}
	t := &table{ID: "queries", Head: heads(v.Say("query"), v.Say("hospital"), v.Say("entryAsked"), v.Say("rule"), v.Say("question"), v.Say("askedBy"), v.Say("askedAt"), v.Say("daysOpen"), v.Say("state"))}
	t.Head[7].Num = true
	if v.asks() {
		t.Head = append(t.Head, word(v.Say("actions")))
	}
	open, days := 0, 0
	for _, q := range all {
		name, mine := hospitals[q.Hospital]
		if !mine {
			continue // of another province
		}
		if q.State == "open" {
			open, days = open+1, max(days, q.Days)
		}
		t.Rows = append(t.Rows, v.queryRow(q, name))
	}
	t.Title = v.Say("queriesTitle", len(t.Rows), open)
	s.Blocks = []block{{Tiles: []tile{{Name: v.Say("openQueries"), Value: strconv.Itoa(open)}, {Name: v.Say("longestOpen"), Value: v.Say("dayCount", days)}, {Name: v.Say("allQueries"), Value: strconv.Itoa(len(t.Rows))}}}, {Table: t}}
	s.Hints = []string{v.Say("queriesHint")}
	if v.asks() {
		s.Form = &form{Action: "/queries/ask", Submit: v.Say("askAbout"), Fields: []field{{Name: "index", Label: v.Say("entryNumber"), Number: true}}}
	}
	return v.finish(s)
}

func (v *visit) queryRow(q admin.Query, name [2]string) []cell {
	what, _ := rule.Text(q.Rule, v.Lang)
	at := q.Asked
	if parsed, err := time.Parse(time.RFC3339, q.Asked); err == nil {
		at = parsed.In(china).Format("2006-01-02 15:04")
	}
	asker := v.Say("aReader")
	if q.Asker == q.Hospital {
		asker = v.Say("ownCheck")
	}
	state := cell{Text: v.Say("query." + q.State), Class: map[string]string{"open": "status open", "closed": "status good", "corrected": "status good"}[q.State]}
	if state.Class == "" {
		state.Class = "status part"
	}
	if q.Reply != 0 {
		state.Small = entry.ReplyText(q.Reply).Words(v.Lang)
	}
	row := []cell{
		{Text: strconv.FormatUint(q.Index, 10), Href: "/log/entries/" + strconv.FormatUint(q.Index, 10)}, word(v.name(name[0], name[1])),
		{Text: strconv.FormatUint(q.Target, 10), Href: "/log/entries/" + strconv.FormatUint(q.Target, 10)}, {Text: q.Rule, Small: what}, word(entry.QueryText(q.Text).Words(v.Lang)),
		word(asker), word(at), count(int64(q.Days)), state,
	}
	if v.asks() {
		done := cell{}
		if q.Asker == v.Console.cfg.Number && q.State != "closed" {
			done.Button = &button{Action: "/queries/close", Name: "index", Value: strconv.FormatUint(q.Index, 10), Text: v.Say("close"), Label: v.Say("closeNumber", q.Index)}
		}
		row = append(row, done)
	}
	return row
}

// asked is an entry that somebody is asked about, as far as the view tells of it.
type asked struct {
	index    uint64
	hospital [2]string // its name
	kind     entry.Type
	day      int64
	found    []string // codes of rules that found something in it
}

// askable finds an entry that the account may see.
func (v *visit) askable(index uint64) (a asked, err error) {
	a.index = index
	return a, v.look("entry "+strconv.FormatUint(index, 10), func(q view.Query) error {
		if err := q.One(`SELECT h.en, h.zh, e.type, e.day FROM entries e JOIN hospitals h ON h.number = e.hospital WHERE e.idx = ?`, []any{int64(index)},
			&a.hospital[0], &a.hospital[1], &a.kind, &a.day); err != nil {
			return err
		}
		if a.kind == 0 {
			return errNone // it is another province's, erased, or not there
		}
		return q.Each(`SELECT DISTINCT f.code FROM findings f JOIN entries e ON e.idx = f.idx WHERE f.idx = ? ORDER BY 1`, func(row view.Row) error {
			var code string
			err := row(&code)
			a.found = append(a.found, code)
			return err
		}, int64(index))
	})
}

// askForm shows what may be asked about an entry.
func (c *Console) askForm(v *visit) error {
	index, ok := number(strings.TrimSpace(v.R.URL.Query().Get("index")), 1<<62)
	if !ok {
		return errAsked
	}
	return v.showAsk(index, v.R.URL.Query().Get("rule"), "", http.StatusOK)
}

func (v *visit) showAsk(index uint64, chosen, problem string, status int) error {
	if !v.asks() {
		return errNone
	}
	a, err := v.askable(index)
	if err != nil {
		return err
	}
	s := v.start("queries")
	s.Heading, s.Problem = v.Say("askTitle", index), problem
	t := &table{ID: "asked", Title: v.Say("askedTitle"), Head: heads(v.Say("what"), v.Say("says"))}
	t.Rows = [][]cell{
		{word(v.Say("hospital")), word(v.name(a.hospital[0], a.hospital[1]))}, {word(v.Say("kind")), word(v.Say("type." + a.kind.String()))},
		{word(v.Say("logTime")), word(view.DateOfDay(a.day).String())},
	}
	for _, code := range a.found {
		what, _ := rule.Text(code, v.Lang)
		t.Rows = append(t.Rows, []cell{word(v.Say("foundHere")), {Text: code, Small: what}})
	}
	s.Blocks = []block{{Table: t}}
	s.Form = &form{Post: true, Action: "/queries/ask", Submit: v.Say("send"), Fields: []field{
		{Name: "index", Value: strconv.FormatUint(index, 10), Hidden: true},
		{Name: "rule", Label: v.Say("rule"), Options: choose(chosen, v.rulesFor(a.found)...), Hint: v.Say("ruleHint")},
		{Name: "text", Label: v.Say("question"), Options: v.questions()},
	}}
	s.Hints = []string{v.Say("askHint")}
	s.Links = []link{{Href: "/log/entries/" + strconv.FormatUint(index, 10), Text: v.Say("leafTitle")}, {Href: "/queries", Text: v.Say("queries")}}
	v.Visit.Show(status, "page", s)
	return nil
}

// rulesFor are all rules that a question may be about, first those that found something.
func (v *visit) rulesFor(found []string) (out []option) {
	codes := slices.Clone(found)
	for _, code := range rule.Codes() {
		if !slices.Contains(found, code) {
			codes = append(codes, code)
		}
	}
	for _, code := range codes {
		what, _ := rule.Text(code, v.Lang)
		out = append(out, option{Value: code, Text: code + " " + what})
	}
	return out
}

func (v *visit) questions() (out []option) {
	for t := entry.QueryText(1); t <= entry.QueryTexts(); t++ {
		out = append(out, option{Value: strconv.Itoa(int(t)), Text: t.Words(v.Lang)})
	}
	return out
}

// ask sends a question to the hospital of an entry.
func (c *Console) ask(v *visit) error {
	index, ok := number(v.R.PostFormValue("index"), 1<<62)
	text, ok2 := number(v.R.PostFormValue("text"), uint64(entry.QueryTexts()))
	code := v.R.PostFormValue("rule")
	if !ok || !ok2 || text == 0 || !rule.Known(code) {
		return errAsked
	}
	if !v.asks() {
		return errNone
	}
	if _, err := v.askable(index); err != nil { // it is the account's to see
		return err
	}
	done, err := v.audited("query about entry " + strconv.FormatUint(index, 10))
	if err != nil {
		return err
	}
	defer done()
	got, err := v.send(func(ctx context.Context) (admin.QueryResult, error) {
		return c.cfg.Node.Ask(ctx, admin.Question{Index: index, Rule: code, Text: uint8(text)})
	}, "console: query about entry "+strconv.FormatUint(index, 10))
	if err != nil {
		return err
	}
	if got.Outcome == string(intake.Refused) {
		return v.showAsk(index, code, v.refusal(got), http.StatusUnprocessableEntity)
	}
	v.Redirect("/queries")
	return nil
}

// closeQuery closes a question that needs no answer any more, or has a good one.
func (c *Console) closeQuery(v *visit) error {
	index, ok := number(v.R.PostFormValue("index"), 1<<62)
	if !ok {
		return errAsked
	}
	if !v.asks() {
		return errNone
	}
	all, err := c.cfg.Node.Queries(v.R.Context())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(q admin.Query) bool { return q.Index == index })
	if at < 0 {
		return errNone
	}
	if _, err := v.askable(all[at].Target); err != nil { // of another province
		return err
	}
	if _, err := v.send(func(ctx context.Context) (admin.QueryResult, error) { return c.cfg.Node.CloseQuery(ctx, index) }, "console: query "+strconv.FormatUint(index, 10)+" closed"); err != nil {
		return err
	}
	v.Redirect("/queries")
	return nil
}

// send sends something, and writes down who did. What is not under a receipt in time is
// on its way.
func (v *visit) send(do func(context.Context) (admin.QueryResult, error), what string) (admin.QueryResult, error) {
	ctx, cancel := context.WithTimeout(v.R.Context(), sendPatience)
	defer cancel()
	got, err := do(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = nil
	}
	if err == nil {
		if failed := v.Console.cfg.Record(what + " by " + v.Account.Name); failed != nil { // what is sent is sent
			v.Console.cfg.Logger.Error("console: the trail has no line of a question", "account", v.Account.Name, "reason", failed.Error())
		}
	}
	return got, err
}

// refusal is what the rules that refuse say.
func (v *visit) refusal(got admin.QueryResult) string {
	var said []string
	for _, f := range got.Findings {
		what, _ := rule.Text(f.Code, v.Lang)
		said = append(said, f.Code+" "+what)
	}
	return strings.Join(said, "; ")
}
