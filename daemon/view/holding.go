package view

import (
	"math"
	"slices"

	"github.com/raresync/raresync/registry/entry"
)

// none stands for a day or month that is not known.
const none = math.MinInt32

// Case is a registration in use. Months count from the year 0, days from 1970-01-01;
// [Known] says whether one is there.
type Case struct {
	Index                    int64
	Person                   int64 // 0: of nobody
	Hospital                 uint32
	Day                      int32 // of the log time
	Month                    int32 // of the log time
	EventMonth, Birth        int32 // months
	Diagnosed                int32 // day
	Delay                    int32 // months from onset to diagnosis
	Needed, Missing          int32 // fields
	Sex, Verification, Vital uint8
	Strength                 entry.Strength
	Features, Onset, Contact bool // given
	Disease, Coded, Queried  bool
	Genetic, Tested          bool // the disease is genetic; a result is there
	Rows                     []entry.Row
}

// Known reports whether a day or month of a [Case] is there.
func Known(v int32) bool { return v != none }

// In reports whether the case came into the log in a period.
func (c *Case) In(p Period) bool { return p.has(c.Month) }

// Of reports whether the case is of a row of the lists.
func (c *Case) Of(list, number int) bool {
	return slices.Contains(c.Rows, entry.Row{List: uint8(list), Number: uint16(number)})
}

// mark is how many entries of one kind a hospital sent on a day.
type mark struct {
	day, month int32
	kind       entry.Type
	stopped    entry.Scope
	sound      bool // they opened
	n          int64
}

// took is what a hospital was handed in a month.
type took struct {
	month            int32
	refused, offered int64
}

type visit struct {
	index, person int64
	day           int32
	lost          bool
}

// Specimen is an available one that may be used.
type Specimen struct {
	Index, Person int64 // Person 0: of nobody
	Kind          entry.SpecimenKind
	Consent       entry.Answer
	Rows          []entry.Row // of the cases that it belongs to
}

// Treatment is one that may be shown, of a person.
type Treatment struct {
	Person  int64
	Month   int32 // of the log time
	Status  entry.TreatmentStatus
	Reason  entry.StopReason
	Access  entry.Access
	Band    entry.Band  // what the person pays in a month
	Waiting int32       // months
	Rows    []entry.Row // of the cases that it belongs to
}

// Finding is how often a rule has found something at a hospital in a month.
type Finding struct {
	Hospital       uint32
	Month          int32
	Code, Severity string
	Field          string // of what is missing
	N              int64  // registrations; of what was refused, rows
}

// holding is what figures are counted from, of one hospital, as it stands in the
// database: read once and kept until the hospital's entries change, for SQL takes
// seconds over a million entries. It is never written to.
type holding struct {
	version    int64 // of the database
	cases      []Case
	marks      []mark
	intakes    []took
	dead       []int64 // persons
	sampled    []int64
	visits     []visit
	specimens  []Specimen
	treatments []Treatment
	broken     []Finding // by registrations that came in
	missing    []Finding // fields that they need
	refused    []Finding // rows that did not come in
}

// holding returns what is held of a hospital, as of the query's version.
func (q Query) holding(hospital uint32) (*holding, error) {
	v := q.view
	if q.part.Without != 0 { // what is held is not narrowed by uses
		h := q.own[hospital]
		if h == nil {
			h = &holding{version: q.version}
			if err := q.load(h, hospital); err != nil {
				return nil, err
			}
			q.own[hospital] = h
		}
		return h, nil
	}
	kept := func() *holding {
		v.mu.Lock()
		defer v.mu.Unlock()
		if h := v.held[hospital]; h != nil && h.version >= v.changed[hospital] && v.changed[hospital] <= q.version {
			return h
		}
		return nil
	}
	if h := kept(); h != nil {
		return h, nil
	}
	v.holding.Lock() // two who look at once read it once
	defer v.holding.Unlock()
	if h := kept(); h != nil {
		return h, nil
	}
	h := &holding{version: q.version}
	if err := q.load(h, hospital); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if q.version >= v.changed[hospital] {
		v.held[hospital] = h
	}
	return h, nil
}

// each calls f with what is held of every hospital that the query sees, by their
// numbers.
func (q Query) each(f func(hospital uint32, h *holding)) error {
	hospitals, err := q.hospitals()
	if err != nil {
		return err
	}
	for _, n := range hospitals {
		h, err := q.holding(n)
		if err != nil {
			return err
		}
		f(n, h)
	}
	return nil
}

// hospitals are the numbers of the hospitals that the query sees, ascending; readers
// are none, though they send queries and letters.
func (q Query) hospitals() (out []uint32, err error) {
	err = q.Each(`SELECT number FROM hospitals WHERE NOT other ORDER BY 1`, func(row Row) error {
		var n uint32
		err := row(&n)
		out = append(out, n)
		return err
	})
	return out, err
}

// Cases calls f with every registration in use, hospital by hospital. What f is given
// is not to be changed.
func (q Query) Cases(f func(*Case)) error {
	return q.each(func(_ uint32, h *holding) {
		for i := range h.cases {
			f(&h.cases[i])
		}
	})
}

// Specimens calls f with every available specimen that may be used.
func (q Query) Specimens(f func(*Specimen)) error {
	return q.each(func(_ uint32, h *holding) {
		for i := range h.specimens {
			f(&h.specimens[i])
		}
	})
}

// Treatments calls f with every treatment of a person that may be shown.
func (q Query) Treatments(f func(*Treatment)) error {
	return q.each(func(_ uint32, h *holding) {
		for i := range h.treatments {
			f(&h.treatments[i])
		}
	})
}

// Dead are the persons that an entry says have died.
func (q Query) Dead() (Persons, error) {
	dead := Persons{}
	return dead, q.each(func(_ uint32, h *holding) {
		for _, p := range h.dead {
			dead.Add(p)
		}
		for i := range h.cases {
			if c := &h.cases[i]; c.Vital == uint8(entry.Dead) {
				dead.Add(c.Person)
			}
		}
	})
}

// Sampled calls f with the persons of specimens that may be used, several times maybe.
func (q Query) Sampled(f func(person int64)) error {
	return q.each(func(_ uint32, h *holding) {
		for _, id := range h.sampled {
			f(id)
		}
	})
}

// Findings calls f with what rules found in registrations, of each hospital and month.
func (q Query) Findings(f func(Finding)) error {
	return q.each(func(_ uint32, h *holding) {
		for _, one := range h.broken {
			f(one)
		}
	})
}

// SentOn calls f with how many entries a hospital sent on each day, whatever became of
// them; a day may come several times.
func (q Query) SentOn(f func(hospital uint32, day int32, n int64)) error {
	return q.each(func(hospital uint32, h *holding) {
		for _, m := range h.marks {
			f(hospital, m.day, m.n)
		}
	})
}

// Persons is a set of persons. Their numbers are dense.
type Persons struct {
	bits []uint64
	n    int64
}

// Add adds a person; 0 is nobody.
func (p *Persons) Add(id int64) {
	if at := int(id / 64); id > 0 && !p.Has(id) {
		if at >= len(p.bits) {
			p.bits = append(p.bits, make([]uint64, at+1-len(p.bits))...)
		}
		p.bits[at] |= 1 << (id % 64)
		p.n++
	}
}

// Has reports whether a person is in the set.
func (p *Persons) Has(id int64) bool {
	at := int(id / 64)
	return id > 0 && at < len(p.bits) && p.bits[at]&(1<<(id%64)) != 0
}

// Len is how many persons are in the set.
func (p *Persons) Len() int64 { return p.n }
