package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// writer writes rows within one transaction.
type writer struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
	lists    *catalog.Catalog
	subjects map[[32]byte][2]int64 // number of a pseudonym and of its person, as written
	touched  map[uint32]bool       // hospitals whose entries change
}

// do runs one of the prepared statements.
func (w *writer) do(name string, args ...any) error {
	s, err := w.statement(name)
	if err != nil {
		return err
	}
	if _, err := s.ExecContext(w.ctx, args...); err != nil {
		return fmt.Errorf("view: write %s: %w", name, err)
	}
	return nil
}

func (w *writer) statement(name string) (*sql.Stmt, error) {
	if s := w.prepared[name]; s != nil {
		return s, nil
	}
	s, err := w.tx.PrepareContext(w.ctx, statements[name])
	if err != nil {
		return nil, fmt.Errorf("view: prepare %s: %w", name, err)
	}
	w.prepared[name] = s
	return s, nil
}

// exec runs a statement that is used seldom.
func (w *writer) exec(query string, args ...any) error {
	if _, err := w.tx.ExecContext(w.ctx, query, args...); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	return nil
}

// numbers returns the first column of a query's rows.
func (w *writer) numbers(query string, args ...any) ([]int64, error) {
	return numbers(w.ctx, w.tx, query, args...)
}

// subject returns the number of a pseudonym and of its person.
func (w *writer) subject(p entry.Pseudonym) (subject, person any, err error) {
	if !p.Present {
		return nil, nil, nil
	}
	if known, ok := w.subjects[p.Value]; ok {
		return known[0], known[1], nil
	}
	s, err := w.statement("subject")
	if err != nil {
		return nil, nil, err
	}
	var id, of int64
	if err := s.QueryRowContext(w.ctx, p.Value[:]).Scan(&id, &of); err != nil {
		return nil, nil, fmt.Errorf("view: write subject: %w", err)
	}
	w.subjects[p.Value] = [2]int64{id, of}
	return id, of, nil
}

// insert writes an opened entry.
func (w *writer) insert(envelope uint64, o reader.Opened) error {
	e := o.Entry
	w.touched[o.Hospital] = true
	subject, person, err := w.subject(e.Pseudonym)
	if err != nil {
		return err
	}
	var id, corrects any
	if o.Problem == "" {
		id = e.ID[:]
	}
	if e.Correction != nil {
		corrects = int64(e.Correction.Index)
	}
	if err := w.do("entry", int64(o.Index), int64(envelope), o.Hospital, int64(o.LogTime), dayOf(o.LogTime), monthOf(o.LogTime),
		e.Type, e.Profile, e.Source, e.Basis, e.Strength, subject, person, id, dayOrNull(e.EventDate), monthOrNull(e.EventDate),
		corrects, o.Problem, o.Doubtful); err != nil {
		return err
	}
	return w.content(o)
}

// content writes what an entry says, in the table of its type.
func (w *writer) content(o reader.Opened) error {
	e, idx := o.Entry, int64(o.Index)
	of := e.BelongsTo()
	switch {
	case o.Problem != "":
		return nil
	case e.Case != nil:
		return w.registration(o)
	case e.Genetics != nil:
		return w.do("genetics", idx, of[:], e.Genetics.Test, e.Genetics.Outcome())
	case e.FollowUp != nil:
		return w.do("visit", idx, of[:], e.FollowUp.Vital, e.FollowUp.Disease)
	case e.Specimen != nil:
		return w.do("specimen", idx, of[:], e.Specimen.Kind, e.Specimen.Status, e.Specimen.Consent)
	case e.Treatment != nil:
		t := e.Treatment
		return w.do("treatment", idx, of[:], agentOf(t.Agent), t.Status, t.Reason, t.Access, countOrNull(t.MonthsWaiting), t.OutOfPocket)
	case e.Death != nil:
		return w.do("death", idx, of[:], e.Death.Related)
	case e.Referral != nil:
		return w.do("referral", idx, of[:], e.Referral.From, e.Referral.To, e.Referral.Reason, e.Referral.Accepted)
	case e.Intake != nil:
		return w.intake(idx, e.Intake)
	case e.Alias != nil:
		a := e.Alias
		return w.do("alias", idx, o.Hospital, a.Action, a.Reason, a.Old[:], a.New[:], a.OldType, a.NewType)
	}
	return nil
}

// registration writes a case with its rows of the lists and its findings.
func (w *writer) registration(o reader.Opened) error {
	e, idx := o.Entry, int64(o.Index)
	c := e.Case
	found := w.findings(o)
	missing, queried := 0, 0
	for _, f := range found {
		switch {
		case f.Code == missingCode:
			missing++
		case f.Severity == rule.Q:
			queried = 1
		}
		if err := w.do("finding", idx, f.Code, f.Severity.String(), f.Where); err != nil {
			return err
		}
	}
	d, given := c.Principal()
	rows := d.Resolve(w.lists).Counted()
	onset := onsetOf(d.Onset, c.Birth)
	if err := w.do("case", idx, e.ID[:], c.Verification, c.Sex, monthOrNull(c.Birth), onset, dayOrNull(e.EventDate), delayOf(onset, e.EventDate),
		c.Province, c.Life.Status, needed(e), missing, observed(c.Features), d.Onset.Given(), c.FirstContact.Known(), given,
		coded(d, rows), queried, w.genetic(rows)); err != nil {
		return err
	}
	for _, r := range rows {
		if err := w.do("row", idx, r.List, r.Number); err != nil {
			return err
		}
	}
	return nil
}

