package reader

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// registered is what this hospital has registered so far, in memory: of each
// pseudonym the cases under it, and of each entry with facts its index. What is withdrawn since is left out when it is
// asked for.
type registered struct {
	mu   sync.Mutex // guards what follows
	next uint64     // index from which on nothing was read
	of   map[[32]byte][]uint64
	at   map[[32]byte]uint64
}

// readRegistered takes in what this hospital has registered since. The caller holds mu.
func (r *Reader) readRegistered(ctx context.Context) error {
	g := &r.registered
	size := r.cfg.Node.View().Tree.Size()
	if g.of == nil {
		g.of, g.at = map[[32]byte][]uint64{}, map[[32]byte]uint64{}
	}
	for o, err := range r.entries(ctx, r.cfg.Institution, g.next, 0) {
		if err != nil {
			return err
		}
		if o.Index >= size {
			break
		}
		if p := o.Entry.Pseudonym; o.Entry.Case != nil && p.Present {
			g.of[p.Value] = append(g.of[p.Value], o.Index)
		}
		if o.Entry.Any() {
			g.at[o.Entry.ID] = o.Index
		}
		g.next = o.Index + 1
	}
	g.next = max(g.next, size)
	return nil
}

// Registered returns the cases that this hospital has registered under a
// pseudonym, as corrected, in the order of the log. The first call reads all of the
// hospital's entries, later ones what has come since.
func (r *Reader) Registered(ctx context.Context, pseudonym [32]byte) (cases []Opened, err error) {
	g := &r.registered
	g.mu.Lock()
	err = r.readRegistered(ctx)
	indexes := g.of[pseudonym]
	g.mu.Unlock()
	if err != nil || len(indexes) == 0 {
		return nil, err
	}
	changes, err := r.Changes(ctx)
	if err != nil {
		return nil, err
	}
	for _, index := range indexes {
		o, err := r.Entry(index)
		switch {
		case errors.Is(err, ErrErased):
			continue
		case err != nil:
			return nil, err
		case o.Problem != "":
			continue
		}
		o.Entry = changes.Correct(o)
		cases = append(cases, o)
	}
	return cases, nil
}

// IndexesOf returns, of entries of this hospital by their ids, the indexes of those
// that the log has, the newest of an id. Some may be withdrawn.
func (r *Reader) IndexesOf(ctx context.Context, ids map[[32]byte]bool) (map[[32]byte]uint64, error) {
	g := &r.registered
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := r.readRegistered(ctx); err != nil {
		return nil, err
	}
	found := map[[32]byte]uint64{}
	for id := range ids {
		if index, ok := g.at[id]; ok {
			found[id] = index
		}
	}
	return found, nil
}

// SamePerson reports whether a case of this hospital, by its entry id, is of the
// person with a pseudonym, by the hospital's own links. known is false if the log
// has no such case. It reads all of the hospital's entries.
func (r *Reader) SamePerson(ctx context.Context, id, pseudonym [32]byte) (same, known bool, err error) {
	own := &Tally{whole: true}
	var of [32]byte
	for o, err := range r.OwnEntries(ctx) {
		if err != nil {
			return false, false, err
		}
		if own.Add(o); o.Entry.Case != nil && o.Entry.ID == id {
			of, known = o.Entry.Pseudonym.Value, true
		}
	}
	return known && slices.Contains(own.Same(pseudonym), of), known, nil
}
