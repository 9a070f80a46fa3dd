package view

import (
	"slices"
	"strconv"

	"github.com/raresync/raresync/registry/entry"
)

// Groups are the figures of an indicator by group: a hospital's number, a province's
// two digits, or "" for the nation. A group without anything to count is not there.
type Groups map[string]Figure

// Figures returns an indicator of every group.
func (q Query) Figures(i Indicator, by By, p Period) (Groups, error) {
	all, err := q.read([]Indicator{i}, p, by)
	if err != nil {
		return nil, err
	}
	return i.groups(all[0][i.ID]), nil
}

// AllFigures returns all indicators, by id, over the groups of one kind and, beside
// them, over hospitals. What several are counted from is read once.
func (q Query) AllFigures(by By, p Period) (of, hospitals map[string]Groups, err error) {
	if had, ok := q.all[allOf{by, p}]; ok {
		return had[0], had[1], nil
	}
	all, err := q.read(Indicators(), p, by, ByHospital)
	if err != nil {
		return nil, nil, err
	}
	of, hospitals = map[string]Groups{}, map[string]Groups{}
	for _, i := range indicators() {
		of[i.ID], hospitals[i.ID] = i.groups(all[0][i.ID]), i.groups(all[1][i.ID])
	}
	q.all[allOf{by, p}] = [2]map[string]Groups{of, hospitals}
	return of, hospitals, nil
}

// allOf is what all indicators were asked for: a page asks the same twice.
type allOf struct {
	by By
	p  Period
}

// sums are what was counted of one indicator and group.
type sums struct {
	num, den int64
	values   []int64 // of a quantile
}

// reading is what was counted, by indicator and group.
type reading map[string]map[string]*sums

func (r reading) of(id, group string) *sums {
	s := r[id][group]
	if s == nil {
		s = &sums{}
		if r[id] == nil {
			r[id] = map[string]*sums{}
		}
		r[id][group] = s
	}
	return s
}

// read counts some indicators over groups of several kinds. What a hospital's cases
// come to is counted once: those of larger groups follow. Persons do not add up, they
// are counted for each.
func (q Query) read(list []Indicator, p Period, kinds ...By) ([]reading, error) {
	provinces, err := q.provinces()
	if err != nil {
		return nil, err
	}
	hospitals := reading{}
	var people []Indicator
	for _, i := range list {
		if i.who != nil {
			people = append(people, i)
		}
	}
	today := q.Today()
	if err := q.each(func(number uint32, h *holding) {
		for _, i := range list {
			if s := h.count(i, p, today); s.den != 0 || s.num != 0 || len(s.values) > 0 {
				*hospitals.of(i.ID, strconv.FormatUint(uint64(number), 10)) = s
			}
		}
	}); err != nil {
		return nil, err
	}
	all := make([]reading, len(kinds))
	for at, by := range kinds {
		all[at] = reading{}
		for id, groups := range hospitals {
			for number, s := range groups {
				all[at].of(id, by.of(number, provinces)).add(*s)
			}
		}
	}
	if len(people) == 0 {
		return all, nil
	}
	return all, q.readPersons(all, people, p, kinds, provinces)
}

func (s *sums) add(o sums) {
	s.num, s.den = s.num+o.num, s.den+o.den
	s.values = append(s.values, o.values...)
}

// of is the group of a kind that a hospital belongs to.
func (b By) of(hospital string, provinces map[string]string) string {
	switch b {
	case ByHospital:
		return hospital
	case ByProvince:
		return provinces[hospital]
	}
	return ""
}

// Provinces are the provinces of hospitals, by their numbers.
func (q Query) Provinces() (map[uint32]string, error) {
	out := map[uint32]string{}
	return out, q.Each(`SELECT number, province FROM hospitals`, func(row Row) error {
		var number uint32
		var province string
		err := row(&number, &province)
		out[number] = province
		return err
	})
}

// provinces are the provinces of hospitals by their numbers.
func (q Query) provinces() (map[string]string, error) {
	out := map[string]string{}
	return out, q.Each(`SELECT number, province FROM hospitals`, func(row Row) error {
		var number, province string
		err := row(&number, &province)
		out[number] = province
		return err
	})
}

// count counts an indicator at one hospital.
func (h *holding) count(i Indicator, p Period, today int64) (s sums) {
	switch {
	case i.of != nil:
		for at := range h.cases {
			if c := &h.cases[at]; c.In(p) {
				num, den := i.of(c)
				s.num, s.den = s.num+num, s.den+den
			}
		}
	case i.value != nil:
		for at := range h.cases {
			if c := &h.cases[at]; c.In(p) {
				if v, given := i.value(c); given {
					s.values = append(s.values, v)
				}
			}
		}
	case i.sent != nil:
		for _, m := range h.marks {
			if i.now || p.has(m.month) {
				num, den := i.sent(m, today)
				s.num, s.den = s.num+num*m.n, s.den+den*m.n
			}
		}
	case i.silent && len(h.marks) > 0:
		last := h.marks[0].day
		for _, m := range h.marks {
			last = max(last, m.day)
		}
		s.values = []int64{today - int64(last)}
	case i.refused:
		for _, t := range h.intakes {
			if p.has(t.month) {
				s.num, s.den = s.num+t.refused, s.den+t.offered
			}
		}
	case i.repeats:
		s.num, s.den = h.repeats(p)
	}
	return s
}

// repeats counts the registrations of a person and row of the lists beyond the first,
// among all such.
func (h *holding) repeats(p Period) (num, den int64) {
	type registered struct {
		person int64
		row    entry.Row
	}
	had := map[registered]bool{}
	for at := range h.cases {
		c := &h.cases[at]
		if c.Person == 0 || !c.In(p) {
			continue
		}
		for _, r := range c.Rows {
			key := registered{c.Person, r}
			if den++; had[key] {
				num++
			}
			had[key] = true
		}
	}
	return num, den
}

// groups computes figures from what was counted.
func (i Indicator) groups(read map[string]*sums) Groups {
	out := Groups{}
	for g, s := range read {
		f := Figure{Num: s.num, Den: s.den}
		switch {
		case i.Quantile() && len(s.values) > 0:
			slices.Sort(s.values)
			if i.silent {
				s.values = s.values[:1]
			}
			v, _ := Quantile(s.values, i.share)
			f = Figure{Den: int64(len(s.values)), Value: float64(v)}
		case f.Den > 0:
			f.Value = 100 * float64(f.Num) / float64(f.Den)
		}
		if f.Shown = f.Den >= LeastDenominator || i.Quantile() && i.now; f.Den > 0 {
			out[g] = f
		}
	}
	return out
}
