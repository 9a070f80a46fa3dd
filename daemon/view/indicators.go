package view

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/raresync/raresync/registry/entry"
)

// By says over what an indicator is taken.
type By string

// The groups that indicators are taken over.
const (
	ByHospital By = "hospital"
	ByProvince By = "province"
	ByNation   By = "nation"
)

// Period is a run of months in which entries came into the log, both ends among
// them. The zero Period is all of the log.
type Period struct{ From, To Month }

// has reports whether a month is of the period.
func (p Period) has(month int32) bool {
	return p == (Period{}) || int64(p.From) <= int64(month) && int64(month) <= int64(p.To)
}

// Holds reports whether a log time in ms is of the period.
func (p Period) Holds(logTime uint64) bool { return p.has(int32(monthOf(logTime))) }

// Unit is what an indicator's value counts.
type Unit string

// The units.
const (
	Percent Unit = "percent"
	Days    Unit = "days"
	Months  Unit = "months"
)

// Figure is an indicator of one group. A share has its numerator and denominator, a
// quantile its value and of how many it is one.
type Figure struct {
	Num, Den int64
	Value    float64
	Shown    bool // Den is at least [LeastDenominator]
}

// LeastDenominator is of how many an indicator must be, or it is not shown.
const LeastDenominator = 5

// Indicator is one of docs/DATA-DICTIONARY.md: its id is there. One of of, value, sent,
// silent, refused, repeats and who is set: what it is counted from.
type Indicator struct {
	ID     string
	Unit   Unit
	share  float64 // of a quantile; 0 of a share
	now    bool    // of today: a period does not change it
	public bool    // it follows from what the log shows every node

	of      func(*Case) (num, den int64)
	value   func(*Case) (v int64, given bool)          // of a quantile
	sent    func(m mark, today int64) (num, den int64) // of entries, whatever became of them
	silent  bool                                       // days since the last of them; of several hospitals' the least counts
	refused bool                                       // of what hospitals were handed
	repeats bool                                       // registrations of a person, hospital and row beyond the first
	who     func(standing) (counts, yes bool)          // of persons
}

// Duty is the first day from which hospitals were to register every new case as
// they find it. What was diagnosed before counts as retrospective.
func Duty() entry.Date { return entry.Date{Year: 2019, Month: 11, Day: 1} }

// Indicators are all that the entries carry, in the order of their ids.
func Indicators() []Indicator { return indicators() }

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// share counts the cases that are of a kind among those that may be.
func share(of func(c *Case) (may, is bool)) func(*Case) (num, den int64) {
	return func(c *Case) (num, den int64) {
		may, is := of(c)
		return one(may && is), one(may)
	}
}

// anyCase counts the cases that are of a kind among all.
func anyCase(is func(c *Case) bool) func(*Case) (num, den int64) {
	return share(func(c *Case) (bool, bool) { return true, is(c) })
}

// since is the days from diagnosis to registration of a case that was to be registered
// as it was found.
func since(c *Case) (days int64, due bool) {
	return int64(max(c.Day-c.Diagnosed, 0)), Known(c.Diagnosed) && int64(c.Diagnosed) >= dayNumber(Duty())
}

func within(days int64) func(*Case) (num, den int64) {
	return share(func(c *Case) (bool, bool) { took, due := since(c); return due, took <= days })
}

func (m mark) use() bool       { return m.sound && m.stopped&entry.ScopeRegistry == 0 }
func (m mark) registers() bool { return m.sound && m.kind == entry.TypeCase }

