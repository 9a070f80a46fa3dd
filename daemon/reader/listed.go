package reader

import (
	"context"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// Listed says how many registrations are of a disease of a list, as an edition of
// the lists has it.
type Listed struct {
	List     int // 0 = of none
	Diseases int // rows of the list that have a registration
	Cases    int
}

// Listed counts registrations by list over everything this institution may open,
// as an edition has the diseases: what entries said when they were made is
// resolved anew, so that an edition gives the same figures for ever. A case whose
// disease stands in two lists counts in both.
func (r *Reader) Listed(ctx context.Context, c *catalog.Catalog) ([]Listed, error) {
	t, err := r.tally(ctx, 0, &Tally{diseases: true})
	if err != nil {
		return nil, err
	}
	return t.Listed(c), nil
}

// principal is what is kept of a case's disease.
func (t *Tally) principal(c *entry.Case) entry.Disease {
	if !t.diseases {
		return entry.Disease{}
	}
	d, _ := c.Principal()
	return d
}

// Listed counts what a Tally that keeps diseases has: cases as they were corrected,
// without those whose use is stopped. Lists ascend, none comes first.
func (t *Tally) Listed(c *catalog.Catalog) []Listed {
	var cases [10]int // by list
	rows := map[entry.Row]bool{}
	add := func(d entry.Disease) {
		in := map[uint8]bool{}
		m := d.Resolve(c)
		for _, row := range m.Counted() {
			rows[row], in[row.List] = true, true
		}
		for list := range in {
			cases[list]++
		}
		if len(in) == 0 {
			cases[0]++
		}
	}
	for _, n := range t.notes {
		if n.kind != entry.TypeCase || t.changes.Stopped(n.hospital, n.index, entry.ScopeRegistry) {
			continue
		}
		if e, ok := t.corrected(n); ok && e.Case != nil {
			n.disease = t.principal(e.Case)
		}
		add(n.disease)
	}
	for _, d := range t.nowhere {
		add(d)
	}
	var out []Listed
	for list, n := range cases {
		one := Listed{List: list, Cases: n}
		for row := range rows {
			if int(row.List) == list {
				one.Diseases++
			}
		}
		if n > 0 || list == 0 {
			out = append(out, one)
		}
	}
	return out
}
