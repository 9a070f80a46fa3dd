package reader

import (
	"context"
	"fmt"

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
	return phenopacket.Write(c.Entry, genetics, fmt.Sprintf("entry-%d", index), visits...)
}

// belonging finds the genetics and the follow-ups of a case: in its own
// envelope or, if there are none, in what its hospital sent from there on.
func (r *Reader) belonging(ctx context.Context, c Opened) (genetics *entry.Entry, visits []entry.Entry, err error) {
	near, err := r.neighbours(c.Index)
	if err != nil {
		return nil, nil, err
	}
	take := func(o Opened) {
		switch e := o.Entry; {
		case o.Problem != "" || o.Hospital != c.Hospital:
		case e.Genetics != nil && e.Genetics.Case == c.Entry.ID:
			genetics = &e
		case e.FollowUp != nil && e.Pseudonym == c.Entry.Pseudonym:
			visits = append(visits, e)
		}
	}
	for _, o := range near {
		take(o)
	}
	if genetics != nil || len(visits) > 0 {
		return genetics, visits, nil
	}
	for o, err := range r.entries(ctx, c.Hospital, c.Index, 0) {
		if err != nil {
			return nil, nil, err
		}
		take(o)
	}
	return genetics, visits, nil
}
