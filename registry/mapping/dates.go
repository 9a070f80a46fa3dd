package mapping

import (
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/table"
)

// Serial numbers that are read as dates where a date is expected: from 1927
// to 2099. Smaller ones could be years.
const (
	minSerial = 10_000
	maxSerial = 73_050
)

// parseDate reads a date as hospitals write it: 2023-01-05, 2023/1/5,
// 2023.1.5, 20230105, 2023年1月5日, each also with a time behind it or without
// day or month, and the serial number of a spreadsheet. sure is false for
// 01/05/2023, of which only the year is taken: day and month may be either way
// round. What has a year of two digits is no date.
func parseDate(cell table.Cell) (d entry.Date, sure, ok bool) {
	text := withoutTime(halfWidth(cell.Text))
	if isDigits(text) {
		d, ok = dateOfDigits(text, cell.Kind)
		return d, true, ok
	}
	parts, ok := dateParts(text)
	if !ok {
		return d, false, false
	}
	switch {
	case len(parts[0]) == 4:
		d, ok = dateOfParts(parts)
		return d, true, ok
	case len(parts) == 3 && len(parts[2]) == 4:
		return dayOrMonth(parts)
	}
	return d, false, false
}

// withoutTime cuts off the time of day behind a date.
func withoutTime(text string) string {
	if i := strings.IndexAny(text, "T "); i >= 8 && strings.ContainsRune(text[i:], ':') {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// dateOfDigits reads 20230105, 202301, 2023 and serial numbers.
func dateOfDigits(text string, kind table.Kind) (entry.Date, bool) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return entry.Date{}, false
	case len(text) == 8:
		return dateOfParts([]string{text[:4], text[4:6], text[6:]})
	case len(text) == 6 && (n/100 >= 1880 && n/100 < 2100):
		return dateOfParts([]string{text[:4], text[4:]})
	case len(text) == 5 && n >= minSerial && n <= maxSerial:
		day, _ := table.SerialDate(float64(n), false)
		return entry.ParseDate(day)
	case len(text) == 4 && (n >= 1880 && n < 2100):
		return dateOfParts([]string{text})
	}
	return entry.Date{}, false
}

// dateMarks turns the marks of a date into hyphens.
var dateMarks = strings.NewReplacer("年", "-", "月", "-", "日", "", "号", "", "/", "-", ".", "-", "－", "-", " ", "")

// dateParts takes apart what stands between the marks of a date.
func dateParts(text string) ([]string, bool) {
	text = dateMarks.Replace(text)
	parts := strings.Split(strings.TrimSuffix(text, "-"), "-")
	if len(parts) > 3 {
		return nil, false
	}
	for _, p := range parts {
		if !isDigits(p) || len(p) == 3 || len(p) > 4 {
			return nil, false
		}
	}
	return parts, true
}

// dateOfParts makes a date of year, month and day, as many as there are. Parts
// that are 00 are not known.
func dateOfParts(parts []string) (entry.Date, bool) {
	var text strings.Builder
	text.WriteString(parts[0])
	for _, p := range parts[1:] {
		if len(p) > 2 {
			return entry.Date{}, false
		}
		if strings.Trim(p, "0") == "" {
			break
		}
		text.WriteString("-" + strings.Repeat("0", 2-len(p)) + p)
	}
	return entry.ParseDate(text.String())
}

// dayOrMonth reads a date that ends with its year: whole if only one order
// makes a date or both make the same, else the year alone.
func dayOrMonth(parts []string) (d entry.Date, sure, ok bool) {
	one, fits := dateOfParts([]string{parts[2], parts[0], parts[1]})
	other, fitsToo := dateOfParts([]string{parts[2], parts[1], parts[0]})
	switch {
	case fits && fitsToo && one != other:
		return entry.Date{Year: one.Year}, false, true
	case fits:
		return one, true, true
	}
	return other, true, fitsToo
}

func halfWidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			return r - 0xFEE0
		}
		if r == '\u3000' || r == '\u00a0' {
			return ' '
		}
		return r
	}, s)
}
