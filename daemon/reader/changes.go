package reader

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/raresync/raresync/registry/entry"
)

// ref names an entry as its own hospital's later entries do. One that names
// another hospital's entry names nothing.
type ref struct {
	hospital uint32
	index    uint64
}

// Changes is what later entries say of earlier ones: corrections, consents that
// stop use, questions and answers. Entries may be added in any order: what counts is their index.
// A Changes that [Reader.Changes] returned does not change any more.
type Changes struct {
	corrections map[ref][]Opened
	consents    []Opened
	queries     []Opened // and replies, in the order in which they were added
	replies     []Opened
	cards       []Opened            // likewise
	letters     []Opened            // likewise
	checks      []Opened            // likewise
	standing    map[uint32][]Opened // by hospital, in the order of the log; nil: to be worked out
	stopped     map[ref]entry.Scope // goes with standing: the uses stopped of an entry
}

// Add takes in an opened entry, if it says anything of others.
func (c *Changes) Add(o Opened) {
	switch e := o.Entry; {
	case o.Problem != "":
	case e.Correction != nil:
		if c.corrections == nil {
			c.corrections = map[ref][]Opened{}
		}
		at := ref{o.Hospital, e.Correction.Index}
		c.corrections[at] = append(c.corrections[at], o)
	case e.Consent != nil:
		c.consents = append(c.consents, o)
		c.standing = nil
	case e.Query != nil:
		c.queries = append(c.queries, o)
	case e.Reply != nil:
		c.replies = append(c.replies, o)
	case e.Letter != nil:
		c.letters = append(c.letters, o)
	case e.Check != nil:
		c.checks = append(c.checks, o)
	case e.Card != nil:
		c.cards = append(c.cards, o)
	}
}

// Queries returns the questions and their closings, in the order of the log if
// they were added so. Some may be about entries that are withdrawn.
func (c *Changes) Queries() []Opened { return c.queries }

// Cards returns the cards that hold, ordered by hospital, type and id: of those of
// one hospital, type and id the newest.
func (c *Changes) Cards() (out []Opened) {
	type key struct {
		hospital uint32
		kind     entry.Type
		id       string
	}
	newest := map[key]Opened{}
	for _, o := range c.cards {
		k := key{o.Hospital, o.Entry.Type, o.Entry.Card.ID}
		if before, ok := newest[k]; !ok || before.Index < o.Index {
			newest[k] = o
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Opened) int {
		return cmp.Or(cmp.Compare(a.Hospital, b.Hospital), cmp.Compare(a.Entry.Type, b.Entry.Type), cmp.Compare(a.Entry.Card.ID, b.Entry.Card.ID))
	})
}

// Replies returns the answers, as [Changes.Queries] returns the questions.
func (c *Changes) Replies() []Opened { return c.replies }

// Letters returns the quality letters, as [Changes.Queries] returns the questions.
func (c *Changes) Letters() []Opened { return c.letters }

// Checks returns the checks with source records, as [Changes.Queries] returns the
// questions.
func (c *Changes) Checks() []Opened { return c.checks }

// settle works out which consents stand: of those of one hospital that share a
// mark, the newest.
func (c *Changes) settle() {
	if c.standing != nil {
		return
	}
	c.standing, c.stopped = map[uint32][]Opened{}, map[ref]entry.Scope{}
	sorted := slices.Clone(c.consents)
	slices.SortFunc(sorted, func(a, b Opened) int { return cmp.Compare(a.Index, b.Index) })
	for _, o := range sorted {
		rest := slices.DeleteFunc(c.standing[o.Hospital], func(earlier Opened) bool { return shareMark(earlier, o) })
		c.standing[o.Hospital] = append(rest, o)
	}
	for hospital, all := range c.standing {
		for _, o := range all {
			for _, index := range o.Entry.Consent.Indexes {
				c.stopped[ref{hospital, index}] |= o.Entry.Consent.Scope
			}
		}
	}
}

func shareMark(a, b Opened) bool {
	return slices.ContainsFunc(a.Entry.Consent.Marks, func(m [32]byte) bool { return slices.Contains(b.Entry.Consent.Marks, m) })
}

