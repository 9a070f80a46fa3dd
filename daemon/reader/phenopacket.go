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
// institution may open them) and its follow-ups, as a phenopacket of schema
// version 2. The patient appears under the neutral name "entry-<index>".
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
	genetics, visits, err := r.belonging(ctx, c)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(visits, func(a, b entry.Entry) int { // places in an envelope are drawn at random
		return strings.Compare(a.EventDate.String(), b.EventDate.String())
	})
	return phenopacket.Write(c.Entry, genetics, fmt.Sprintf("entry-%d", index), visits...)
}

// belonging finds the genetics and the follow-ups of a case, which name it, in
// what its hospital sent from the case's envelope on.
func (r *Reader) belonging(ctx context.Context, c Opened) (genetics *entry.Entry, visits []entry.Entry, err error) {
	near, err := r.neighbours(c.Index)
	if err != nil {
		return nil, nil, err
	}
	for o, err := range r.entries(ctx, c.Hospital, near[0].Index, 0) {
		if err != nil {
			return nil, nil, err
		}
		switch e := o.Entry; {
		case o.Problem != "":
		case e.Genetics != nil && e.Genetics.Case == c.Entry.ID:
			genetics = &e
		case e.FollowUp != nil && e.FollowUp.Case == c.Entry.ID:
			visits = append(visits, e)
		}
	}
	return genetics, visits, nil
}
