package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// listReports lists the reports that can be asked for.
func (s *service) listReports(r *http.Request) ([]admin.Report, error) {
	lang := r.URL.Query().Get("lang")
	out := []admin.Report{}
	for _, l := range report.List() {
		out = append(out, admin.Report{Name: l.Name, Title: l.Title.In(lang), About: l.About.In(lang)})
	}
	return out, nil
}

// showReport makes a report and writes it in the format that is asked for: published
// unless the exact one is asked for.
func (s *service) showReport(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	kind, err := s.writeReport(r, &b)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b.Bytes()) // the command has gone if it fails
}

func (s *service) writeReport(r *http.Request, b *bytes.Buffer) (contentType string, err error) {
	asked := r.URL.Query()
	made, err := s.makeReport(r, "")
	if err != nil {
		return "", err
	}
	if asked.Get("exact") == "" {
		made = made.Published(int(s.node.View().Policy.MinCell))
	}
	return printed(made, r, b)
}

// printed writes a report in the language and format that are asked for.
func printed(made report.Report, r *http.Request, b *bytes.Buffer) (contentType string, err error) {
	asked := r.URL.Query()
	switch lang := asked.Get("lang"); asked.Get("format") {
	case "", "json":
		return "application/json", made.JSON(b, lang)
	case "csv":
		return "text/csv; charset=utf-8", made.CSV(b, lang)
	case "html":
		return "text/html; charset=utf-8", made.HTML(b, lang)
	}
	return "", fmt.Errorf("%w: format is json, csv or html", errInvalid)
}

// makeReport makes the report that a request names, exact, of a province's hospitals
// unless that is "".
func (s *service) makeReport(r *http.Request, province string) (report.Report, error) {
	return s.reportOn(r, view.Part{Province: province})
}

// reportOn makes it of a part of the entries.
func (s *service) reportOn(r *http.Request, part view.Part) (made report.Report, err error) {
	name := r.PathValue("name")
	if !report.Known(name) {
		return made, fmt.Errorf("%w: %s", report.ErrUnknown, printable(name))
	}
	if err := s.node.Whole(); err != nil {
		return made, err
	}
	o, err := reportOptions(r)
	if err != nil {
		return made, err
	}
	switch name {
	case "withdrawals":
		o.Withdrawals, err = s.reportWithdrawals(s.node.View())
	case "convergence":
		o.Nodes, err = s.reportNodes(r)
	case "checks":
		o.Checks, err = s.reportChecks(r.Context(), part, o.Period)
	case "queries":
		o.Queries, err = s.reportQueries(r.Context())
	}
	if err != nil {
		return made, err
	}
	err = s.viewFor(name, r.URL.Query().Get("exact") != "").ReadPart(r.Context(), part, func(q view.Query) (err error) {
		if err := saw(r.Context(), q, part.Province); err != nil {
			return err
		}
		made, err = report.Make(q, name, o)
		return err
	})
	return made, err
}

// openViews opens the view that follows the log, and the one of its complete months.
func (s *service) openViews(dir string) (err error) {
	c := view.Config{
		Node: s.node, Reader: s.reader, Institution: s.self.Institution, Catalogue: s.newest, Dir: dir, Plain: s.cfg.View.Plain, Logger: s.log,
	}
	if s.view, err = view.Open(c); err != nil {
		return err
	}
	c.Dir, c.Monthly = filepath.Join(dir, "months"), true
	if s.months, err = view.Open(c); err != nil {
		return err
	}
	s.viewing.Store(s.view)
	return nil
}

func (s *service) closeViews() (err error) {
	for _, v := range []*view.View{s.view, s.months} {
		if v != nil {
			err = errors.Join(err, v.Close())
		}
	}
	return err
}

// viewFor is the view that a report is made of: what is published is of complete months,
// so that days cannot be set against each other. A demo network has no patients.
func (s *service) viewFor(name string, exact bool) *view.View {
	if exact || s.node.View().Demo || name == "withdrawals" || name == "convergence" {
		return s.view
	}
	return s.months
}

