package view

import (
	"fmt"
	"slices"
	"strings"

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

// group is the expression by which the rows of r are grouped.
func (b By) group() string {
	switch b {
	case ByHospital:
		return "CAST(r.hospital AS TEXT)"
	case ByProvince:
		return "r.province"
	}
	return "''"
}

// Period is a run of months in which entries came into the log, both ends among
// them. The zero Period is all of the log.
type Period struct{ From, To Month }

func (p Period) condition() string {
	if p == (Period{}) {
		return "1 = 1"
	}
	return fmt.Sprintf("r.month BETWEEN %d AND %d", p.From, p.To)
}

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

// Indicator is one of docs/DATA-DICTIONARY.md: its id is there.
type Indicator struct {
	ID    string
	Unit  Unit
	share float64 // of a quantile; 0 of a share
	now   bool    // of today: a period does not change it
	query string
}

// Duty is the first day from which hospitals were to register every new case as
// they find it. What was diagnosed before counts as retrospective.
func Duty() entry.Date { return entry.Date{Year: 2019, Month: 11, Day: 1} }

// In queries {g} is the group, {p} the period, {today} and {duty} are days.
const (
	fromCases   = ` FROM registrations r WHERE {p} `
	fromPersons = ` FROM (SELECT DISTINCT {g} AS g, r.person FROM registrations r WHERE {p} AND r.person IS NOT NULL) r `
	newCases    = ` FROM registrations r WHERE {p} AND r.diagnosed >= {duty} `
	// of persons who live and were registered over a year ago
	due = ` FROM (SELECT {g} AS g, r.person FROM registrations r WHERE r.person IS NOT NULL AND r.person NOT IN (SELECT person FROM dead)
		GROUP BY 1, 2 HAVING min(r.day) <= {today} - 365) r `
	treated = ` FROM (SELECT {g} AS g, r.person, max(t.status = 1) AS has, max(t.status = 4) AS lacks FROM treatments t JOIN facts r ON r.idx = t.idx
		WHERE {p} AND r.person IS NOT NULL AND r.stopped & 16 = 0 GROUP BY 1, 2) `
)

// Indicators are all that the entries carry, in the order of their ids.
func Indicators() []Indicator { return slices.Clone(indicators[:]) }

var indicators = [...]Indicator{
	{ID: "Q1", Unit: Percent, query: `SELECT {g}, sum(r.needed - r.missing), sum(r.needed)` + fromCases + `GROUP BY 1`},
	{ID: "Q2.features", Unit: Percent, query: `SELECT {g}, sum(r.hpo), count(*)` + fromCases + `GROUP BY 1`},
	{ID: "Q2.genetics", Unit: Percent, query: `SELECT {g}, sum(EXISTS (SELECT 1 FROM genetics x JOIN live l ON l.idx = x.idx
		WHERE x.of_case = r.id AND +l.hospital = r.hospital AND x.result IN (1, 2, 3))), count(*)` + fromCases + `GROUP BY 1`},
	{ID: "Q2.onset", Unit: Percent, query: `SELECT {g}, sum(r.onset_given), count(*)` + fromCases + `GROUP BY 1`},
	{ID: "Q2.contact", Unit: Percent, query: `SELECT {g}, sum(r.contact), count(*)` + fromCases + `GROUP BY 1`},
	{ID: "Q3.median", Unit: Days, share: 0.5, query: `SELECT {g}, max(r.day - r.diagnosed, 0)` + newCases},
	{ID: "Q3.p90", Unit: Days, share: 0.9, query: `SELECT {g}, max(r.day - r.diagnosed, 0)` + newCases},
	{ID: "Q3.in7", Unit: Percent, query: `SELECT {g}, sum(r.day - r.diagnosed <= 7), count(*)` + newCases + `GROUP BY 1`},
	{ID: "Q3.in30", Unit: Percent, query: `SELECT {g}, sum(r.day - r.diagnosed <= 30), count(*)` + newCases + `GROUP BY 1`},
	{ID: "Q3.retrospective", Unit: Percent, query: `SELECT {g}, sum(r.diagnosed < {duty}), count(*)` + fromCases + `AND r.diagnosed IS NOT NULL GROUP BY 1`},
	{ID: "Q5", Unit: Percent, query: `SELECT {g}, sum(r.queried), count(*)` + fromCases + `GROUP BY 1`},
	{ID: "Q6.duplicates", Unit: Percent, query: `SELECT g, sum(n - 1), sum(n) FROM (SELECT {g} AS g, count(*) AS n FROM registrations r
		JOIN case_rows x ON x.idx = r.idx WHERE {p} AND r.person IS NOT NULL GROUP BY 1, r.hospital, r.person, x.list, x.number) GROUP BY 1`},
	{ID: "Q6.elsewhere", Unit: Percent, query: `SELECT g, sum(r.person IN (SELECT person FROM registrations r WHERE {p} AND person IS NOT NULL
		GROUP BY person HAVING count(DISTINCT hospital) > 1)), count(*)` + fromPersons + `GROUP BY 1`},
	{ID: "Q7", Unit: Percent, query: `SELECT g, sum(best > 1), count(*) FROM (SELECT {g} AS g, min(r.strength) AS best FROM registrations r
		WHERE {p} AND r.person IS NOT NULL AND r.strength > 0 GROUP BY 1, r.person) GROUP BY 1`},
	{ID: "Q8", Unit: Percent, query: `SELECT {g}, sum(r.coded), sum(r.disease)` + fromCases + `GROUP BY 1`},
	{ID: "Q9.median", Unit: Months, share: 0.5, query: `SELECT {g}, r.delay` + fromCases + `AND r.delay IS NOT NULL`},
	{ID: "Q9.over4y", Unit: Percent, query: `SELECT {g}, sum(r.delay > 48), count(*)` + fromCases + `AND r.delay IS NOT NULL GROUP BY 1`},
	{ID: "Q10", Unit: Percent, query: `SELECT {g}, sum(r.verification = 3), count(*)` + fromCases + `AND EXISTS (SELECT 1 FROM case_rows x
		JOIN diseases d ON d.list = x.list AND d.number = x.number WHERE x.idx = r.idx AND d.genetic) GROUP BY 1`},
	{ID: "Q11.seen", Unit: Percent, now: true, query: `SELECT g, sum(r.person IN (SELECT e.person FROM visits v JOIN live e ON e.idx = v.idx
		WHERE e.person IS NOT NULL AND e.event > {today} - 365)), count(*)` + due + `GROUP BY 1`},
	{ID: "Q11.lost", Unit: Percent, now: true, query: `SELECT g, sum(r.person IN (SELECT person FROM (SELECT e.person, v.vital,
		row_number() OVER (PARTITION BY e.person ORDER BY e.event DESC, e.idx DESC) AS n FROM visits v JOIN live e ON e.idx = v.idx
		WHERE e.person IS NOT NULL AND e.event IS NOT NULL) WHERE n = 1 AND vital = 3)), count(*)` + due + `GROUP BY 1`},
	{ID: "Q12", Unit: Percent, query: `SELECT g, sum(r.person IN (SELECT e.person FROM specimens s JOIN live e ON e.idx = s.idx
		WHERE e.person IS NOT NULL AND e.stopped & 8 = 0)), count(*)` + fromPersons + `GROUP BY 1`},
	{ID: "Q13.treated", Unit: Percent, query: `SELECT g, sum(has), count(*)` + treated + `GROUP BY 1`},
	{ID: "Q13.lacking", Unit: Percent, query: `SELECT g, sum(lacks), count(*)` + treated + `GROUP BY 1`},
	{ID: "Q14", Unit: Percent, query: `SELECT {g}, sum(r.stopped = 0), count(*) FROM everything r WHERE {p} AND r.type = 1 AND r.problem = '' GROUP BY 1`},
	{ID: "Q15.silent", Unit: Days, now: true, share: 1, query: `SELECT {g}, {today} - max(r.day) FROM everything r GROUP BY 1`},
	{ID: "Q16", Unit: Percent, query: `SELECT {g}, sum(r.type = 10), sum(r.type BETWEEN 1 AND 7) FROM facts r WHERE {p} GROUP BY 1`},
}

// Figures returns an indicator of every group that has something to count. A group
// is a hospital's number, a province's two digits, or "" for the nation.
func (q Query) Figures(i Indicator, by By, p Period) (map[string]Figure, error) {
	query := strings.NewReplacer("{g}", by.group(), "{p}", p.condition(),
		"{today}", fmt.Sprint(q.Today()), "{duty}", fmt.Sprint(dayNumber(Duty()))).Replace(i.query)
	out := map[string]Figure{}
	if i.share == 0 {
		return out, q.Each(query, func(row Row) error {
			var g string
			var f Figure
			if err := row(&g, &f.Num, &f.Den); err != nil {
				return err
			}
			if f.Shown = f.Den >= LeastDenominator; f.Den > 0 {
				f.Value = 100 * float64(f.Num) / float64(f.Den)
			}
			out[g] = f
			return nil
		})
	}
	values := map[string][]int64{}
	if err := q.Each(query, func(row Row) error {
		var g string
		var v int64
		err := row(&g, &v)
		values[g] = append(values[g], v)
		return err
	}); err != nil {
		return nil, err
	}
	for g, all := range values {
		slices.Sort(all)
		v, _ := Quantile(all, i.share)
		out[g] = Figure{Den: int64(len(all)), Value: float64(v), Shown: len(all) >= LeastDenominator || i.now}
	}
	return out, nil
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
func (i Indicator) Public() bool { return i.ID == "Q15.silent" }

// Quantile reports whether the indicator is a quantile, and not a share.
func (i Indicator) Quantile() bool { return i.share != 0 }

// Missing calls f with each field that a profile needs and registrations lack, and
// in how many, the most frequent first.
func (q Query) Missing(by By, group string, p Period, f func(field string, n int64)) error {
	query := strings.NewReplacer("{g}", by.group(), "{p}", p.condition()).Replace(
		`SELECT x.field, count(*) AS n FROM findings x JOIN registrations r ON r.idx = x.idx WHERE x.code = '` + missingCode + `' AND {g} = ? AND {p}
		GROUP BY 1 ORDER BY n DESC, 1`)
	return q.Each(query, func(row Row) error {
		var field string
		var n int64
		err := row(&field, &n)
		f(field, n)
		return err
	}, group)
}
