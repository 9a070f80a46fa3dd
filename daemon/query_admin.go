package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

var (
	// errNoAsker reports a question from a node that asks no hospitals.
	errNoAsker = errors.New("only a national reader asks hospitals about their entries, and closes what it asked")
	// errNoQuery reports an index that is no query's, or one that is not this
	// institution's to close or answer.
	errNoQuery = errors.New("no such query")
)

// asked lists the queries that this institution may open.
func (s *service) asked(ctx context.Context) ([]query.Asked, error) {
	if err := s.node.Whole(); err != nil {
		return nil, err
	}
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return nil, err
	}
	return query.List(changes, s.node.View(), s.reader.Entry)
}

// queries lists the queries with their states.
func (s *service) queries(r *http.Request) ([]admin.Query, error) { return s.queriesNow(r.Context()) }

func (s *service) queriesNow(ctx context.Context) ([]admin.Query, error) {
	all, err := s.asked(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]admin.Query, len(all))
	for i, a := range all {
		out[i] = queryOf(a)
	}
	return out, nil
}

// queryOf is a question with its state.
func queryOf(a query.Asked) admin.Query {
	q := a.Entry.Query
	out := admin.Query{
		Index: a.Index, Asker: a.Hospital, Hospital: q.Hospital, Target: q.Target, Rule: q.Rule, Text: uint8(q.Text),
		Asked: rfc3339(a.LogTime), State: string(a.State), Days: a.Days(), Correction: a.Correction,
	}
	if reply := a.Reply.Entry.Reply; reply != nil {
		out.Reply, out.ReplyIndex = uint8(reply.Text), a.Reply.Index
	}
	return out
}

// openQuery asks the hospital of an entry.
func (s *service) openQuery(r *http.Request) (admin.QueryResult, error) {
	in, err := documentsOf[admin.Question](r)
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.ask(r.Context(), in)
}

// ask asks the hospital of an entry.
func (s *service) ask(ctx context.Context, in admin.Question) (admin.QueryResult, error) {
	if err := s.isAsker(); err != nil {
		return admin.QueryResult{}, err
	}
	all, err := s.asked(ctx)
	if err != nil {
		return admin.QueryResult{}, err
	}
	sawOne(ctx, in.Index)
	target, err := s.reader.Entry(in.Index)
	if errors.Is(err, reader.ErrNotAllowed) && s.isAct(in.Index) {
		err = fmt.Errorf("%w: entry %d is an act of the network, and no hospital's", reader.ErrNotAllowed, in.Index)
	}
	if err != nil {
		return admin.QueryResult{}, err
	}
	if target.Problem != "" {
		return admin.QueryResult{}, fmt.Errorf("%w: entry %d does not open: %s", errInvalid, in.Index, target.Problem)
	}
	q := entry.Query{Action: entry.Ask, Target: in.Index, Hospital: target.Hospital, Rule: in.Rule, Text: entry.QueryText(in.Text)}
	if q.Text < 1 || q.Text > entry.QueryTexts() {
		return admin.QueryResult{}, fmt.Errorf("%w: text is a number from 1 to %d", errInvalid, entry.QueryTexts())
	}
	if _, removed := s.node.View().RemovedAt(target.Hospital); removed {
		return admin.QueryResult{}, fmt.Errorf("%w: hospital %d has left the network and answers nothing", errInvalid, target.Hospital)
	}
	if refused := refusedBy(validate.Query(q, target.Entry)); refused != nil {
		return *refused, nil
	}
	var previous [32]byte
	for _, a := range all {
		if a.Hospital != s.self.Institution || !a.Entry.Query.Same(q) {
			continue
		}
		if a.State != query.Closed {
			return admin.QueryResult{Outcome: string(intake.Known), Entry: &admin.EntryRef{
				Type: entry.TypeQuery.String(), ID: hex.EncodeToString(a.Entry.ID[:]), Index: a.Index, InLog: true,
			}}, nil
		}
		previous = a.Last.Entry.ID
	}
	e, err := s.intake.Query(q, previous)
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.postQuery(ctx, e, nil, in.Wait, target.Entry.Pseudonym)
}

// isAct reports whether an act stands at an index.
func (s *service) isAct(index uint64) bool {
	raw, err := s.node.Machine().Leaf(index)
	if err != nil {
		return false
	}
	leaf, err := envelope.ParseLeaf(raw)
	return err == nil && leaf.Kind == envelope.KindAct
}

// isAsker is errNoAsker on a node that asks no hospitals: what a hospital asks itself
// is answered, not closed.
func (s *service) isAsker() error {
	if m, ok := s.node.View().Member(s.self.Institution); !ok || !m.Rights.Has(act.RightNational) {
		return errNoAsker
	}
	return nil
}

// refusedBy is the answer to what rules refuse; nil if none does.
func refusedBy(found []rule.Finding) *admin.QueryResult {
	if rule.Refusals(found) == nil {
		return nil
	}
	return &admin.QueryResult{Outcome: string(intake.Refused), Findings: findings(found)}
}

