package view

import (
	"context"
	"database/sql"
	"testing"

	"github.com/raresync/raresync/daemon/reader"
)

// Lived returns the coordinator's view of a network in which much has happened, and
// the reader that it is made with.
func Lived(t testing.TB, persons int) (*View, *reader.Reader) {
	w := newWorld(t, 21)
	w.live(persons)
	v := w.view(w.Reader, nil)
	return v, v.cfg.Reader
}

// Large returns the coordinator's view of a log with about so many entries.
func Large(t testing.TB, entries int) *View {
	w := newWorld(t, 22)
	w.backfill(entries)
	v := w.view(w.Reader, nil)
	must(t, v.wait(t.Context(), w.m.View().Envelopes))
	return v
}

// Asked is what a report asked a view.
type Asked struct {
	querier
	said []func() (*sql.Rows, error)
}

// Recorded returns a query that notes what it is asked.
func Recorded(q Query) (Query, *Asked) {
	a := &Asked{querier: q.tx}
	q.tx = a
	return q, a
}

// QueryContext notes a query.
func (a *Asked) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	a.said = append(a.said, func() (*sql.Rows, error) { return a.querier.QueryContext(ctx, query, args...) })
	return a.querier.QueryContext(ctx, query, args...)
}

// QueryRowContext notes a query.
func (a *Asked) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	a.said = append(a.said, func() (*sql.Rows, error) { return a.querier.QueryContext(ctx, query, args...) })
	return a.querier.QueryRowContext(ctx, query, args...)
}

// Again asks the same again and looks at no answer: the bare SQL of a report.
func (a *Asked) Again(t testing.TB) {
	for _, ask := range a.said {
		rows, err := ask()
		must(t, err)
		for rows.Next() {
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
}
