package intake

import (
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// Query makes the entry of a question to a hospital, or of its closing, today.
// supersedes is the id of the query entry of the same question that was sent
// before, or zeros.
func (in *Intake) Query(q entry.Query, supersedes [32]byte) (entry.Entry, error) {
	id, err := entry.QueryID(in.cfg.EntryID, q, supersedes)
	return in.aboutNobody(entry.Entry{Type: entry.TypeQuery, ID: id, Supersedes: supersedes, Query: &q}), err
}

// Reply makes the entry of an answer, today. supersedes is the id of the answer
// that was sent before, or zeros.
func (in *Intake) Reply(r entry.Reply, supersedes [32]byte) (entry.Entry, error) {
	id, err := entry.ReplyID(in.cfg.EntryID, r, supersedes)
	return in.aboutNobody(entry.Entry{Type: entry.TypeReply, ID: id, Supersedes: supersedes, Reply: &r}), err
}

// Letter makes the entry of a letter, today.
func (in *Intake) Letter(l entry.Letter) entry.Entry {
	return in.aboutNobody(entry.Entry{Type: entry.TypeLetter, ID: entry.LetterID(in.cfg.EntryID, l.Hospital, l.Of), Letter: &l})
}

// Check makes the entry of a comparison with the source record, today. supersedes is the
// id of the check of the same letter and registration that was sent before, or zeros.
func (in *Intake) Check(c entry.Check, supersedes [32]byte) (entry.Entry, error) {
	id, err := entry.CheckID(in.cfg.EntryID, c, supersedes)
	return in.aboutNobody(entry.Entry{Type: entry.TypeCheck, ID: id, Supersedes: supersedes, Check: &c}), err
}

// Card makes the entry of a card, today. supersedes is the id of the card of the
// same type and id that held before, or zeros.
func (in *Intake) Card(t entry.Type, c entry.Card, supersedes [32]byte) (entry.Entry, error) {
	id, err := entry.CardID(in.cfg.EntryID, t, c, supersedes)
	return in.aboutNobody(entry.Entry{Type: t, ID: id, Supersedes: supersedes, Card: &c}), err
}

// CheckCard checks a card by the rules; others reports whether the hospital has one
// of a type with an id. The error is that of the lists.
func (in *Intake) CheckCard(t entry.Type, c entry.Card, others func(t entry.Type, id string) bool) ([]rule.Finding, error) {
	lists, err := in.catalogue()
	if err != nil {
		return nil, err
	}
	return validate.Card(validate.Context{Today: in.today(), Catalog: lists}, t, c, others), nil
}

// aboutNobody fills in what entries without a pseudonym have in common.
func (in *Intake) aboutNobody(e entry.Entry) entry.Entry {
	e.Profile, e.EventDate, e.Source, e.Basis = entry.Report, in.today(), entry.SourceForm, entry.BasisStatutory
	return e
}
