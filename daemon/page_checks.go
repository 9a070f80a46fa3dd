package daemon

import (
	"context"
	"errors"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/reader"
)

// pageChecks are the registrations of this hospital to be compared with their source
// records, for its page.
type pageChecks struct{ *service }

// Checks lists them, with what they are about.
func (s pageChecks) Checks(ctx context.Context) (out []page.Check, err error) {
	all, err := s.checksNow(ctx)
	if err != nil {
		return nil, err
	}
	lists, err := s.newest()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		one := page.Check{Check: c}
		target, err := s.reader.Entry(c.Index)
		if errors.Is(err, reader.ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		about := target.Entry.Summary(lists)
		one.Date, one.Disease = about.EventDate.String(), about.Disease
		out = append(out, one)
	}
	return out, nil
}

// Compare says what came of comparing one, and waits for the receipt.
func (s pageChecks) Compare(ctx context.Context, index uint64, of admin.Compared) (admin.QueryResult, error) {
	return s.compareAt(ctx, index, of)
}