// postQuery sends a query, its closing or its answer, about an entry under a
// pseudonym.
func (s *service) postQuery(ctx context.Context, e entry.Entry, found []rule.Finding, wait bool, about entry.Pseudonym) (admin.QueryResult, error) {
	if err := s.mayTake(); err != nil {
		return admin.QueryResult{}, err
	}
	taken, err := s.intake.Post(ctx, e, about)
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		return admin.QueryResult{Outcome: string(intake.Refused), Findings: findings(refused.Findings)}, nil
	}
	if err != nil {
		return admin.QueryResult{}, err
	}
	refs, err := s.references(ctx, []intake.Taken{taken}, map[uint64]outbox.Receipt{}, wait)
	if err != nil {
		return admin.QueryResult{}, err
	}
	out := admin.QueryResult{Outcome: string(intake.Accepted), Findings: findings(found), Entry: &refs[0]}
	if taken.Known {
		out.Outcome = string(intake.Known)
	}
	return out, nil
}

// queryAt finds the query that a request names, if it is this institution's to
// deal with.
func (s *service) queryAt(ctx context.Context, index uint64, mine func(query.Asked) bool) (query.Asked, error) {
	all, err := s.asked(ctx)
	if err != nil {
		return query.Asked{}, err
	}
	for _, a := range all {
		if a.Index == index && mine(a) {
			return a, nil
		}
	}
	return query.Asked{}, fmt.Errorf("query %d: %w", index, errNoQuery)
}

// closeQuery closes a query of this institution.
func (s *service) closeQuery(r *http.Request) (admin.QueryResult, error) {
	in, err := documentsOf[admin.Closing](r)
	if err != nil {
		return admin.QueryResult{}, err
	}
	index, err := number(r, "index")
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.closeAsked(r.Context(), index, in.Wait)
}

// closeAsked closes the query of this institution at an index.
func (s *service) closeAsked(ctx context.Context, index uint64, wait bool) (admin.QueryResult, error) {
	if err := s.isAsker(); err != nil {
		return admin.QueryResult{}, err
	}
	a, err := s.queryAt(ctx, index, func(a query.Asked) bool { return a.Hospital == s.self.Institution })
	if err != nil {
		return admin.QueryResult{}, err
	}
	q := *a.Entry.Query
	q.Action = entry.Close
	e, err := s.intake.Query(q, a.Entry.ID)
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.postQuery(ctx, e, nil, wait, entry.Pseudonym{})
}

// answerQuery answers a query about an entry of this hospital.
func (s *service) answerQuery(r *http.Request) (admin.QueryResult, error) {
	in, err := documentsOf[admin.Answer](r)
	if err != nil {
		return admin.QueryResult{}, err
	}
	index, err := number(r, "index")
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.reply(r.Context(), index, in)
}

// reply answers the query at an index.
func (s *service) reply(ctx context.Context, index uint64, in admin.Answer) (admin.QueryResult, error) {
	if err := s.isHospital(); err != nil {
		return admin.QueryResult{}, err
	}
	a, err := s.queryAt(ctx, index, func(a query.Asked) bool { return a.Entry.Query.Hospital == s.self.Institution })
	if err != nil {
		return admin.QueryResult{}, err
	}
	target, err := s.reader.Entry(a.Entry.Query.Target)
	if err != nil {
		return admin.QueryResult{}, err
	}
	reply := entry.Reply{Query: a.Index, QueryID: a.Entry.ID, Entry: target.Entry.ID, Text: entry.ReplyText(in.Text)}
	switch {
	case reply.Text < 1 || reply.Text > entry.ReplyTexts():
		return admin.QueryResult{}, fmt.Errorf("%w: text is a number from 1 to %d", errInvalid, entry.ReplyTexts())
	case target.Hospital != s.self.Institution || target.Problem != "":
		return admin.QueryResult{}, fmt.Errorf("entry %d: %w", target.Index, errNotOwn)
	}
	found := validate.Reply(reply, a.State == query.Closed, a.Correction != 0)
	if refused := refusedBy(found); refused != nil {
		return *refused, nil
	}
	var previous [32]byte
	if before := a.Reply.Entry.Reply; before != nil {
		if before.Text == reply.Text {
			return admin.QueryResult{Outcome: string(intake.Known), Findings: findings(found), Entry: &admin.EntryRef{
				Type: entry.TypeReply.String(), ID: hex.EncodeToString(a.Reply.Entry.ID[:]), Index: a.Reply.Index, InLog: true,
			}}, nil
		}
		previous = a.Reply.Entry.ID
	}
	e, err := s.intake.Reply(reply, previous)
	if err != nil {
		return admin.QueryResult{}, err
	}
	return s.postQuery(ctx, e, found, in.Wait, target.Entry.Pseudonym)
}

// forgetQueries withdraws this institution's queries about withdrawn entries.
func (s *service) forgetQueries(ctx context.Context) {
	query.Forget(ctx, query.Forgetting{
		Institution: s.self.Institution, Changes: s.reader.Changes, Log: s.node, Poster: s.outbox,
		Schedule: s.schedule(), Random: rand.Reader, Now: s.clock, Logger: s.log,
	})
}
