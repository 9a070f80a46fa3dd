package view

import (
	"slices"
	"strconv"

	"github.com/raresync/raresync/registry/entry"
)

// standing is what is known of a person in a group, for indicators that count persons.
type standing struct {
	there   bool           // somebody
	here    bool           // registered in the period
	best    entry.Strength // of the registrations in the period; 0: none has an identity
	first   int64          // day of the first registration, in the period or not
	several bool           // registered at several hospitals in the period

	seen, lost, sampled bool // wherever that was
	due                 bool // lives, and was registered over a year ago

	offered, treated, lacking bool // has a treatment on record in the period
	treatable                 bool // is registered in the period with a disease that somebody has been treated for
}

// readPersons counts persons for groups of each kind.
func (q Query) readPersons(out []reading, list []Indicator, p Period, kinds []By, provinces map[string]string) error {
	known, err := q.known(p)
	if err != nil {
		return err
	}
	held := map[string][]*holding{} // by hospital's number
	if err := q.each(func(hospital uint32, h *holding) { held[strconv.FormatUint(uint64(hospital), 10)] = []*holding{h} }); err != nil {
		return err
	}
	for i, by := range kinds {
		groups := map[string][]*holding{}
		for number, h := range held {
			group := by.of(number, provinces)
			groups[group] = append(groups[group], h...)
		}
		for group, of := range groups {
			known.count(of, p, q.Today(), func(one standing) {
				for _, indicator := range list {
					if counts, yes := indicator.who(one); counts {
						s := out[i].of(indicator.ID, group)
						if s.den++; yes {
							s.num++
						}
					}
				}
			})
		}
	}
	return nil
}

// count calls f with where every person of a group stands, in no order.
func (k *known) count(group []*holding, p Period, today int64, f func(standing)) {
	var order []int64
	of := func(id int64) *standing {
		for int(id) >= len(k.standing) {
			k.standing = append(k.standing, make([]standing, len(k.standing)+1024)...)
		}
		one := &k.standing[id]
		if !one.there {
			one.there, order = true, append(order, id)
		}
		return one
	}
	for _, h := range group {
		for at := range h.cases {
			if c := &h.cases[at]; c.Person != 0 {
				one := of(c.Person)
				one.register(c.Strength, int64(c.Day), c.In(p))
				one.treatable = one.treatable || c.In(p) && slices.ContainsFunc(c.Rows, k.treated.has)
			}
		}
		for _, t := range h.treatments {
			if p.has(t.Month) {
				one := of(t.Person)
				one.offered, one.treated, one.lacking = true, one.treated || t.Status == entry.TreatmentStarted, one.lacking || t.Status == entry.TreatmentNotAccessible
			}
		}
	}
	for _, id := range order {
		one := &k.standing[id]
		one.several = one.here && k.several.Has(id)
		one.seen, one.lost, one.sampled = k.seen.Has(id), k.lost.Has(id), k.sampled.Has(id)
		one.due = one.first != 0 && one.first <= today-365 && !k.dead.Has(id)
		f(*one)
		*one = standing{}
	}
}

// register takes in a registration.
func (p *standing) register(strength entry.Strength, day int64, within bool) {
	if p.first == 0 || day < p.first {
		p.first = day
	}
	if !within {
		return
	}
	p.here = true
	if strength != entry.StrengthNone && (p.best == entry.StrengthNone || strength < p.best) {
		p.best = strength
	}
}

// known are persons of whom something is known, whichever hospital said it.
type known struct {
	dead, seen, lost, sampled, several Persons
	treated                            rowSet     // diseases that somebody has been treated for
	standing                           []standing // by person, blank between groups
}

// rowSet is a set of rows of the lists, by list and number.
type rowSet [][]bool

func (s *rowSet) add(rows []entry.Row) {
	for _, r := range rows {
		for len(*s) <= int(r.List) {
			*s = append(*s, nil)
		}
		of := &(*s)[r.List]
		if n := int(r.Number) + 1; n > len(*of) {
			*of = append(*of, make([]bool, n-len(*of))...)
		}
		(*of)[r.Number] = true
	}
}

func (s rowSet) has(r entry.Row) bool {
	return int(r.List) < len(s) && int(r.Number) < len(s[r.List]) && s[r.List][r.Number]
}

// known is what all entries say of persons.
func (q Query) known(p Period) (*known, error) {
	k := &known{}
	var err error
	if k.dead, err = q.Dead(); err != nil {
		return nil, err
	}
	var once Persons
	var last []visit // by person
	err = q.each(func(_ uint32, h *holding) {
		for _, id := range h.sampled {
			k.sampled.Add(id)
		}
		for _, t := range h.treatments {
			if t.Status == entry.TreatmentStarted || t.Status == entry.TreatmentStopped {
				k.treated.add(t.Rows)
			}
		}
		for _, v := range h.visits {
			if int64(v.day) > q.Today()-365 {
				k.seen.Add(v.person)
			}
			for int(v.person) >= len(last) {
				last = append(last, make([]visit, len(last)+1024)...)
			}
			if was := last[v.person]; was.person == 0 || v.day > was.day || v.day == was.day && v.index > was.index {
				last[v.person] = v
			}
		}
		var here Persons // at this hospital, in the period
		for at := range h.cases {
			if c := &h.cases[at]; c.In(p) && !here.Has(c.Person) {
				here.Add(c.Person)
				if once.Has(c.Person) {
					k.several.Add(c.Person)
				}
			}
		}
		for at := range h.cases {
			if c := &h.cases[at]; c.In(p) {
				once.Add(c.Person)
			}
		}
	})
	for _, v := range last {
		if v.lost {
			k.lost.Add(v.person)
		}
	}
	return k, err
}
