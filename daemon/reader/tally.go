package reader

import (
	"cmp"
	"maps"
	"slices"

	"github.com/raresync/raresync/registry/entry"
)

// MostPseudonyms is how many pseudonyms may be joined to one person. A link
// that would join more is not honoured (AL003).
const MostPseudonyms = 6

// Why a link is not honoured, and why one that is honoured is flagged: codes
// of package rule.
const (
	noEntry    = "AL001" // its hospital has no entry under either pseudonym
	tooMany    = "AL003" // the person would have more than MostPseudonyms
	sexDiffers = "AL005"
	bornApart  = "AL006"
	unfit      = "AL007" // its reason does not explain two documents of these types
)

// A Tally collects entries and says how many persons they are about. Entries
// may be added in any order: what counts is their index. Corrections count for
// what they correct, and entries whose use is stopped not at all. It is not
// safe for concurrent use.
type Tally struct {
	whole    bool            // entries whose use is stopped count as well
	diseases bool            // the diseases of cases are kept, for Listed
	nowhere  []entry.Disease // likewise, of cases without a pseudonym
	notes    []note
	aliases  []Opened
	changes  Changes
	nameless int
	unread   int
	subjects map[[32]byte]*subject // of notes and changes; nil: to be worked out
	stopped  int                   // goes with subjects
	revised  int                   // likewise
}

// note is what is kept of an entry under a pseudonym, aliases apart.
type note struct {
	index     uint64
	hospital  uint32
	kind      entry.Type
	id        [32]byte
	pseudonym [32]byte
	facts     facts         // of a case
	disease   entry.Disease // likewise, if they are kept
}

// subject is what is known under one pseudonym.
type subject struct {
	stays []stay
	facts facts
}

// stay is what one hospital has under a pseudonym, its aliases apart.
type stay struct {
	hospital       uint32
	entries, cases int
}

// Add takes in an opened entry. One that did not open is counted and says
// nothing else.
func (t *Tally) Add(o Opened) {
	e := o.Entry
	t.subjects = nil
	switch {
	case o.Problem != "":
		t.unread++
	case e.Alias != nil:
		t.aliases = append(t.aliases, o)
	case e.Consent != nil, e.Correction != nil:
		t.changes.Add(o)
	case e.Pseudonym.Present:
		n := note{index: o.Index, hospital: o.Hospital, kind: e.Type, id: e.ID, pseudonym: e.Pseudonym.Value}
		if e.Case != nil {
			n.facts = factsOf(e.Case)
			n.disease = t.principal(e.Case)
		}
		t.notes = append(t.notes, n)
	case e.Case != nil:
		t.nameless++
		if t.diseases {
			t.nowhere = append(t.nowhere, t.principal(e.Case))
		}
	}
}

// all returns what is known under each pseudonym.
func (t *Tally) all() map[[32]byte]*subject {
	if t.subjects != nil {
		return t.subjects
	}
	t.subjects, t.stopped, t.revised = map[[32]byte]*subject{}, 0, 0
	for _, n := range t.notes {
		if t.changes.Stopped(n.hospital, n.index, entry.ScopeRegistry) {
			t.stopped++
			if !t.whole {
				continue
			}
		}
		if c, ok := t.corrected(n); ok {
			t.revised++
			if c.Case != nil {
				n.facts = factsOf(c.Case)
			}
		}
		s := t.subjects[n.pseudonym]
		if s == nil {
			s = &subject{}
			t.subjects[n.pseudonym] = s
		}
		s.add(n)
	}
	return t.subjects
}

// corrected returns what the newest valid correction of an entry says.
func (t *Tally) corrected(n note) (entry.Entry, bool) {
	e, _, ok := t.changes.Correction(Opened{Index: n.index, Hospital: n.hospital, Entry: entry.Entry{
		Type: n.kind, ID: n.id, Pseudonym: entry.Pseudonym{Present: true, Value: n.pseudonym},
	}})
	return e, ok
}

