package identity

import "fmt"

// A Date is a day of the Gregorian calendar. Day, or Day and Month, may be 0
// where a column gives only year and month, or only the year.
type Date struct{ Year, Month, Day int }

// earliest is the first birth date accepted: the standard's own sample.
var earliest = Date{1880, 1, 1}

// Valid reports whether d is a complete date with a four-digit year.
func (d Date) Valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && d.Month >= 1 && d.Month <= 12 &&
		d.Day >= 1 && d.Day <= monthDays(d.Year, d.Month)
}

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.number() < e.number() }

func (d Date) number() int { return d.Year*10000 + d.Month*100 + d.Day }

// compact returns YYYYMMDD.
func (d Date) compact() string { return fmt.Sprintf("%04d%02d%02d", d.Year, d.Month, d.Day) }

// possibleBirth reports whether d is a calendar date from 1880 to today.
func possibleBirth(d, today Date) bool {
	return d.Valid() && !d.Before(earliest) && !today.Before(d)
}

func monthDays(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// parseCompact reads eight digits as YYYYMMDD, without judging the date.
func parseCompact(s string) Date {
	return Date{number(s[:4]), number(s[4:6]), number(s[6:8])}
}

func number(digits string) int {
	n := 0
	for _, c := range []byte(digits) {
		n = n*10 + int(c-'0')
	}
	return n
}
