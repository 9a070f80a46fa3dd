package table

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/raresync/raresync/registry/rule"
)

// formats says of each way in which a workbook shows cells whether it shows
// numbers as dates.
type formats struct{ isDate []bool }

// date reports whether a cell of the style is shown as a date.
func (f *formats) date(style int) bool { return style >= 0 && style < len(f.isDate) && f.isDate[style] }

const maxStyles = 65_536

func (f *formats) read(a *archive, part string) error {
	custom := map[string]bool{} // by number, whether its code shows a date
	inCells := false
	return a.scan(part, func(s *scanner) error {
		switch string(s.name) {
		case "numFmt":
			custom[s.value("numFmtId")] = showsDate(s.value("formatCode"))
		case "cellXfs":
			inCells = true
		case "cellStyleXfs", "cellStyles", "dxfs":
			inCells = false
		case "xf":
			if !inCells {
				return nil
			}
			if len(f.isDate) >= maxStyles || len(custom) > maxStyles {
				return rule.Refuse("FM005", a.name, tooMany("styles", maxStyles))
			}
			id := s.value("numFmtId")
			known, ok := custom[id]
			f.isDate = append(f.isDate, ok && known || !ok && builtInDate(id))
		}
		return nil
	})
}

// builtInDate knows the formats that have a number and no code: 14 to 17 and 22
// everywhere, 27 to 36 and 50 to 58 in Chinese, Japanese and Korean editions.
func builtInDate(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && (n >= 14 && n <= 17 || n == 22 || n >= 27 && n <= 31 || n == 36 || n >= 50 && n <= 54 || n == 57 || n == 58)
}

// showsDate reports whether a format's code shows a year or a day: in its
// letters, not in what it quotes.
func showsDate(code string) bool {
	code, _, _ = strings.Cut(code, ";")
	inQuotes, inBrackets, skip := false, false, false
	for _, r := range strings.ToLower(code) {
		switch {
		case skip:
			skip = false
		case r == '"':
			inQuotes = !inQuotes
		case inQuotes:
		case r == '\\' || r == '_' || r == '*':
			skip = true
		case r == '[':
			inBrackets = true
		case r == ']':
			inBrackets = false
		case inBrackets:
		case r == 'y' || r == 'd' || r == 'e':
			return !strings.Contains(code, "General")
		case r == '#' || r == '0' || r == '?':
			return false
		}
	}
	return false
}

// Days that a serial number of 1 stands for, and what is out of range.
var (
	epoch1900 = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	epoch1904 = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
)

const maxSerial = 2_958_465 // 9999-12-31

// SerialDate returns the date of a spreadsheet's serial number as YYYY-MM-DD,
// counted from 1900 unless from04. Of 1900 it knows the day that never was as a
// spreadsheet does: numbers below 61 are a day later. It returns false for what
// is no date.
func SerialDate(serial float64, from04 bool) (string, bool) {
	if math.IsNaN(serial) || serial < 0 || serial >= maxSerial+1 {
		return "", false
	}
	days := int(serial)
	switch {
	case from04:
		return epoch1904.AddDate(0, 0, days).Format(time.DateOnly), true
	case days == 0:
		return "1900-01-00", true // as a spreadsheet shows it
	case days == 60:
		return "", false
	case days < 60:
		days++
	}
	return epoch1900.AddDate(0, 0, days).Format(time.DateOnly), true
}