func (s *subject) add(n note) {
	at := slices.IndexFunc(s.stays, func(y stay) bool { return y.hospital == n.hospital })
	if at < 0 {
		at = len(s.stays)
		s.stays = append(s.stays, stay{hospital: n.hospital})
	}
	s.stays[at].entries++
	if n.kind == entry.TypeCase {
		s.stays[at].cases++
		s.facts.join(n.facts)
	}
}

// At returns how many entries a hospital has under a pseudonym, and how many
// of them are cases.
func (t *Tally) At(hospital uint32, p [32]byte) (entries, cases int) {
	if s := t.all()[p]; s != nil {
		for _, y := range s.stays {
			if y.hospital == hospital {
				return y.entries, y.cases
			}
		}
	}
	return 0, 0
}

// Pseudonyms returns all pseudonyms under which there are entries or that a
// standing link names, once each and in no order.
func (t *Tally) Pseudonyms() [][32]byte {
	named := map[[32]byte]bool{}
	links, _ := t.standing()
	for _, o := range links {
		named[o.Entry.Alias.Old], named[o.Entry.Alias.New] = true, true
	}
	for p := range t.all() {
		named[p] = true
	}
	return slices.Collect(maps.Keys(named))
}

// LastAlias returns the newest alias of two pseudonyms that a hospital sent,
// link or unlink.
func (t *Tally) LastAlias(hospital uint32, pair [2][32]byte) (last Opened, ok bool) {
	for _, o := range t.aliases {
		if o.Hospital == hospital && o.Entry.Alias.Pair() == pair && (!ok || o.Index > last.Index) {
			last, ok = o, true
		}
	}
	return last, ok
}

// standing returns the links that their hospitals have not undone, in the
// order of the log, and how many were undone. Of the aliases that a hospital
// sent of one pair the last counts; each hospital speaks for itself. Those whose
// use is stopped say nothing.
func (t *Tally) standing() (links []Opened, undone int) {
	type key struct {
		hospital uint32
		pair     [2][32]byte
	}
	sorted := slices.DeleteFunc(slices.Clone(t.aliases), func(o Opened) bool { return !t.whole && t.changes.Stopped(o.Hospital, o.Index, o.Entry.Uses()) })
	slices.SortFunc(sorted, func(a, b Opened) int { return cmp.Compare(a.Index, b.Index) })
	latest := map[key]int{} // index in links of a link that stands
	for _, o := range sorted {
		k := key{o.Hospital, o.Entry.Alias.Pair()}
		at, linked := latest[k]
		switch {
		case o.Entry.Alias.Action == entry.Link && !linked:
			latest[k] = len(links)
			links = append(links, o)
		case o.Entry.Alias.Action == entry.Unlink && linked:
			links[at].Entry.Alias = nil
			delete(latest, k)
			undone++
		}
	}
	return slices.DeleteFunc(links, func(o Opened) bool { return o.Entry.Alias == nil }), undone
}

// facts are what the cases of a person say that stays the same for life. Of
// birth months the first is kept, and whether there is another: enough to tell
// whether two persons agree.
type facts struct {
	sexes  uint8 // a bit for each
	birth  entry.Date
	births bool // more than one
}

func factsOf(c *entry.Case) (f facts) {
	if c.Sex == entry.SexMale || c.Sex == entry.SexFemale || c.Sex == entry.SexOther {
		f.sexes = 1 << c.Sex
	}
	if c.Birth.Precision() >= entry.PrecisionMonth {
		f.birth = c.Birth.YearMonth()
	}
	return f
}

func (f *facts) join(g facts) {
	f.sexes |= g.sexes
	switch {
	case !f.birth.Known():
		f.birth, f.births = g.birth, g.births
	case g.birth.Known():
		f.births = f.births || g.births || f.birth != g.birth
	}
}

// against returns the codes of what two persons' facts disagree on, where both
// are known.
func (f facts) against(g facts) (codes []string) {
	if f.sexes != 0 && g.sexes != 0 && (f.sexes != g.sexes || f.sexes&(f.sexes-1) != 0) {
		codes = append(codes, sexDiffers)
	}
	if f.birth.Known() && g.birth.Known() && (f.births || g.births || f.birth != g.birth) {
		codes = append(codes, bornApart)
	}
	return codes
}
