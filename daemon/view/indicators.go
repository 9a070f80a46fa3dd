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
		return "r.hospital"
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
	ID     string
	Unit   Unit
	source source
	share  float64 // of a quantile; 0 of a share
	now    bool    // of today: a period does not change it
	num    string  // expression over the source's rows; of a quantile, of one row, NULL of none
	den    string
	least  bool                              // of several hospitals' values the least counts
	who    func(standing) (counts, yes bool) // in place of a source: persons are counted
}

// source is a query whose rows several indicators are counted from, so that they are
// read once, each with its hospital; the rows of one are added up here, which is much
// quicker than sorting them in SQL. {f} are the expressions, {p} is the period,
// {today} and {duty} are days.
type source string

// Duty is the first day from which hospitals were to register every new case as
// they find it. What was diagnosed before counts as retrospective.
func Duty() entry.Date { return entry.Date{Year: 2019, Month: 11, Day: 1} }

const (
	ofCases   source = `SELECT r.hospital, {f} FROM registrations r WHERE {p}`
	ofEntries source = `SELECT r.hospital, {f} FROM entries r WHERE {p} GROUP BY 1`
	ofLast    source = `SELECT r.hospital, {f} FROM entries r GROUP BY 1`
	ofIntakes source = `SELECT r.hospital, {f} FROM intakes i JOIN live r ON r.idx = i.idx WHERE {p}`
	ofRecent  source = `SELECT r.hospital, {f} FROM entries r WHERE r.day > {today} - 120 GROUP BY 1`
	ofRepeats source = `SELECT r.hospital, r.person, x.list, x.number FROM registrations r JOIN case_rows x ON x.idx = r.idx
		WHERE {p} AND r.person IS NOT NULL`
)

// Indicators are all that the entries carry, in the order of their ids.
func Indicators() []Indicator { return slices.Clone(indicators[:]) }

const (
	withGenes = `EXISTS (SELECT 1 FROM genetics x JOIN live l ON l.idx = x.idx WHERE x.of_case = r.id AND +l.hospital = r.hospital AND x.result IN (1, 2, 3))`
	late      = `CASE WHEN r.diagnosed >= {duty} THEN max(r.day - r.diagnosed, 0) END`
	inUse     = `r.stopped & 1 = 0 AND r.problem = ''`
	isCase    = `r.type = 1 AND r.problem = ''`
)

var indicators = [...]Indicator{
	{ID: "Q1", Unit: Percent, source: ofCases, num: `r.needed - r.missing`, den: `r.needed`},
	{ID: "Q2.features", Unit: Percent, source: ofCases, num: `r.hpo`, den: `1`},
	{ID: "Q2.genetics", Unit: Percent, source: ofCases, num: withGenes, den: `1`},
	{ID: "Q2.onset", Unit: Percent, source: ofCases, num: `r.onset_given`, den: `1`},
	{ID: "Q2.contact", Unit: Percent, source: ofCases, num: `r.contact`, den: `1`},
	{ID: "Q3.median", Unit: Days, source: ofCases, share: 0.5, num: late},
	{ID: "Q3.p90", Unit: Days, source: ofCases, share: 0.9, num: late},
	{ID: "Q3.in7", Unit: Percent, source: ofCases, num: `r.diagnosed >= {duty} AND r.day - r.diagnosed <= 7`, den: `r.diagnosed >= {duty}`},
	{ID: "Q3.in30", Unit: Percent, source: ofCases, num: `r.diagnosed >= {duty} AND r.day - r.diagnosed <= 30`, den: `r.diagnosed >= {duty}`},
	{ID: "Q3.retrospective", Unit: Percent, source: ofCases, num: `r.diagnosed < {duty}`, den: `r.diagnosed IS NOT NULL`},
	{ID: "Q4", Unit: Percent, source: ofIntakes, num: `i.refused`, den: `i.offered`},
	{ID: "Q5", Unit: Percent, source: ofCases, num: `r.queried`, den: `1`},
	{ID: "Q6.duplicates", Unit: Percent, source: ofRepeats},
	{ID: "Q6.elsewhere", Unit: Percent, who: func(p standing) (bool, bool) { return p.here, p.several }},
	{ID: "Q7", Unit: Percent, who: func(p standing) (bool, bool) { return p.best > 0, p.best > entry.StrengthStrong }},
	{ID: "Q8", Unit: Percent, source: ofCases, num: `r.coded`, den: `r.disease`},
	{ID: "Q9.median", Unit: Months, source: ofCases, share: 0.5, num: `r.delay`},
	{ID: "Q9.over4y", Unit: Percent, source: ofCases, num: `r.delay > 48`, den: `r.delay IS NOT NULL`},
	{ID: "Q10", Unit: Percent, source: ofCases, num: `r.genetic AND r.verification = 3`, den: `r.genetic`},
	{ID: "Q11.seen", Unit: Percent, now: true, who: func(p standing) (bool, bool) { return p.due, p.seen }},
	{ID: "Q11.lost", Unit: Percent, now: true, who: func(p standing) (bool, bool) { return p.due, p.lost }},
	{ID: "Q12", Unit: Percent, who: func(p standing) (bool, bool) { return p.here, p.sampled }},
	{ID: "Q13.treated", Unit: Percent, who: func(p standing) (bool, bool) { return p.offered, p.treated }},
	{ID: "Q13.lacking", Unit: Percent, who: func(p standing) (bool, bool) { return p.offered, p.lacking }},
	{ID: "Q14", Unit: Percent, source: ofEntries, num: `sum(` + isCase + ` AND r.stopped = 0)`, den: `sum(` + isCase + `)`},
	{ID: "Q15.silent", Unit: Days, source: ofLast, now: true, least: true, share: 1, num: `{today} - max(r.day)`},
	{ID: "Q15.recent", Unit: Percent, source: ofRecent, now: true, num: `3 * sum(r.day > {today} - 30)`, den: `sum(r.day <= {today} - 30)`},
	{ID: "Q16", Unit: Percent, source: ofEntries, num: `sum(r.type = 10 AND ` + inUse + `)`, den: `sum(r.type BETWEEN 1 AND 7 AND ` + inUse + `)`},
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
func (i Indicator) Public() bool { return i.source == ofLast || i.source == ofRecent }

// RuleRefusals calls f with each rule that refused rows of what a group's hospitals were
// handed in a period, and how many, the most frequent first, at most five.
func (q Query) RuleRefusals(by By, group string, p Period, f func(code string, n int64)) error {
	query := strings.NewReplacer("{g}", by.group(), "{p}", p.condition()).Replace(`SELECT x.code, sum(x.refused) AS n FROM intake_rules x
		JOIN facts r ON r.idx = x.idx WHERE {g} = ? AND {p} GROUP BY 1 ORDER BY n DESC, 1 LIMIT 5`)
	return q.Each(query, func(row Row) error {
		var code string
		var n int64
		err := row(&code, &n)
		f(code, n)
		return err
	}, group)
}

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
