package view

import (
	"time"

	"github.com/raresync/raresync/registry/entry"
)

// china is the time in which days and months are counted.
var china = time.FixedZone("UTC+8", 8*60*60)

const dayHours = 24

// dayOf returns the day of a log time in ms, counted from 1970-01-01.
func dayOf(logTime uint64) int64 {
	return dayNumber(entry.DateOf(time.UnixMilli(int64(logTime)).In(china)))
}

// Day returns the day of a log time in ms as days are counted here: in China's time, from
// 1970-01-01.
func Day(logTime uint64) int64 { return dayOf(logTime) }

// monthOf returns the month of a log time in ms, as [Month] counts.
func monthOf(logTime uint64) int64 {
	return int64(MonthOf(entry.DateOf(time.UnixMilli(int64(logTime)).In(china))))
}

// Month is a month of the calendar, counted from the year 0.
type Month int64

// MonthOf returns the month of a date that is known to the month at least.
func MonthOf(d entry.Date) Month { return Month(int64(d.Year)*12 + int64(d.Month) - 1) }

// String returns the month as "2026-11".
func (m Month) String() string {
	return m.Date().String()
}

// Date returns the month as a date.
func (m Month) Date() entry.Date { return entry.Date{Year: uint16(m / 12), Month: uint8(m%12) + 1} }

// dayNumber returns the day of a date that is known to the day.
func dayNumber(d entry.Date) int64 {
	first, _ := d.Span()
	return int64(first.Sub(time.Unix(0, 0)) / (dayHours * time.Hour))
}

// DateOfDay is the date of a day counted from 1970-01-01.
func DateOfDay(day int64) entry.Date {
	return entry.DateOf(time.Unix(day*dayHours*60*60, 0).UTC())
}

// orNull gives SQL a day only of a date that has one, else nothing.
func dayOrNull(d entry.Date) any {
	if d.Precision() < entry.PrecisionDay {
		return nil
	}
	return dayNumber(d)
}

func monthOrNull(d entry.Date) any {
	if d.Precision() < entry.PrecisionMonth {
		return nil
	}
	return int64(MonthOf(d))
}
