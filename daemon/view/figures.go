package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	all, err := q.read(Indicators(), p, by, ByHospital)
	if err != nil {
		return nil, nil, err
	}
	of, hospitals = map[string]Groups{}, map[string]Groups{}
	for _, i := range indicators {
		of[i.ID], hospitals[i.ID] = i.groups(all[0][i.ID]), i.groups(all[1][i.ID])
	}
	return of, hospitals, nil
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

// read counts some indicators over groups of several kinds. What a hospital's rows
// come to is read once: those of larger groups follow. Persons do not add up, they
// are counted for each.
func (q Query) read(list []Indicator, p Period, kinds ...By) ([]reading, error) {
	provinces, err := q.provinces()
	if err != nil {
		return nil, err
	}
	hospitals := reading{}
	var people []Indicator
	for _, from := range []source{ofCases, ofEntries, ofIntakes, ofLast, ofRecent} {
		if err := q.readSource(hospitals, from, slices.DeleteFunc(slices.Clone(list), func(i Indicator) bool { return i.source != from }), p); err != nil {
			return nil, err
		}
	}
	for _, i := range list {
		switch {
		case i.who != nil:
			people = append(people, i)
		case i.source == ofRepeats:
			if err := q.readRepeats(hospitals, i.ID, p); err != nil {
				return nil, err
			}
		}
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

// fill puts a period and the days of a query in their places.
func (q Query) fill(query string, p Period) string {
	return strings.NewReplacer("{p}", p.condition(), "{today}", fmt.Sprint(q.Today()), "{duty}", fmt.Sprint(dayNumber(Duty()))).Replace(query)
}

// readSource reads what some indicators of one source come to at each hospital.
func (q Query) readSource(out reading, from source, list []Indicator, p Period) error {
	if len(list) == 0 {
		return nil
	}
	var terms []string // each once
	at := func(term string) int {
		if i := slices.Index(terms, term); i >= 0 {
			return i
		}
		terms = append(terms, term)
		return len(terms) - 1
	}
	num, den := make([]int, len(list)), make([]int, len(list))
	for i, indicator := range list {
		num[i] = at(indicator.num)
		if !indicator.Quantile() {
			den[i] = at(indicator.den)
		}
	}
	var hospital int64
	values := make([]any, len(terms)) // whole numbers, or NULL
	into := []any{&hospital}
	for i := range values {
		into = append(into, &values[i])
	}
	known := map[int64][]*sums{} // by hospital, as in list
	return q.Each(q.fill(strings.ReplaceAll(string(from), "{f}", strings.Join(terms, ", ")), p), func(row Row) error {
		if err := row(into...); err != nil {
			return err
		}
		mine := known[hospital]
		if mine == nil {
			for _, i := range list {
				mine = append(mine, out.of(i.ID, strconv.FormatInt(hospital, 10)))
			}
			known[hospital] = mine
		}
		for i, s := range mine {
			n, given := values[num[i]].(int64)
			switch {
			case !list[i].Quantile():
				of, _ := values[den[i]].(int64)
				s.num, s.den = s.num+n, s.den+of
			case given:
				s.values = append(s.values, n)
			}
		}
		return nil
	})
}

// groups computes figures from what was counted.
func (i Indicator) groups(read map[string]*sums) Groups {
	out := Groups{}
	for g, s := range read {
		f := Figure{Num: s.num, Den: s.den}
		switch {
		case i.Quantile() && len(s.values) > 0:
			slices.Sort(s.values)
			if i.least {
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
