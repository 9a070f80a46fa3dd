package view

import (
	"strconv"

	"github.com/raresync/raresync/registry/entry"
)

// standing is what is known of a person in a group, for indicators that count persons.
type standing struct {
	here    bool           // registered in the period
	best    entry.Strength // of the registrations in the period; 0: none has an identity
	first   int64          // day of the first registration, in the period or not
	several bool           // registered at several hospitals in the period

	seen, lost, sampled bool // wherever that was
	due                 bool // lives, and was registered over a year ago

	offered, treated, lacking bool // has a treatment on record in the period
}

// placed is a person in a group.
type placed struct {
	group string
	id    int64
}

// readPersons counts persons for groups of each kind.
func (q Query) readPersons(out []reading, list []Indicator, p Period, kinds []By, provinces map[string]string) error {
	of := make([]map[placed]*standing, len(kinds))
	for i := range of {
		of[i] = map[placed]*standing{}
	}
	each := func(hospital, id int64, f func(*standing)) {
		number := strconv.FormatInt(hospital, 10)
		for i, by := range kinds {
			at := placed{by.of(number, provinces), id}
			one := of[i][at]
			if one == nil {
				one = &standing{}
				of[i][at] = one
			}
			f(one)
		}
	}
	known, err := q.known()
	if err != nil {
		return err
	}
	where := map[int64]int64{} // the hospital of a person in the period; 0: several
	err = q.Each(q.fill(`SELECT r.hospital, r.person, r.strength, r.day, r.vital = 2, {p} FROM registrations r WHERE r.person IS NOT NULL`, p), func(row Row) error {
		var hospital, id, day int64
		var strength entry.Strength
		var dead, within bool
		if err := row(&hospital, &id, &strength, &day, &dead, &within); err != nil {
			return err
		}
		if dead {
			known.dead[id] = true
		}
		if was, ok := where[id]; within && ok && was != hospital {
			where[id] = 0
		} else if within {
			where[id] = hospital
		}
		each(hospital, id, func(one *standing) { one.register(strength, day, within) })
		return nil
	})
	if err != nil {
		return err
	}
	if err := q.Each(q.fill(`SELECT r.hospital, r.person, t.status FROM treatments t JOIN live r ON r.idx = t.idx
		WHERE {p} AND r.person IS NOT NULL AND r.stopped & 16 = 0`, p), func(row Row) error {
		var hospital, id int64
		var status entry.TreatmentStatus
		if err := row(&hospital, &id, &status); err != nil {
			return err
		}
		each(hospital, id, func(one *standing) {
			one.offered, one.treated, one.lacking = true, one.treated || status == entry.TreatmentStarted, one.lacking || status == entry.TreatmentNotAccessible
		})
		return nil
	}); err != nil {
		return err
	}
	for i := range kinds {
		for in, one := range of[i] {
			one.several = one.here && where[in.id] == 0
			one.seen, one.lost, one.sampled = known.seen[in.id], known.lost[in.id], known.sampled[in.id]
			one.due = one.first != 0 && one.first <= q.Today()-365 && !known.dead[in.id]
			for _, indicator := range list {
				if counts, yes := indicator.who(*one); counts {
					s := out[i].of(indicator.ID, in.group)
					s.den++
					if yes {
						s.num++
					}
				}
			}
		}
	}
	return nil
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
type known struct{ dead, seen, lost, sampled map[int64]bool }

// known is what entries beside registrations say.
func (q Query) known() (known, error) {
	k := known{map[int64]bool{}, map[int64]bool{}, map[int64]bool{}, map[int64]bool{}}
	for _, of := range []struct {
		into  map[int64]bool
		query string
	}{
		{k.dead, `SELECT e.person FROM deaths d JOIN live e ON e.idx = d.idx WHERE e.person IS NOT NULL`},
		{k.sampled, `SELECT e.person FROM specimens s JOIN live e ON e.idx = s.idx WHERE e.person IS NOT NULL AND e.stopped & 8 = 0`},
	} {
		if err := q.Each(of.query, func(row Row) error {
			var id int64
			err := row(&id)
			of.into[id] = true
			return err
		}); err != nil {
			return k, err
		}
	}
	last := map[int64]int64{} // day of a person's last visit
	return k, q.Each(`SELECT e.person, e.event, v.vital FROM visits v JOIN live e ON e.idx = v.idx
		WHERE e.person IS NOT NULL AND e.event IS NOT NULL ORDER BY v.idx`, func(row Row) error {
		var id, day int64
		var vital entry.Vital
		if err := row(&id, &day, &vital); err != nil {
			return err
		}
		if day > q.Today()-365 {
			k.seen[id] = true
		}
		if was, ok := last[id]; !ok || day >= was {
			last[id], k.lost[id] = day, vital == entry.Lost
		}
		return nil
	})
}

// readRepeats counts the registrations of a person, hospital and row of the lists
// beyond the first.
func (q Query) readRepeats(out reading, id string, p Period) error {
	type registered struct{ hospital, person, list, number int64 }
	had := map[registered]bool{}
	return q.Each(q.fill(string(ofRepeats), p), func(row Row) error {
		var r registered
		if err := row(&r.hospital, &r.person, &r.list, &r.number); err != nil {
			return err
		}
		s := out.of(id, strconv.FormatInt(r.hospital, 10))
		if s.den++; had[r] {
			s.num++
		}
		had[r] = true
		return nil
	})
}
