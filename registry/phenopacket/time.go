package phenopacket

import "github.com/raresync/raresync/registry/entry"

// when connects a point in life with a TimeElement.
func (l *lens) when(v *value, name string, w *entry.When) {
	if l.writing {
		if element := timeElement(*w); element != nil {
			v.set(name, element)
		}
		return
	}
	*w = readWhen(v.get(name))
}

// readWhen takes the first form of a TimeElement that it finds.
func readWhen(v *value) entry.When {
	switch {
	case v.at("age", "iso8601duration").str() != "":
		return entry.When{Kind: entry.WhenAge, A: v.at("age", "iso8601duration").str()}
	case v.get("ageRange").isObject():
		r := v.get("ageRange")
		return pair(entry.WhenAgeRange, r.at("start", "iso8601duration").str(), r.at("end", "iso8601duration").str())
	case v.get("gestationalAge").isObject():
		g := v.get("gestationalAge")
		return pair(entry.WhenGestational, digitsOf(g.get("weeks")), digitsOf(g.get("days")))
	case v.get("ontologyClass").isObject():
		return pair(entry.WhenClass, v.at("ontologyClass", "id").str(), v.at("ontologyClass", "label").str())
	case v.get("timestamp").str() != "":
		return entry.When{Kind: entry.WhenTimestamp, A: v.get("timestamp").str()}
	case v.get("interval").isObject():
		return pair(entry.WhenInterval, v.at("interval", "start").str(), v.at("interval", "end").str())
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
	if v == nil || v.kind != number {
		return ""
	}
	return v.text
}

// timeElement writes a point in life as a TimeElement, or nil where the
// schema has no word for it.
func timeElement(w entry.When) *value {
	l := &lens{writing: true}
	out := newObject()
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
	if out.empty() {
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
