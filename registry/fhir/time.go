package fhir

import (
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/mapping"
)

var clockTime = regexp.MustCompile(`^T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?$`)

// dateOf reads a date or dateTime as the day that it names where it was written.
// given is false without one, ok for one that can be read.
func dateOf(v *jsontree.Value) (d entry.Date, given, ok bool) {
	if !v.Given() {
		return d, false, true
	}
	day, rest := v.Str(), ""
	if i := strings.IndexByte(day, 'T'); i >= 0 {
		day, rest = day[:i], day[i:]
	}
	d, ok = entry.ParseDate(day)
	ok = ok && d.Known() && (rest == "" || d.Precision() == entry.PrecisionDay && clockTime.MatchString(rest))
	return d, true, ok
}

// date reads a date of a resource; one that cannot be read is DT001.
func (b *builder) date(v *jsontree.Value, at string) entry.Date {
	d, _, ok := dateOf(v)
	if !ok {
		b.find("DT001", at, "")
		return entry.Date{}
	}
	return d
}

// dateText is the date as a packet's raresync member writes it.
func (b *builder) dateText(v *jsontree.Value, at string) string {
	if d := b.date(v, at); d.Known() {
		return d.String()
	}
	return ""
}

// units of an age, as a duration ends.
var units = map[string]string{"a": "Y", "mo": "M", "wk": "W", "d": "D"}

var wholeNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,2})(\.0*)?$`)

// age reads an Age or Quantity of time as a duration, or "".
func age(v *jsontree.Value) string {
	unit := units[v.Get("code").Str()]
	number := v.Get("value")
	if unit == "" || number == nil || !wholeNumber.MatchString(number.Text) {
		return ""
	}
	whole, _, _ := strings.Cut(number.Text, ".")
	return "P" + whole + unit
}

// moment reads the element name[x] of a resource as the schema's TimeElement.
func (b *builder) moment(tree *jsontree.Value, name, at string) object {
	switch {
	case tree.Get(name + "DateTime").Given():
		if d := b.date(tree.Get(name+"DateTime"), at+"."+name+"DateTime"); d.Known() {
			return mapping.Point(d)
		}
	case tree.Get(name + "Age").IsObject():
		if a := age(tree.Get(name + "Age")); a != "" {
			return object{"age": object{"iso8601duration": a}}
		}
		b.find("DT001", at+"."+name+"Age", "want whole a, mo, wk or d of UCUM")
	case tree.Get(name + "Period").IsObject():
		if d := b.date(tree.At(name+"Period", "start"), at+"."+name+"Period.start"); d.Known() {
			return mapping.Point(d)
		}
	case tree.Get(name + "Range").IsObject():
		from, to := age(tree.At(name+"Range", "low")), age(tree.At(name+"Range", "high"))
		if from != "" && to != "" {
			return object{"ageRange": object{"start": object{"iso8601duration": from}, "end": object{"iso8601duration": to}}}
		}
		b.find("DT001", at+"."+name+"Range", "want whole a, mo, wk or d of UCUM")
	case tree.Get(name+"String").Str() != "":
		o, sure, ok := mapping.Onset(tree.Get(name + "String").Str())
		if !ok {
			b.find("DT001", at+"."+name+"String", "want a date, or an age as 8岁, 3个月, P8Y")
		} else if !sure {
			b.find("DT004", at+"."+name+"String", "day or month? the year alone is taken")
		}
		return o
	}
	return nil
}
