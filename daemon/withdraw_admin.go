package daemon

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/withdraw"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// isHospital refuses what only a hospital's node with a whole copy can answer.
func (s *service) isHospital() error {
	if m, ok := s.node.View().Member(s.self.Institution); !ok || m.Role != act.RoleHospital {
		return errNoHospital
	}
	return s.node.Whole()
}

// withdraw takes a patient's decision.
func (s *service) withdraw(r *http.Request) (admin.WithdrawalResult, error) {
	in, err := documentsOf[admin.Withdrawal](r)
	if err != nil {
		return admin.WithdrawalResult{}, err
	}
	ask, err := askOf(in)
	if err != nil {
		return admin.WithdrawalResult{}, err
	}
	if err := s.isHospital(); err != nil {
		return admin.WithdrawalResult{}, err
	}
	if err := s.maySign(); err != nil && !ask.DryRun {
		return admin.WithdrawalResult{}, fmt.Errorf("nothing was decided: %w", err)
	}
	who, err := s.patient(r.Context(), in.Document, in.CaseNumber)
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		return admin.WithdrawalResult{Outcome: string(intake.Refused), Findings: findings(refused.Findings)}, nil
	}
	if err != nil {
		return admin.WithdrawalResult{}, err
	}
	ask.Pseudonym = who.Pseudonym
	a, err := s.desk.Decide(r.Context(), ask)
	if err != nil {
		return admin.WithdrawalResult{}, err
	}
	what := "withdraw " + in.Action
	if ask.DryRun {
		what += " (asked)"
	}
	if err := s.record(what, a.Cases, len(a.Indexes)); err != nil && !errors.Is(err, errNoTrail) {
		return admin.WithdrawalResult{}, err
	}
	dropped, err := s.dropWaiting(ask, who)
	if err != nil {
		return admin.WithdrawalResult{}, err
	}
	out, err := s.decisionOf(r.Context(), ask, a, in.Wait)
	out.Findings, out.Dropped = findings(who.found), dropped
	return out, err
}

// dropWaiting takes the files of a patient who stops use, or is forgotten, out of
// those that wait over quota, if the document was given. Else they are refused
// when their turn comes.
func (s *service) dropWaiting(ask withdraw.Ask, who who) (int, error) {
	if ask.DryRun || !who.documented || ask.Action != withdraw.Stop && ask.Action != withdraw.Erase || ask.Scope != 0 && ask.Scope&entry.ScopeRegistry == 0 {
		return 0, nil
	}
	return s.intake.DropWaiting(who.Identity)
}

// who is a patient that a request names.
type who struct {
	intake.Identified // the pseudonym alone, if a case number was given
	documented        bool
	found             []rule.Finding
}

// patient returns the patient that a document or a case number names.
func (s *service) patient(ctx context.Context, document *admin.Document, number string) (w who, err error) {
	switch {
	case (document == nil) == (number == ""):
		return w, fmt.Errorf("%w: give a document or a case number", errInvalid)
	case document != nil:
		ids, found, err := s.intake.Identify(ctx, intake.Labelled{Document: documentOf(*document)})
		if err != nil {
			return w, err
		}
		return who{ids[0], true, found}, nil
	}
	parsed, err := pseudonym.ParseCaseNumber(number)
	if err != nil {
		return w, fmt.Errorf("%w: %w", errInvalid, err)
	}
	p, ok, err := s.desk.Pseudonym(ctx, parsed.String())
	if err == nil && !ok {
		err = fmt.Errorf("case number %s: %w", parsed, errNoSuchCase)
	}
	w.Pseudonym = p
	return w, err
}

// askOf reads what is asked, the patient apart.
func askOf(in admin.Withdrawal) (ask withdraw.Ask, err error) {
	ask = withdraw.Ask{Action: withdraw.Action(in.Action), Now: in.Now, Again: in.Again, DryRun: in.DryRun}
	var ok bool
	if ask.By, ok = entry.ParseBy(in.By); !ok {
		return ask, fmt.Errorf("%w: by is self or guardian", errInvalid)
	}
	switch ask.Action {
	case withdraw.Stop, withdraw.Resume:
		if ask.Scope, ok = entry.ParseScope(in.Scope...); !ok {
			return ask, fmt.Errorf("%w: scope is one or more of %s, or all", errInvalid, entry.ScopeNames())
		}
	case withdraw.Erase, withdraw.Cancel:
	default:
		return ask, fmt.Errorf("%w: action is stop, resume, erase or cancel", errInvalid)
	}
	return ask, nil
}

// decisionOf describes what became of a decision.
func (s *service) decisionOf(ctx context.Context, ask withdraw.Ask, a withdraw.Answer, wait bool) (admin.WithdrawalResult, error) {
	out := admin.WithdrawalResult{
		Outcome: string(intake.Accepted), Cases: a.Cases, Status: a.Consent.Status.String(), Scope: a.Consent.Scope.String(),
		Entries: []admin.Entry{}, Unopened: a.Unopened,
	}
	if !a.Latest.IsZero() {
		out.Latest = a.Latest.UTC().Format(time.RFC3339)
	}
	switch {
	case ask.DryRun:
		out.Outcome = "asked"
	case a.Known:
		out.Outcome = string(intake.Known)
	}
	if a.Known && a.Consent.Status == entry.Erasing && a.Latest.IsZero() { // nothing waits: the act is in the log
		out.Status = "posted"
	}
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return out, err
	}
	opened, err := s.desk.Entries(a.Indexes)
	if err != nil {
		return out, err
	}
	for _, o := range opened {
		e := s.describeEntry(o, changes)
		e.Person = ""
		out.Entries = append(out.Entries, e)
	}
	if ask.DryRun || a.Known {
		return out, nil
	}
	taken := intake.Taken{Type: entry.TypeConsent, ID: a.ID, Placed: a.Placed}
	refs, err := s.references(ctx, []intake.Taken{taken}, map[uint64]outbox.Receipt{}, wait)
	if err != nil {
		return out, err
	}
	out.Entry = &refs[0]
	out.Entry.ID = hex.EncodeToString(a.ID[:])
	return out, nil
}

// withdrawals lists patients' newest decisions.
func (s *service) withdrawals(r *http.Request) (admin.Withdrawals, error) {
	if err := s.isHospital(); err != nil {
		return admin.Withdrawals{}, err
	}
	list, err := s.desk.List(r.Context())
	if err != nil {
		return admin.Withdrawals{}, err
	}
	out := admin.Withdrawals{List: []admin.Withdrawn{}, Problem: s.desk.Problem()}
	for _, l := range list {
		out.List = append(out.List, withdrawn(l))
	}
	return out, nil
}

func withdrawn(l withdraw.Listed) admin.Withdrawn {
	w := admin.Withdrawn{
		Cases: l.Cases, Status: l.Status.String(), Scope: l.Scope.String(), By: l.By.String(), Day: l.Day.String(),
		Entries: len(l.Indexes), Indexes: l.Indexes,
	}
	if !l.Latest.IsZero() {
		w.Latest = l.Latest.UTC().Format(time.RFC3339)
	}
	switch {
	case l.Erased:
		w.Status = "erased"
	case l.Posted:
		w.Status = "posted"
	}
	return w
}
