package validate

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/raresync/raresync/registry/entry"
)

// Bounds beyond which a value is doubted.
const (
	oldestDiagnosis = 1950
	oldestAge       = 120 // years
	fewestWeeks     = 10  // of gestation
	mostWeeks       = 45
)

// dates checks the dates of a case by themselves and against one another.
func (c *check) dates(e entry.Entry) {
	k := e.Case
	birth, diagnosis := spanOf(k.Birth), spanOf(e.EventDate)
	c.notFuture("birth", birth)
	c.notFuture("diagnosisDate", diagnosis)
	c.notFuture("firstContact", spanOf(k.FirstContact))
	c.whole(e.Profile, "diagnosisDate", e.EventDate)
	c.point("lastEncounter", k.LastEncounter, birth)
	c.point("timeOfDeath", k.Life.TimeOfDeath, birth)
	for i, f := range k.Features {
		c.point(fmt.Sprintf("features[%d].onset", i), f.Onset, birth)
		c.point(fmt.Sprintf("features[%d].resolution", i), f.Resolution, birth)
	}
	for i, d := range k.Diseases {
		c.onset(fmt.Sprintf("diseases[%d].onset", i), d.Onset, birth, diagnosis)
	}
	if birth.surelyAfter(diagnosis) {
		c.find("DT002", "diagnosisDate", "before birth")
	}
	if birth.surelyAfter(when(k.Life.TimeOfDeath, birth)) {
		c.find("DT002", "timeOfDeath", "before birth")
	}
	if diagnosis.known && diagnosis.last.Year() < oldestDiagnosis {
		c.find("DT003", "diagnosisDate", fmt.Sprintf("before %d", oldestDiagnosis))
	}
	if birth.known && diagnosis.known && diagnosis.first.Year()-birth.last.Year() > oldestAge {
		c.find("DT005", "diagnosisDate", fmt.Sprintf("older than %d years", oldestAge))
	}
}

func (c *check) onset(field string, w entry.When, birth, diagnosis span) {
	c.point(field, w, birth)
	at := when(w, birth)
	if at.surelyAfter(diagnosis) {
		c.find("DT003", field, "after the diagnosis")
	}
	if birth.surelyAfter(at) {
		c.find("DT003", field, "before birth and not marked antenatal")
	}
}

// notFuture allows one day after today: clocks and time zones differ.
func (c *check) notFuture(field string, s span) {
	today := spanOf(c.Today)
	if s.known && today.known && s.first.After(today.last.AddDate(0, 0, 1)) {
		c.find("DT001", field, "in the future")
	}
}

// whole asks for the day where a profile counts days.
func (c *check) whole(p entry.Profile, field string, d entry.Date) {
	if p != entry.Published && d.Known() && d.Precision() != entry.PrecisionDay {
		c.find("DT004", field, "known to the "+d.Precision().String()+" only")
	}
}

// point checks that a point in life can be read and lies within bounds.
func (c *check) point(field string, w entry.When, birth span) {
	switch w.Kind {
	case entry.WhenAge:
		c.age(field, w.A)
	case entry.WhenAgeRange:
		c.age(field, w.A)
		c.age(field, w.B)
	case entry.WhenGestational:
		c.gestation(field, w)
	case entry.WhenDate:
		if d, ok := entry.ParseDate(w.A); !ok || !d.Known() {
			c.find("DT001", field, "not a date")
		}
	case entry.WhenTimestamp, entry.WhenInterval:
		c.times(field, w)
	}
	if w.Kind != entry.WhenAge && w.Kind != entry.WhenAgeRange {
		c.notFuture(field, when(w, birth))
	}
}

func (c *check) age(field, s string) {
	d, ok := parseDuration(s)
	switch {
	case !ok:
		c.find("DT001", field, "not an ISO 8601 duration")
	case d.inYears() > oldestAge:
		c.find("DT005", field, fmt.Sprintf("more than %d years", oldestAge))
	}
}

var wholeNumber = regexp.MustCompile(`^[0-9]{1,3}$`)

func (c *check) gestation(field string, w entry.When) {
	if !wholeNumber.MatchString(w.A) || w.B != "" && !wholeNumber.MatchString(w.B) {
		c.find("DT001", field, "not a gestational age")
		return
	}
	if weeks, _ := strconv.Atoi(w.A); weeks < fewestWeeks || weeks > mostWeeks {
		c.find("DT005", field, fmt.Sprintf("outside %d to %d weeks", fewestWeeks, mostWeeks))
	}
}

func (c *check) times(field string, w entry.When) {
	parts := []string{w.A}
	if w.Kind == entry.WhenInterval {
		parts = append(parts, w.B)
	}
	for _, s := range parts {
		if _, err := time.Parse(time.RFC3339, s); err != nil && s != "" {
			c.find("DT001", field, "not an RFC 3339 time")
		}
	}
}
