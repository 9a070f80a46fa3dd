package reader

import "context"

// Persons is what a count found. The entries that this institution may open
// are all that it is about.
type Persons struct {
	Persons      int // with at least one case; those of one person are joined by links
	TwoHospitals int // of them, with cases at more than one hospital
	Cases        int // registrations
	Nameless     int // of them, without a pseudonym: nobody can say whose
	Unopened     int // entries that did not open and are not counted
	Undone       int // links that their hospital has taken back
	Corrected    int // entries that count as a later one corrects them
	Stopped      int // entries that patients want left out, and that are
	Links        []Link
}

// Link is a link that its hospital has not undone.
type Link struct {
	Index    uint64
	Hospital uint32
	Refused  string   // AL001 or AL003 if it is not honoured
	Flags    []string // AL005, AL006: what the persons it joined disagree on; AL007
}

// Persons counts persons over everything this institution may open. The
// figures follow from the log alone: every reader with the same rights counts
// the same at the same tree size.
func (r *Reader) Persons(ctx context.Context) (Persons, error) {
	t, err := r.tally(ctx, 0, &Tally{})
	if err != nil {
		return Persons{}, err
	}
	return t.Count(), nil
}

// Own collects this institution's own entries, also those whose use is stopped:
// it must find its patient again.
func (r *Reader) Own(ctx context.Context) (*Tally, error) {
	return r.tally(ctx, r.cfg.Institution, &Tally{whole: true})
}

func (r *Reader) tally(ctx context.Context, hospital uint32, t *Tally) (*Tally, error) {
	for o, err := range r.entries(ctx, hospital, 0, 0) {
		if err != nil {
			return nil, err
		}
		t.Add(o)
	}
	return t, nil
}

// Count joins what links join and counts persons. Links are taken in the order
// of the log; one is honoured if its hospital has an entry under one of its
// two pseudonyms, wherever in the log that entry is, and if the person it makes
// has at most MostPseudonyms.
func (t *Tally) Count() Persons {
	links, undone := t.standing()
	j := joined{}
	out := Persons{Cases: t.nameless, Nameless: t.nameless, Unopened: t.unread, Undone: undone}
	for _, o := range links {
		link := Link{Index: o.Index, Hospital: o.Hospital}
		link.Refused, link.Flags = t.honour(j, o)
		out.Links = append(out.Links, link)
	}
	for p, s := range t.all() {
		if j[p] == nil {
			out.add(s.stays)
		}
	}
	for _, one := range j.persons() {
		out.add(t.staysOf(one))
	}
	out.Corrected, out.Stopped = t.revised, t.stopped
	return out
}

// honour carries out one link, or says why not.
func (t *Tally) honour(j joined, o Opened) (refused string, flags []string) {
	pair := o.Entry.Alias.Pair()
	first, _ := t.At(o.Hospital, pair[0])
	second, _ := t.At(o.Hospital, pair[1])
	if first == 0 && second == 0 {
		return noEntry, nil
	}
	if !o.Entry.Alias.Fits() {
		flags = append(flags, unfit)
	}
	a, b := j.of(t, pair[0]), j.of(t, pair[1])
	if a == b {
		return "", flags
	}
	if len(a.pseudonyms)+len(b.pseudonyms) > MostPseudonyms {
		return tooMany, nil
	}
	flags = append(a.facts.against(b.facts), flags...)
	j.merge(a, b)
	return "", flags
}

// staysOf gathers what hospitals have under all pseudonyms of a person.
func (t *Tally) staysOf(one *person) (stays []stay) {
	for _, p := range one.pseudonyms {
		if s := t.all()[p]; s != nil {
			stays = append(stays, s.stays...)
		}
	}
	return stays
}

// add counts one person with what hospitals have of them.
func (p *Persons) add(stays []stay) {
	cases, first, several := 0, uint32(0), false
	for _, y := range stays {
		if y.cases == 0 {
			continue
		}
		cases += y.cases
		several = several || first != 0 && first != y.hospital
		first = y.hospital
	}
	if cases == 0 {
		return
	}
	p.Cases += cases
	p.Persons++
	if several {
		p.TwoHospitals++
	}
}

// Same returns the pseudonyms that honoured links join to one, itself among
// them.
func (t *Tally) Same(p [32]byte) [][32]byte {
	links, _ := t.standing()
	j := joined{}
	for _, o := range links {
		t.honour(j, o)
	}
	if one := j[p]; one != nil {
		return one.pseudonyms
	}
	return [][32]byte{p}
}

// Joined returns the persons of several pseudonyms, each with all of them, in no
// order.
func (t *Tally) Joined() (out [][][32]byte) {
	links, _ := t.standing()
	j := joined{}
	for _, o := range links {
		t.honour(j, o)
	}
	for _, one := range j.persons() {
		if len(one.pseudonyms) > 1 {
			out = append(out, one.pseudonyms)
		}
	}
	return out
}

// person is one of several pseudonyms.
type person struct {
	pseudonyms [][32]byte
	facts      facts
}

// joined holds the person of each pseudonym that a link has named.
type joined map[[32]byte]*person

func (j joined) of(t *Tally, p [32]byte) *person {
	if j[p] == nil {
		j[p] = &person{pseudonyms: [][32]byte{p}}
		if s := t.all()[p]; s != nil {
			j[p].facts = s.facts
		}
	}
	return j[p]
}

// merge makes one person of two.
func (j joined) merge(a, b *person) {
	for _, p := range b.pseudonyms {
		j[p] = a
	}
	a.pseudonyms = append(a.pseudonyms, b.pseudonyms...)
	a.facts.join(b.facts)
}

// persons returns each once.
func (j joined) persons() []*person {
	var out []*person
	for p, one := range j {
		if one.pseudonyms[0] == p {
			out = append(out, one)
		}
	}
	return out
}