// Consents returns a hospital's consents that stand, in the order of the log.
func (c *Changes) Consents(hospital uint32) []Opened {
	c.settle()
	return c.standing[hospital]
}

// Consent returns the consent that stands of the person with one of the marks.
func (c *Changes) Consent(hospital uint32, marks ...[32]byte) (Opened, bool) {
	for _, o := range c.Consents(hospital) {
		if shareMark(o, Opened{Entry: entry.Entry{Consent: &entry.Consent{Marks: marks}}}) {
			return o, true
		}
	}
	return Opened{}, false
}

// Has reports whether a hospital's consent with an id is in the log, standing or
// not.
func (c *Changes) Has(hospital uint32, id [32]byte) bool {
	return slices.ContainsFunc(c.consents, func(o Opened) bool { return o.Hospital == hospital && o.Entry.ID == id })
}

// History returns all of a hospital's consents that share one of the marks, in
// the order of the log, those included that stand no longer.
func (c *Changes) History(hospital uint32, marks ...[32]byte) (out []Opened) {
	person := Opened{Entry: entry.Entry{Consent: &entry.Consent{Marks: marks}}}
	for _, o := range c.consents {
		if o.Hospital == hospital && shareMark(o, person) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Opened) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// Stopped reports whether an entry is left out of use, being there for some uses:
// see [entry.Entry.Uses].
func (c *Changes) Stopped(hospital uint32, index uint64, uses entry.Scope) bool {
	c.settle()
	return c.stopped[ref{hospital, index}]&uses != 0
}

// Correction returns an entry with the content that the newest valid correction
// gives it, and that correction; ok is false if there is none.
func (c *Changes) Correction(o Opened) (corrected entry.Entry, by Opened, ok bool) {
	for _, candidate := range c.corrections[ref{o.Hospital, o.Index}] {
		if ok && candidate.Index < by.Index {
			continue
		}
		if e, fits := o.Entry.Corrected(candidate.Entry, o.Index); fits {
			corrected, by, ok = e, candidate, true
		}
	}
	return corrected, by, ok
}

// Correct returns an entry as corrected, or as it is.
func (c *Changes) Correct(o Opened) entry.Entry {
	if e, _, ok := c.Correction(o); ok {
		return e
	}
	return o.Entry
}

// known is what a reader has seen of the log for its Changes. Corrections and
// consents are few; they stay in memory, and the log is read on from there.
type known struct {
	mu     sync.Mutex // guards what follows
	grants int        // that the log had; with a new one earlier entries may open
	next   uint64     // index from which on nothing was read
	all    []Opened
	made   *Changes // of all; nil: to be made
}

// Changes returns what the log says, as of now, of the entries that this
// institution may open. The first call reads the whole log, later ones what has
// come since.
func (r *Reader) Changes(ctx context.Context) (*Changes, error) {
	k := &r.known
	k.mu.Lock()
	defer k.mu.Unlock()
	view := r.cfg.Node.View()
	size := view.Tree.Size()
	if n := len(view.Grants); n != k.grants {
		k.grants, k.next, k.all, k.made = n, 0, nil, nil
	}
	for o, err := range r.entries(ctx, 0, k.next, 0) {
		if err != nil {
			return nil, err
		}
		if o.Index >= size {
			break
		}
		if e := o.Entry; e.Correction != nil || e.Consent != nil || e.Query != nil || e.Reply != nil || e.Card != nil || e.Letter != nil || e.Check != nil {
			k.all, k.made = append(k.all, o), nil
		}
		k.next = o.Index + 1
	}
	k.next = max(k.next, size)
	if k.made == nil {
		k.made = &Changes{}
		for _, o := range k.all {
			k.made.Add(o)
		}
		k.made.settle()
	}
	return k.made, nil
}

// Corrects reports whether a hospital sent, after an index, what says that it
// corrects an entry. Whether it does, [Changes.Correction] says.
func (c *Changes) Corrects(hospital uint32, index, after uint64) bool {
	return slices.ContainsFunc(c.corrections[ref{hospital, index}], func(o Opened) bool { return o.Index > after })
}
