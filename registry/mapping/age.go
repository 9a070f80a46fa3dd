package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/table"
)

// object is a JSON object on its way into a packet.
type object = map[string]any

// What an onset may be besides a date and an age, as ontology classes.
var (
	onsetWords = map[string]object{}
	unknownAge = class("NCIT:C17998", "Unknown")
)

func init() {
	for _, w := range []struct {
		words string
		is    object
	}{
		{"出生时 出生 生后即发病 出生即有 先天 先天性 at_birth birth congenital", class("HP:0003577", "Congenital onset")},
		{"产前 宫内 胎儿期 antenatal prenatal", class("HP:0030674", "Antenatal onset")},
		{"不详 未知 unknown undetermined", unknownAge},
	} {
		for word := range strings.FieldsSeq(w.words) {
			onsetWords[wordKey(strings.ReplaceAll(word, "_", " "))] = w.is
		}
	}
}

func class(id, label string) object { return object{"ontologyClass": object{"id": id, "label": label}} }

// ages are the ways in which an age is written: years, months and days, any of
// which may be missing.
var ages = regexp.MustCompile(`^(?:(\d{1,3})(?:岁|周岁|years?|y))?(?:(\d{1,3})(?:个?月|months?|m))?(?:(\d{1,3})(?:天|日|days?|d))?$`)

var duration = regexp.MustCompile(`^p(\d{1,3}y)?(\d{1,3}m)?(\d{1,3}d)?$`)

// parseAge reads an age as the schema writes it: P8Y3M.
func parseAge(text string) (string, bool) {
	text = wordKey(text)
	if m := duration.FindString(text); len(m) > 1 {
		return strings.ToUpper(m), true
	}
	parts := ages.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return "", false
	}
	var age strings.Builder
	age.WriteString("P")
	for i, unit := range []string{"Y", "M", "D"} {
		if parts[i+1] != "" {
			age.WriteString(parts[i+1] + unit)
		}
	}
	return age.String(), true
}

// parseOnset reads an onset: a word, an age or a date.
func parseOnset(cell table.Cell) (o object, sure, ok bool) {
	if is, ok := onsetWords[wordKey(cell.Text)]; ok {
		return is, true, true
	}
	if age, ok := parseAge(cell.Text); ok {
		return object{"age": object{"iso8601duration": age}}, true, true
	}
	d, sure, ok := parseDate(cell)
	if !ok {
		return nil, false, false
	}
	return pointInTime(d), sure, true
}

// pointInTime writes a date as the schema's TimeElement: a day as a time, a
// month or year as an interval.
func pointInTime(d entry.Date) object {
	const layout = "2006-01-02T15:04:05Z"
	first, last := d.Span()
	if d.Precision() == entry.PrecisionDay {
		return object{"timestamp": first.Format(layout)}
	}
	return object{"interval": object{"start": first.Format(layout), "end": last.Format(layout)}}
}

// birthTime writes a date of birth as the schema's time, or the year alone
// where no more is known.
func birthTime(d entry.Date) string {
	if d.Precision() == entry.PrecisionDay {
		return fmt.Sprintf("%04d-%02d-%02dT00:00:00Z", d.Year, d.Month, d.Day)
	}
	return ""
}
