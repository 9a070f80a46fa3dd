package page

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/registry/entry"
)

// Checks are the registrations of this hospital that quality letters draw, to be
// compared with their source records.
type Checks interface {
	// Checks lists them, in the order of the letters.
	Checks(ctx context.Context) ([]Check, error)
	// Compare says what came of one, and waits for the receipt, as [Queries] does.
	Compare(ctx context.Context, index uint64, of admin.Compared) (admin.QueryResult, error)
}

// Check is a registration with what a clerk needs to find the patient.
type Check struct {
	admin.Check
	Date    string // of diagnosis
	Disease string
}

// Waits reports whether it has not been compared.
func (c Check) Waits() bool { return c.Result == 0 }

// checkRow is a registration as it is shown.
type checkRow struct {
	Check
	Status string
	Said   string // the fields in which it differs
	Fields []checkField
}

// checkField is a field to choose.
type checkField struct {
	Name, Words string
	Chosen      bool
}

func (v *visit) checkRow(c Check) checkRow {
	r := checkRow{Check: c, Status: entry.CheckResult(c.Result).Words(v.Lang)}
	var said []string
	for _, f := range entry.CheckFields() {
		one := checkField{f.String(), f.Words(v.Lang), slices.Contains(c.Differs, f.String())}
		if one.Chosen {
			said = append(said, one.Words)
		}
		r.Fields = append(r.Fields, one)
	}
	r.Said = strings.Join(said, v.Say("comma"))
	return r
}

// checks lists what is drawn, first what is not compared.
func (p *Page) checks(v *visit) {
	list, err := p.cfg.Checks.Checks(v.R.Context())
	if err != nil {
		v.away(err)
		return
	}
	s := &screen{Screen: site.Screen{Title: "checks"}}
	for _, waits := range []bool{true, false} {
		for _, c := range list {
			if c.Waits() == waits {
				s.Checks = append(s.Checks, v.checkRow(c))
			}
		}
		if waits {
			s.Open = len(s.Checks)
		}
	}
	v.Show(http.StatusOK, "checks", s)
}

// oneCheck shows a registration that is drawn, with the results to choose from.
func (p *Page) oneCheck(v *visit) {
	if c, ok := v.drawn(); ok {
		v.showCheck(http.StatusOK, c, "", "")
	}
}

func (v *visit) showCheck(status int, c Check, problem, notice string) {
	row := v.checkRow(c)
	v.Show(status, "check", &screen{Screen: site.Screen{Title: "checks", Problem: problem}, Check: &row, Notice: notice})
}

// drawn finds the registration that the path names; otherwise the visitor is told.
func (v *visit) drawn() (c Check, ok bool) {
	letter, err := strconv.ParseUint(v.R.PathValue("letter"), 10, 63)
	index, err2 := strconv.ParseUint(v.R.PathValue("index"), 10, 63)
	if err != nil || err2 != nil {
		v.oops(errNone)
		return c, false
	}
	list, err := v.cfg.Checks.Checks(v.R.Context())
	if err != nil {
		v.away(err)
		return c, false
	}
	at := slices.IndexFunc(list, func(c Check) bool { return c.Letter == letter && c.Index == index })
	if at < 0 {
		v.oops(errNone)
		return c, false
	}
	return list[at], true
}

// compare takes what came of comparing.
func (p *Page) compare(v *visit) {
	c, ok := v.drawn()
	if !ok {
		return
	}
	result, err := strconv.ParseUint(v.R.PostFormValue("result"), 10, 8)
	of := admin.Compared{Letter: c.Letter, Result: uint8(result), Differs: v.R.PostForm["differs"], Wait: true}
	named := slices.ContainsFunc(of.Differs, func(name string) bool {
		return !slices.ContainsFunc(entry.CheckFields(), func(f entry.CheckField) bool { return f.String() == name })
	})
	if differs := entry.CheckResult(result) == entry.CheckDiffers; err != nil || result < 1 || result > uint64(entry.CheckNoSource) || differs != (len(of.Differs) > 0) || named {
		v.showCheck(http.StatusUnprocessableEntity, c, v.Say("chooseResult"), "")
		return
	}
	ctx, cancel := context.WithTimeout(v.R.Context(), answerPatience)
	defer cancel()
	got, err := p.cfg.Checks.Compare(ctx, c.Index, of)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		v.showCheck(http.StatusAccepted, c, "", v.Say("answerOnItsWay"))
		return
	case err != nil:
		v.away(err)
		return
	case got.Outcome == delivery.Refused:
		v.showCheck(http.StatusUnprocessableEntity, c, v.refusal(got.Findings), "")
		return
	}
	if err := p.cfg.Record("check answered on the page by "+v.Account.Name, 1); err != nil { // what is sent is sent
		p.cfg.Logger.Error("page: the trail has no line of a check", "account", v.Account.Name, "reason", err.Error())
	}
	p.cfg.Logger.Info("page: a check was answered", "account", v.Account.Name, "entry", c.Index, "outcome", got.Outcome)
	v.Redirect("/checks")
}
