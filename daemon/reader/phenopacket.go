package reader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
)

// Phenopacket returns the case at an index, joined with its genetics (if this
// institution may open them) and its other parts, as a phenopacket of schema
// version 2, all as corrected. The patient appears under the neutral name
// "entry-<index>". A case whose use the patient has stopped is given to its own
// hospital alone; for others the error is [ErrStopped]. So it is with a part, which
// is left out.
func (r *Reader) Phenopacket(ctx context.Context, index uint64) ([]byte, error) {
	c, err := r.Entry(index)
	if err != nil {
		return nil, err
	}
	if c.Problem != "" {
		return nil, fmt.Errorf("entry %d does not open: %s", index, c.Problem)
	}
	if c.Entry.Case == nil {
		return nil, fmt.Errorf("entry %d is a %s: %w", index, c.Entry.Type, ErrNotCase)
	}
	genetics, parts, err := r.belonging(ctx, &c)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(parts, func(a, b entry.Entry) int { // places in an envelope are drawn at random
		return strings.Compare(a.EventDate.String(), b.EventDate.String())
	})
	return phenopacket.Write(c.Entry, genetics, fmt.Sprintf("entry-%d", index), parts...)
}

// belonging finds the genetics and the other parts of a case, which name it, in
// what its hospital sent from the case's envelope on, and corrects all of them.
func (r *Reader) belonging(ctx context.Context, c *Opened) (genetics *entry.Entry, parts []entry.Entry, err error) {
	near, err := r.neighbours(c.Index)
	if err != nil {
		return nil, nil, err
	}
	var changes Changes
	var found []Opened
	for o, err := range r.entries(ctx, c.Hospital, near[0].Index, 0) {
		if err != nil {
			return nil, nil, err
		}
		changes.Add(o)
		if o.Problem == "" && o.Entry.BelongsTo() == c.Entry.ID {
			found = append(found, o)
		}
	}
	if c.Hospital != r.cfg.Institution && changes.Stopped(c.Hospital, c.Index, c.Entry.Uses()) {
		return nil, nil, fmt.Errorf("entry %d: %w", c.Index, ErrStopped)
	}
	c.Entry = changes.Correct(*c)
	for _, o := range found {
		if o.Hospital != r.cfg.Institution && changes.Stopped(o.Hospital, o.Index, o.Entry.Uses()) {
			continue
		}
		if e := changes.Correct(o); e.Genetics != nil {
			genetics = &e
		} else {
			parts = append(parts, e)
		}
	}
	return genetics, parts, nil
}
