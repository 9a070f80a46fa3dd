package mapping

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// person writes who the patient is as far as an entry says.
func (b *builder) person() object {
	s := object{"id": b.Subject}
	set(s, "sex", b.word("sex"))
	set(s, "dateOfBirth", birthTime(b.date("birth")))
	life := object{}
	switch b.word("status") {
	case "alive":
		life["status"] = "ALIVE"
	case "dead":
		life["status"] = "DECEASED"
	case "unknown":
		life["status"] = "UNKNOWN_STATUS"
	}
	if d := b.date("death_date"); d.Known() {
		life["timeOfDeath"] = pointInTime(d)
	}
	if cause := b.cause(); cause != nil {
		life["causeOfDeath"] = cause
	}
	if len(life) > 0 {
		s["vitalStatus"] = life
	}
	return s
}

// cause reads the cause of death: a code, with or without its name.
func (b *builder) cause() object {
	text := b.text("death_cause")
	if text == "" {
		return nil
	}
	d := b.profile.diagnosis(text)
	term := object{}
	if len(d.codes) > 0 {
		term["id"] = d.codes[0]
	}
	set(term, "label", d.name)
	return term
}

func (b *builder) metaData() object {
	meta := object{"phenopacketSchemaVersion": "2.0"}
	var list []any
	if text := b.text("reference"); text != "" {
		for _, id := range nonEmpty(strong.Split(text, -1)) {
			list = append(list, object{"id": strings.ToUpper(wordKey(id))})
		}
	}
	put(meta, "externalReferences", list)
	return meta
}

// extra writes the member "raresync".
func (b *builder) extra() object {
	x := object{}
	if d := b.date2("birth"); d.Known() && birthTime(d) == "" {
		x["birth"] = d.String()
	}
	switch status := b.known("status"); status {
	case "lost", "opted out":
		x["status"] = status
	case "dead":
		if b.unknownDeath() {
			x["deathDateUnknown"] = true
		}
	}
	set(x, "department", b.text("department"))
	set(x, "province", b.word("province"))
	set(x, "diagnosisDate", b.date("diagnosis_date").String())
	set(x, "verification", b.word("verification"))
	set(x, "firstContact", b.date("first_contact").String())
	set(x, "familyHistory", b.word("family_history"))
	set(x, "consanguinity", b.word("consanguinity"))
	set(x, "referredFrom", b.text("referred_from"))
	set(x, "payer", b.text("payer"))
	set(x, "basis", b.word("basis"))
	consent := object{}
	set(consent, "by", b.word("consent_by"))
	set(consent, "date", b.date("consent_date").String())
	if len(consent) > 0 {
		x["consent"] = consent
	}
	b.number(x, "hospitalsBefore", "hospitals_before", "家")
	if test := b.test(); len(test) > 0 {
		x["geneticTest"] = test
	}
	single(x, "followUps", b.visit())
	single(x, "specimens", b.specimen())
	single(x, "treatments", b.treatment())
	single(x, "referrals", b.referral())
	return x
}

// single writes a list of one part, if it says anything.
func single(into object, name string, part object) {
	if len(part) > 0 {
		into[name] = []any{part}
	}
}

// number writes a whole number, which may come with a unit.
func (b *builder) number(into object, name, key, unit string) {
	c, ok := b.cell(key)
	if !ok {
		return
	}
	if n, err := strconv.ParseUint(wordKey(strings.TrimSuffix(c.Text, unit)), 10, 31); err == nil {
		into[name] = n
	} else {
		b.find("DX003", key, rule.Mask(c.Text)+"; want a whole number")
	}
}

// date2 reads a date again, without saying again what is wrong with it.
func (b *builder) date2(key string) (d entry.Date) {
	c, ok := b.cell(key)
	if ok {
		d, _, _ = parseDate(c)
	}
	return d
}

// known returns the name of a word, without saying that it has none.
func (b *builder) known(key string) string {
	c, ok := b.cell(key)
	if !ok {
		return ""
	}
	return fieldOf(key).words.find(b.own(key, c.Text))
}

// unknownDeath reports whether the table says that nobody knows the date.
func (b *builder) unknownDeath() bool {
	i, ok := b.layout.columns["death_date"]
	if !ok {
		return false
	}
	for _, row := range b.rows {
		if word := wordKey(row.Cell(i).Text); word == "不详" || word == "未知" || word == "unknown" {
			return true
		}
	}
	return false
}

func (b *builder) onset() object {
	for _, key := range []string{"onset", "onset_age"} {
		c, ok := b.cell(key)
		if !ok {
			continue
		}
		c.Text = b.own(key, c.Text)
		if key == "onset_age" && isDigits(wordKey(c.Text)) && len(c.Text) <= 3 {
			c.Text += "岁"
		}
		o, sure, ok := parseOnset(c)
		if !ok {
			b.find("DT001", key, rule.Mask(c.Text)+"; want a date, or an age as 8岁, 3个月, P8Y")
		} else if !sure {
			b.find("DT004", key, "day or month? the year alone is taken")
		}
		if o != nil {
			return o
		}
	}
	return nil
}

var hpoID = regexp.MustCompile(`(?i)HP[:：_ ]?([0-9]{7})`)

// features reads the columns of features, of all rows.
func (b *builder) features() (list []any) {
	for _, key := range []string{"features", "features_absent"} {
		i, ok := b.layout.columns[key]
		for _, row := range b.rows {
			if !ok || b.isMissing(key, row.Cell(i)) {
				continue
			}
			b.places[key] = table.Place{File: b.file, Sheet: b.Sheet, Row: row.Number, Column: i + 1, Head: b.head(i)}
			absent := key == "features_absent" || b.absent(row)
			for _, part := range nonEmpty(featureMarks.Split(halfWidth(row.Cell(i).Text), -1)) {
				if f := b.feature(key, part, absent); f != nil {
					list = append(list, f)
				}
			}
		}
	}
	return list
}

var featureMarks = regexp.MustCompile(`[;；、,，|\n\r]+`)

// absent reports whether the row says so of its feature.
func (b *builder) absent(row table.Row) bool {
	i, ok := b.layout.columns["feature_status"]
	return ok && presenceWords.find(b.own("feature_status", row.Cell(i).Text)) == "absent"
}

func (b *builder) feature(key, part string, absent bool) object {
	at := hpoID.FindStringSubmatchIndex(part)
	if at == nil {
		b.find("PH001", key, rule.Mask(part))
		return nil
	}
	kind := object{"id": "HP:" + part[at[2]:at[3]]}
	set(kind, "label", strings.Trim(part[:at[0]]+part[at[1]:], " ()[]（）-:"))
	f := object{"type": kind}
	if absent {
		f["excluded"] = true
	}
	return f
}
