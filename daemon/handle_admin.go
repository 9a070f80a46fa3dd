package daemon

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/rule"
)

// caseNumber is how this hospital's papers name a pseudonym.
func (s *service) caseNumber(p pseudonym.Pseudonym) string {
	return pseudonym.NewCaseNumber(s.keys.Handle, p).String()
}

// handle says what this hospital has under a pseudonym.
func (s *service) handle(own *reader.Tally, p pseudonym.Pseudonym) admin.Handle {
	h := admin.Handle{CaseNumber: s.caseNumber(p)}
	h.Entries, h.Cases = own.At(s.self.Institution, p)
	for _, other := range own.Same(p) {
		if other != p {
			h.Linked = append(h.Linked, s.caseNumber(other))
		}
	}
	return h
}

// checkPseudonym says what this hospital has under a document, and that the
// share holders answer.
func (s *service) checkPseudonym(r *http.Request) (admin.PseudonymCheck, error) {
	in, err := documentsOf[admin.Document](r)
	if err != nil {
		return admin.PseudonymCheck{}, err
	}
	own, err := s.own(r.Context())
	if err != nil {
		return admin.PseudonymCheck{}, err
	}
	view := s.node.View()
	out := admin.PseudonymCheck{Needed: int(view.OPRF.Threshold), Holders: len(view.Holders)}
	ids, found, err := s.intake.Identify(r.Context(), intake.Labelled{Document: documentOf(in)})
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		out.Findings = findings(refused.Findings)
		return out, nil
	}
	if err != nil {
		return admin.PseudonymCheck{}, err
	}
	out.Handle, out.Strength, out.Findings = s.handle(own, ids[0].Pseudonym), ids[0].Strength.String(), findings(found)
	if ids[0].Identity.X() != nil {
		out.Answered = out.Needed // so many proven answers make a pseudonym, no fewer
	}
	return out, nil
}

// findCaseNumber says what this hospital has under a printed case number. The
// number is a keyed hash: it is found by making those of all entries.
func (s *service) findCaseNumber(r *http.Request) (admin.Handle, error) {
	number, err := pseudonym.ParseCaseNumber(r.PathValue("number"))
	if err != nil {
		return admin.Handle{}, fmt.Errorf("%w: %w", errInvalid, err)
	}
	own, err := s.own(r.Context())
	if err != nil {
		return admin.Handle{}, err
	}
	for _, p := range own.Pseudonyms() {
		if pseudonym.NewCaseNumber(s.keys.Handle, p) == number {
			return s.handle(own, p), nil
		}
	}
	return admin.Handle{}, fmt.Errorf("case number %s: %w", number, errNoSuchCase)
}

// errNoSuchCase reports a case number under which this hospital has nothing.
var errNoSuchCase = errors.New("this hospital has no entry under it")
