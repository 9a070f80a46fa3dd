package daemon

import (
	"context"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/page"
)

// pageQueries are the questions to this hospital, for its page.
type pageQueries struct{ *service }

// Queries lists those about entries of this hospital, with what they are about.
func (s pageQueries) Queries(ctx context.Context) ([]page.Query, error) {
	all, err := s.asked(ctx)
	if err != nil {
		return nil, err
	}
	lists, err := s.newest()
	if err != nil {
		return nil, err
	}
	var out []page.Query
	for _, a := range all {
		if a.Entry.Query.Hospital != s.self.Institution {
			continue
		}
		q := page.Query{Query: queryOf(a), Own: a.Hospital == s.self.Institution}
		target, err := s.reader.Entry(q.Target)
		if err != nil {
			return nil, err
		}
		if target.Problem == "" && target.Hospital == s.self.Institution {
			about := target.Entry.Summary(lists)
			q.Type, q.Date, q.Disease = about.Type.String(), about.EventDate.String(), about.Disease
			if target.Entry.Pseudonym.Present {
				q.CaseNumber = s.caseNumber(target.Entry.Pseudonym.Value)
			}
		}
		out = append(out, q)
	}
	return out, nil
}

// Answer answers the query at an index, and waits for the receipt.
func (s pageQueries) Answer(ctx context.Context, index uint64, text uint8) (admin.QueryResult, error) {
	return s.reply(ctx, index, admin.Answer{Text: text, Wait: true})
}