// intake writes what a hospital was handed in a day.
func (w *writer) intake(idx int64, in *entry.Intake) error {
	for _, o := range in.Offered {
		if err := w.do("intake", idx, o.Source, int64(o.All()), int64(o.Refused)); err != nil {
			return err
		}
	}
	for _, r := range in.Refused {
		if err := w.do("refusal", idx, r.Rule, int64(r.Count)); err != nil {
			return err
		}
	}
	return nil
}

// missingCode is the rule that names a field which a profile needs.
const missingCode = "RQ001"

// elsewhere are rules about what other entries say, or what a file says and no
// entry holds: an entry alone would break them.
var elsewhere = [...]string{"GN002", "ST001", "CN001", "CN002", "CN003", "PH002"}

// findings are what the rules say of a case alone, as of the day it was registered.
func (w *writer) findings(o reader.Opened) []rule.Finding {
	today := DateOfDay(dayOf(o.LogTime))
	all := validate.Entries(validate.Context{Today: today, Catalog: w.lists}, o.Entry)
	return slices.DeleteFunc(all, func(f rule.Finding) bool { return slices.Contains(elsewhere[:], f.Code) })
}

// needed is how many fields the profile of a case needs. Those that depend on a
// disease are not asked for without one.
func needed(e entry.Entry) int {
	n := 8
	switch e.Profile {
	case entry.Published:
		return 1
	case entry.Cohort:
		n += 3
	}
	if _, ok := e.Case.Principal(); !ok {
		n -= 2
	}
	return n
}

// coded reports whether a diagnosis has a row of the lists, or an ORPHA code.
func coded(d entry.Disease, rows []entry.Row) bool {
	if len(rows) > 0 {
		return true
	}
	return slices.ContainsFunc(d.Codes, func(code string) bool {
		system, _, err := catalog.NormalizeCode(code)
		return err == nil && system == catalog.ORPHA
	})
}

// genetic reports whether a row of the lists is of a disease with an OMIM number.
func (w *writer) genetic(rows []entry.Row) bool {
	return slices.ContainsFunc(rows, func(r entry.Row) bool {
		d, ok := w.lists.ByNumber(int(r.List), int(r.Number))
		return ok && len(d.OMIM) > 0
	})
}

func observed(features []entry.Feature) bool {
	return slices.ContainsFunc(features, func(f entry.Feature) bool { return !f.Excluded })
}

// onsetOf returns the month of an onset that is known to a year or better, of its
// days the first; nil otherwise.
func onsetOf(w entry.When, birth entry.Date) any {
	first, last, known := validate.Within(w, birth)
	if w.Kind == entry.WhenAntenatal {
		first, last, known = validate.Within(entry.When{Kind: entry.WhenAtBirth}, birth)
	}
	if !known || last.Sub(first) > 2*366*dayHours*3600e9 {
		return nil
	}
	return int64(MonthOf(entry.DateOf(first)))
}

// delayOf is how many months lie between onset and diagnosis; nil if either is not
// known, or they contradict each other.
func delayOf(onset any, diagnosis entry.Date) any {
	month, ok := onset.(int64)
	if !ok || diagnosis.Precision() < entry.PrecisionMonth || int64(MonthOf(diagnosis)) < month {
		return nil
	}
	return int64(MonthOf(diagnosis)) - month
}

func countOrNull(c entry.Count) any {
	if n, ok := c.Value(); ok {
		return int64(n)
	}
	return nil
}

// agentOf names a treatment: by its label, in one spelling of letters and spaces,
// else by its code.
func agentOf(t entry.Term) string {
	if label := strings.Join(strings.Fields(strings.ToLower(t.Label)), " "); label != "" {
		return label
	}
	return strings.ToLower(t.ID)
}

// erase takes entries out, with all that they say, and whom nothing is left of.
func (w *writer) erase(indexes []int64) error {
	for _, idx := range indexes {
		subjects, err := w.numbers(`SELECT subject FROM entries WHERE idx = ? AND subject IS NOT NULL`, idx)
		if err != nil {
			return err
		}
		if err := w.exec(`DELETE FROM entries WHERE idx = ?`, idx); err != nil {
			return err
		}
		if err := w.blank(idx); err != nil {
			return err
		}
		for _, id := range subjects {
			if err := w.exec(`DELETE FROM subjects WHERE id = ? AND NOT EXISTS (SELECT 1 FROM entries WHERE subject = ?)`, id, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// blank takes out what an entry says.
func (w *writer) blank(idx int64) error {
	for _, table := range contents {
		if err := w.exec(`DELETE FROM `+table+` WHERE idx = ?`, idx); err != nil {
			return err
		}
	}
	return nil
}

// querier is a transaction, to read in.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func numbers(ctx context.Context, q querier, query string, args ...any) (out []int64, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}
