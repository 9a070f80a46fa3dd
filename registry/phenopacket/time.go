package phenopacket

import (
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
)

// when connects a point in life with a TimeElement.
func (l *lens) when(v *value, name string, w *entry.When) {
	if l.writing {
		if element := timeElement(*w); element != nil {
			v.Set(name, element)
		}
		return
	}
	*w = readWhen(v.Get(name))
}

// readWhen takes the first form of a TimeElement that it finds.
func readWhen(v *value) entry.When {
	switch {
	case v.At("age", "iso8601duration").Str() != "":
		return entry.When{Kind: entry.WhenAge, A: v.At("age", "iso8601duration").Str()}
	case v.Get("ageRange").IsObject():
		r := v.Get("ageRange")
		return pair(entry.WhenAgeRange, r.At("start", "iso8601duration").Str(), r.At("end", "iso8601duration").Str())
	case v.Get("gestationalAge").IsObject():
		g := v.Get("gestationalAge")
		return pair(entry.WhenGestational, digitsOf(g.Get("weeks")), digitsOf(g.Get("days")))
	case v.Get("ontologyClass").IsObject():
		return pair(entry.WhenClass, v.At("ontologyClass", "id").Str(), v.At("ontologyClass", "label").Str())
	case v.Get("timestamp").Str() != "":
		return entry.When{Kind: entry.WhenTimestamp, A: v.Get("timestamp").Str()}
	case v.Get("interval").IsObject():
		return pair(entry.WhenInterval, v.At("interval", "start").Str(), v.At("interval", "end").Str())
	}
	return entry.When{}
}

// pair returns a When of two texts, or none if both are missing.
func pair(k entry.WhenKind, a, b string) entry.When {
	if a == "" && b == "" {
		return entry.When{}
	}
	return entry.When{Kind: k, A: a, B: b}
}

func digitsOf(v *value) string {
	if v == nil || v.Kind != jsontree.Number {
		return ""
	}
	return v.Text
}

// timeElement writes a point in life as a TimeElement, or nil where the
// schema has no word for it.
func timeElement(w entry.When) *value {
	l := &lens{writing: true}
	out := jsontree.NewObject()
	switch w.Kind {
	case entry.WhenAge:
		writeAge(l, out, "age", w.A)
	case entry.WhenAgeRange:
		l.inside(out, "ageRange", func(v *value) {
			writeAge(l, v, "start", w.A)
			writeAge(l, v, "end", w.B)
		})
	case entry.WhenGestational:
		l.inside(out, "gestationalAge", func(v *value) {
			l.digits(v, "weeks", &w.A)
			l.digits(v, "days", &w.B)
		})
	case entry.WhenClass:
		l.term(out, "ontologyClass", &entry.Term{ID: w.A, Label: w.B})
	case entry.WhenAntenatal:
		l.term(out, "ontologyClass", &entry.Term{ID: "HP:0030674", Label: "Antenatal onset"})
	case entry.WhenAtBirth:
		l.term(out, "ontologyClass", &entry.Term{ID: "HP:0003577", Label: "Congenital onset"})
	case entry.WhenTimestamp:
		l.text(out, "timestamp", &w.A)
	case entry.WhenInterval:
		writeInterval(l, out, w.A, w.B)
	case entry.WhenDate:
		writeDate(l, out, w.A)
	}
	if out.Empty() {
		return nil
	}
	return out
}

func writeAge(l *lens, v *value, name, s string) {
	l.inside(v, name, func(v *value) { l.text(v, "iso8601duration", &s) })
}

func writeInterval(l *lens, v *value, from, to string) {
	l.inside(v, "interval", func(v *value) {
		l.text(v, "start", &from)
		l.text(v, "end", &to)
	})
}

// writeDate writes a day as a timestamp, a month or year as an interval.
func writeDate(l *lens, out *value, s string) {
	d, ok := entry.ParseDate(s)
	if !ok || !d.Known() {
		return
	}
	const layout = "2006-01-02T15:04:05Z"
	first, last := d.Span()
	from, to := first.Format(layout), last.Format(layout)
	if d.Precision() == entry.PrecisionDay {
		l.text(out, "timestamp", &from)
		return
	}
	writeInterval(l, out, from, to)
}
