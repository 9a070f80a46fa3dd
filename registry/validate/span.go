package validate

import (
	"regexp"
	"strconv"
	"time"

	"github.com/raresync/raresync/registry/entry"
)

// A span is the first and the last day that something can have happened on.
type span struct {
	first, last time.Time
	known       bool
}

func spanOf(d entry.Date) span {
	if !d.Known() || !d.Valid() {
		return span{}
	}
	first, last := d.Span()
	return span{first, last, true}
}

// surelyAfter reports whether a lies after b however both are read.
func (a span) surelyAfter(b span) bool { return a.known && b.known && a.first.After(b.last) }

// units is a number of calendar units.
type units struct{ years, months, days int }

// A duration is an age. step is the smallest unit given, within which the age
// is uncertain: P3Y is any day of the fourth year.
type duration struct{ units, step units }

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$`)

// parseDuration reads an ISO 8601 duration of calendar units; a time of day
// is read and does not count.
func parseDuration(s string) (duration, bool) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil || len(s) < len("P0D") || m[5] == "T" {
		return duration{}, false
	}
	var d units
	d.years, _ = strconv.Atoi(m[1])
	d.months, _ = strconv.Atoi(m[2])
	weeks, _ := strconv.Atoi(m[3])
	d.days, _ = strconv.Atoi(m[4])
	d.days += 7 * weeks
	step := units{years: 1}
	switch {
	case m[4] != "" || m[5] != "":
		step = units{days: 1}
	case m[3] != "":
		step = units{days: 7}
	case m[2] != "":
		step = units{months: 1}
	}
	return duration{d, step}, true
}

// inYears returns the duration in years, roughly.
func (d duration) inYears() float64 {
	return float64(d.units.years) + float64(d.units.months)/12 + float64(d.units.days)/365.25
}

// after returns when someone born in b has the age d.
func (d duration) after(b span) span {
	if !b.known {
		return span{}
	}
	first := add(b.first, d.units)
	return span{first, add(add(b.last, d.units), d.step), true}
}

func add(t time.Time, u units) time.Time { return t.AddDate(u.years, u.months, u.days) }

// when returns when a point in life was, for someone born in birth. It is not
// known for what is only given in words.
func when(w entry.When, birth span) span {
	switch w.Kind {
	case entry.WhenDate:
		d, _ := entry.ParseDate(w.A)
		return spanOf(d)
	case entry.WhenTimestamp:
		return timestamps(w.A, w.A)
	case entry.WhenInterval:
		return timestamps(w.A, w.B)
	case entry.WhenAge:
		if d, ok := parseDuration(w.A); ok {
			return d.after(birth)
		}
	case entry.WhenAgeRange:
		from, ok := parseDuration(w.A)
		to, ok2 := parseDuration(w.B)
		if ok && ok2 && birth.known {
			return span{from.after(birth).first, to.after(birth).last, true}
		}
	case entry.WhenAtBirth:
		return birth
	}
	return span{}
}

// timestamps returns the days from one RFC 3339 time to another, each in its
// own time zone.
func timestamps(from, to string) span {
	a, err := time.Parse(time.RFC3339, from)
	b, err2 := time.Parse(time.RFC3339, to)
	if err != nil || err2 != nil {
		return span{}
	}
	return span{midnight(a), midnight(b), true}
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Within returns the first and the last day, at 00:00 UTC, that a point in the life
// of somebody born in birth can have been on. known is false of what is only given
// in words, and of an age without a birth date.
func Within(w entry.When, birth entry.Date) (first, last time.Time, known bool) {
	at := when(w, spanOf(birth))
	return at.first, at.last, at.known
}
