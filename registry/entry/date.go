package entry

import (
	"fmt"
	"time"
)

// A Date is a calendar date known to the day, the month, the year or not at
// all: parts that are not known are zero. The zero Date is unknown.
type Date struct {
	Year  uint16 // 1 to 9999
	Month uint8  // 1 to 12
	Day   uint8  // 1 to 31
}

// Precision says how much of a Date is known.
type Precision uint8

// The precisions.
const (
	PrecisionUnknown Precision = iota
	PrecisionYear
	PrecisionMonth
	PrecisionDay
)

// DateOf returns t's calendar date in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: uint16(y), Month: uint8(m), Day: uint8(d)}
}

// ParseDate reads "2006", "2006-01" or "2006-01-02"; "" is the unknown date.
func ParseDate(s string) (Date, bool) {
	var d Date
	switch {
	case s == "":
		return d, true
	case len(s) != 4 && len(s) != 7 && len(s) != 10:
		return d, false
	}
	year, ok := digits(s[:4])
	d.Year = year
	if len(s) >= 7 {
		v, good := digits(s[5:7])
		d.Month, ok = uint8(v), ok && good && s[4] == '-' && v > 0
	}
	if len(s) == 10 {
		v, good := digits(s[8:10])
		d.Day, ok = uint8(v), ok && good && s[7] == '-' && v > 0
	}
	if !ok || year == 0 || !d.Valid() {
		return Date{}, false
	}
	return d, true
}

func digits(s string) (uint16, bool) {
	var v uint16
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + uint16(c-'0')
	}
	return v, true
}

// Known reports whether at least the year is known.
func (d Date) Known() bool { return d.Year != 0 }

// Precision returns how much of the date is known.
func (d Date) Precision() Precision {
	switch {
	case d.Year == 0:
		return PrecisionUnknown
	case d.Month == 0:
		return PrecisionYear
	case d.Day == 0:
		return PrecisionMonth
	}
	return PrecisionDay
}

// Valid reports whether the known parts are a date of the calendar and no
// part is known without the one before it.
func (d Date) Valid() bool {
	switch d.Precision() {
	case PrecisionUnknown:
		return d == Date{}
	case PrecisionYear:
		return d.Year <= 9999 && d.Day == 0
	case PrecisionMonth:
		return d.Year <= 9999 && d.Month <= 12
	}
	return d.Year <= 9999 && d.Month <= 12 && d.Day <= uint8(daysIn(int(d.Year), time.Month(d.Month)))
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Span returns the first and the last day the date can mean, both at 00:00
// UTC. It must not be called on the unknown date.
func (d Date) Span() (first, last time.Time) {
	switch d.Precision() {
	case PrecisionYear:
		return day(d.Year, 1, 1), day(d.Year, 12, 31)
	case PrecisionMonth:
		return day(d.Year, d.Month, 1), day(d.Year, d.Month, uint8(daysIn(int(d.Year), time.Month(d.Month))))
	}
	return day(d.Year, d.Month, d.Day), day(d.Year, d.Month, d.Day)
}

func day(y uint16, m, d uint8) time.Time {
	return time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC)
}

// YearMonth returns the date without its day.
func (d Date) YearMonth() Date { return Date{Year: d.Year, Month: d.Month} }

// String returns the date as ParseDate reads it.
func (d Date) String() string {
	switch d.Precision() {
	case PrecisionUnknown:
		return ""
	case PrecisionYear:
		return fmt.Sprintf("%04d", d.Year)
	case PrecisionMonth:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// String returns "unknown", "year", "month" or "day".
func (p Precision) String() string {
	return name([]string{"unknown", "year", "month", "day"}, uint8(p))
}