func indicators() []Indicator {
	return []Indicator{
		{ID: "Q1", Unit: Percent, of: func(c *Case) (int64, int64) { return int64(c.Needed - c.Missing), int64(c.Needed) }},
		{ID: "Q2.features", Unit: Percent, of: anyCase(func(c *Case) bool { return c.Features })},
		{ID: "Q2.genetics", Unit: Percent, of: anyCase(func(c *Case) bool { return c.Tested })},
		{ID: "Q2.onset", Unit: Percent, of: anyCase(func(c *Case) bool { return c.Onset })},
		{ID: "Q2.contact", Unit: Percent, of: anyCase(func(c *Case) bool { return c.Contact })},
		{ID: "Q3.median", Unit: Days, share: 0.5, value: since},
		{ID: "Q3.p90", Unit: Days, share: 0.9, value: since},
		{ID: "Q3.in7", Unit: Percent, of: within(7)},
		{ID: "Q3.in30", Unit: Percent, of: within(30)},
		{ID: "Q3.retrospective", Unit: Percent, of: share(func(c *Case) (bool, bool) { _, due := since(c); return Known(c.Diagnosed), !due })},
		{ID: "Q4", Unit: Percent, refused: true},
		{ID: "Q5", Unit: Percent, of: anyCase(func(c *Case) bool { return c.Queried })},
		{ID: "Q6.duplicates", Unit: Percent, repeats: true},
		{ID: "Q6.elsewhere", Unit: Percent, who: func(p standing) (bool, bool) { return p.here, p.several }},
		{ID: "Q7", Unit: Percent, who: func(p standing) (bool, bool) { return p.best > 0, p.best > entry.StrengthStrong }},
		{ID: "Q8", Unit: Percent, of: share(func(c *Case) (bool, bool) { return c.Disease, c.Coded })},
		{ID: "Q9.median", Unit: Months, share: 0.5, value: func(c *Case) (int64, bool) { return int64(c.Delay), Known(c.Delay) }},
		{ID: "Q9.over4y", Unit: Percent, of: share(func(c *Case) (bool, bool) { return Known(c.Delay), c.Delay > 48 })},
		{ID: "Q10", Unit: Percent, of: share(func(c *Case) (bool, bool) { return c.Genetic, c.Verification == uint8(entry.Genetic) })},
		{ID: "Q11.seen", Unit: Percent, now: true, who: func(p standing) (bool, bool) { return p.due, p.seen }},
		{ID: "Q11.lost", Unit: Percent, now: true, who: func(p standing) (bool, bool) { return p.due, p.lost }},
		{ID: "Q12", Unit: Percent, who: func(p standing) (bool, bool) { return p.here, p.sampled }},
		{ID: "Q13.reached", Unit: Percent, who: func(p standing) (bool, bool) { return p.treatable, p.treated }},
		{ID: "Q13.treated", Unit: Percent, who: func(p standing) (bool, bool) { return p.offered, p.treated }},
		{ID: "Q13.lacking", Unit: Percent, who: func(p standing) (bool, bool) { return p.offered, p.lacking }},
		{ID: "Q14", Unit: Percent, sent: func(m mark, _ int64) (int64, int64) { return one(m.registers() && m.stopped == 0), one(m.registers()) }},
		{ID: "Q15.silent", Unit: Days, now: true, public: true, share: 1, silent: true},
		{ID: "Q15.recent", Unit: Percent, now: true, public: true, sent: func(m mark, today int64) (int64, int64) {
			day := int64(m.day)
			return 3 * one(day > today-30), one(day <= today-30 && day > today-120)
		}},
		{ID: "Q16", Unit: Percent, sent: func(m mark, _ int64) (int64, int64) {
			return one(m.use() && m.kind == entry.TypeCorrection), one(m.use() && m.kind >= entry.TypeCase && m.kind <= entry.TypeReferral)
		}},
	}
}

// OverHospitals returns the median of an indicator over those hospitals for which it
// is shown, all of them or one province's, and how many these are.
func OverHospitals(of map[string]Figure, hospitals func(number string) bool) (median float64, n int) {
	var values []float64
	for number, f := range of {
		if f.Shown && hospitals(number) {
			values = append(values, f.Value)
		}
	}
	median, _ = Median(values)
	return median, len(values)
}

// Public reports whether the indicator follows from what the log shows every node:
// who sent something when.
func (i Indicator) Public() bool { return i.public }

// most is how many rules are named that refused rows.
const most = 5

// RuleRefusals calls f with each rule that refused rows of what a group's hospitals were
// handed in a period, and how many, the most frequent first, at most five.
func (q Query) RuleRefusals(by By, group string, p Period, f func(code string, n int64)) error {
	all, err := q.add(by, group, p, func(h *holding) []Finding { return h.refused })
	for _, one := range all[:min(most, len(all))] {
		f(one.Code, one.N)
	}
	return err
}

// Quantile reports whether the indicator is a quantile, and not a share.
func (i Indicator) Quantile() bool { return i.share != 0 }

// Missing calls f with each field that a profile needs and registrations lack, and
// in how many, the most frequent first.
func (q Query) Missing(by By, group string, p Period, f func(field string, n int64)) error {
	all, err := q.add(by, group, p, func(h *holding) []Finding { return h.missing })
	for _, one := range all {
		f(one.Field, one.N)
	}
	return err
}

// add adds up findings of a group by code and field, the most frequent first.
func (q Query) add(by By, group string, p Period, of func(*holding) []Finding) ([]Finding, error) {
	provinces, err := q.provinces()
	if err != nil {
		return nil, err
	}
	sums := map[[2]string]int64{}
	if err := q.each(func(hospital uint32, h *holding) {
		if by.of(strconv.FormatUint(uint64(hospital), 10), provinces) != group {
			return
		}
		for _, one := range of(h) {
			if p.has(one.Month) {
				sums[[2]string{one.Code, one.Field}] += one.N
			}
		}
	}); err != nil {
		return nil, err
	}
	out := make([]Finding, 0, len(sums))
	for key, n := range sums {
		out = append(out, Finding{Code: key[0], Field: key[1], N: n})
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Field, b.Field))
	})
	return out, nil
}