// printable is a name that may stand in an error: it may be anything that was typed.
func printable(name string) string {
	if len(name) > 20 || slices.ContainsFunc([]byte(name), func(c byte) bool { return c < 'a' || c > 'z' }) {
		return "the name is not one of a report"
	}
	return name
}

func reportOptions(r *http.Request) (o report.Options, err error) {
	asked := r.URL.Query()
	hospital, err := number(r, "hospital")
	if err != nil {
		return o, err
	}
	o.Hospital, o.Province, o.Disease = uint32(hospital), asked.Get("province"), asked.Get("disease")
	if _, err := strconv.ParseUint(o.Province, 10, 8); o.Province != "" && (err != nil || len(o.Province) != 2) {
		return o, fmt.Errorf("%w: province is the first two digits of GB/T 2260", errInvalid)
	}
	from, to := asked.Get("from"), asked.Get("to")
	if from == "" && to == "" {
		return o, nil
	}
	a, ok := entry.ParseDate(from)
	b, ok2 := entry.ParseDate(orElse(to, from))
	if !ok || !ok2 || !a.Known() || !b.Known() || a.Day+b.Day != 0 {
		return o, fmt.Errorf("%w: from and to are months or years, as 2026-11 or 2026", errInvalid)
	}
	a.Month = max(a.Month, 1)
	if b.Month == 0 {
		b.Month = 12
	}
	o.Period = view.Period{From: view.MonthOf(a), To: view.MonthOf(b)}
	return o, nil
}

func (s *service) reportWithdrawals(st *state.State) (out []report.Withdrawal, err error) {
	for _, w := range st.Withdrawals {
		d, err := s.withdrawalAt(w.Envelope)
		if err != nil {
			return nil, err
		}
		e := describeErasure(st, w, d)
		out = append(out, report.Withdrawal{
			Envelope: e.Envelope, LogTime: e.LogTime, Hospital: e.Name, Entries: e.Entries, Declared: e.Declared, Of: e.Nodes,
			Proof: fmt.Sprintf("raresync log prove %d", w.Index), At: w.LogTime, Owed: owing(st, w.Envelope),
		})
	}
	return out, nil
}

// reportQueries are the questions that this institution may open.
func (s *service) reportQueries(ctx context.Context) (out []report.Question, err error) {
	all, err := s.asked(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		one := report.Question{Hospital: a.Entry.Query.Hospital, Target: a.Entry.Query.Target, Asked: momentOf(a.Opened), Answered: momentOf(a.First)}
		if a.State == query.Closed {
			one.Closed = momentOf(a.Last)
		}
		out = append(out, one)
	}
	return out, nil
}

func momentOf(o reader.Opened) report.Moment {
	return report.Moment{Index: o.Index, LogTime: o.LogTime}
}

// owing are the nodes that owe the erasure of a withdrawal: those of the roster whose
// institutions had a copy of the log then, whenever the node itself came.
func owing(st *state.State, withdrawal uint64) (nodes []string) {
	for _, n := range st.Entitled {
		m, ok := st.Member(n.Institution)
		if n.To != 0 || ok && len(m.Signing) > 0 && m.Signing[0].From > withdrawal {
			continue
		}
		nodes = append(nodes, n.Node)
	}
	return nodes
}

func (s *service) reportNodes(r *http.Request) (out []report.Node, err error) {
	n, err := s.network(r)
	if err != nil {
		return nil, err
	}
	for _, row := range n.Nodes {
		one := report.Node{ID: row.Node, Kind: row.Kind, Institution: row.Name, Behind: -1, State: "not heard of", Cosigns: "-"}
		if row.Told {
			one.State = "not ready"
			if row.Ready != nil && *row.Ready {
				one.State = "ready"
			}
		}
		if row.Size != nil && row.Behind != nil {
			one.Size, one.Behind = *row.Size, int64(*row.Behind)
		}
		if row.Cosigns != nil {
			one.Cosigns = map[bool]string{true: "yes", false: "no"}[*row.Cosigns]
		}
		out = append(out, one)
	}
	return out, nil
}
