package mapping

import (
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// A disease is one diagnosis of a row on its way into a packet.
type disease struct {
	codes    []string // the most telling first
	name     string
	excluded bool
}

// object writes the disease as the schema does. Codes beyond the first have no
// place there and stand in a member "raresync".
func (d disease) object(onset object) object {
	term := object{}
	if len(d.codes) > 0 {
		term["id"] = d.codes[0]
	}
	if d.name != "" {
		term["label"] = d.name
	}
	o := object{"term": term}
	if d.excluded {
		o["excluded"] = true
	}
	if onset != nil {
		o["onset"] = onset
	}
	if len(d.codes) > 1 {
		o["raresync"] = object{"codes": d.codes[1:]}
	}
	return o
}

// listed reports whether the national lists have the disease, by a code or a
// name that is whole.
func (d disease) listed(c *catalog.Catalog) bool {
	m := entry.Disease{Codes: d.codes, Text: d.name}.Resolve(c)
	return len(m.Counted()) > 0
}

// readCode reads the code of a disease as it stands in a packet: "LIST:1.27" or
// what catalog.NormalizeCode reads.
func readCode(text string) (string, bool) {
	text = strings.TrimSpace(halfWidth(text))
	if list, ok := strings.CutPrefix(strings.ToUpper(text), "LIST:"); ok {
		return listCode(list)
	}
	system, code, err := catalog.NormalizeCode(text)
	if err != nil || system == catalog.HP || system == catalog.HGNC {
		return "", false
	}
	return code, true
}

var listNumber = regexp.MustCompile(`^([1-9])[.\-]([1-9][0-9]{0,2})$`)

// listCode reads the number of a national list: 1.27.
func listCode(text string) (string, bool) {
	m := listNumber.FindStringSubmatch(wordKey(text))
	if m == nil {
		return "", false
	}
	return "LIST:" + m[1] + "." + m[2], true
}

// Marks between several diagnoses of one cell. Some names hold the weak ones.
var (
	numbered = regexp.MustCompile(`(?:^|[\s；;、，,。])[1-9][0-9]?(?:[)）]|[.．、](?:[^0-9]|$))|[(（][1-9][0-9]?[)）]`)
	strong   = regexp.MustCompile(`[;；|\n\r]+`)
	weak     = regexp.MustCompile(`[、，,]+`)
)

// split takes a cell apart into its diagnoses. A name that the lists have is
// whole as it stands; a weak mark separates only where every part is a code or
// a name that is known.
func (p *Profile) split(text string) []string {
	if text = strings.TrimSpace(text); text == "" || p.knows(text) {
		return nonEmpty([]string{text})
	}
	if parts := nonEmpty(strong.Split(unnumbered(text), -1)); len(parts) > 1 {
		var all []string
		for _, part := range parts {
			all = append(all, p.split(part)...)
		}
		return all
	} else if len(parts) == 1 {
		text = parts[0]
	}
	parts := nonEmpty(weak.Split(text, -1))
	for _, part := range parts {
		if !p.knows(part) {
			return []string{text}
		}
	}
	return parts
}

// unnumbered puts a strong mark in place of "1." and the like.
func unnumbered(text string) string {
	at := numbered.FindAllStringIndex(text, -1)
	if len(at) == 0 || strings.TrimSpace(text[:at[0][0]]) != "" {
		return text // numbers that begin in the middle number nothing
	}
	var b strings.Builder
	from := 0
	for _, m := range at {
		b.WriteString(text[from:m[0]])
		b.WriteByte(';')
		mark := text[m[0]:m[1]]
		from = m[1]
		if last := strings.LastIndexAny(mark, ".．、)）"); last >= 0 {
			_, size := lastMark(mark[last:])
			from = m[0] + last + size
		}
	}
	return b.String() + text[from:]
}

func lastMark(s string) (rune, int) {
	for _, r := range s {
		return r, len(string(r))
	}
	return 0, 0
}

func nonEmpty(parts []string) (out []string) {
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// knows reports whether a text alone is a diagnosis: a code, a word of the
// hospital, or a name of the lists.
func (p *Profile) knows(text string) bool {
	if _, ok := p.own(text); ok {
		return true
	}
	d := p.diagnosis(text)
	return len(d.codes) > 0 || catalog.Current().ByName(d.name).Found()
}

// own returns the code that the profile gives for the hospital's word.
func (p *Profile) own(text string) (string, bool) {
	for word, code := range p.Diseases {
		if wordKey(word) == wordKey(text) {
			return readCode(code)
		}
	}
	return "", false
}

// codeInText finds a code before or behind a name, also in brackets. ICD-10
// needs its dot or an extension: A10 could be anything.
var codeInText = regexp.MustCompile(`(?i)(?:^|[\s(（\[【])((?:LIST|ORPHA(?:NET)?|OMIM(?:PS)?|MIM|MONDO)[:：_ -]?[0-9.]+|[A-Z][0-9]{2}\.[0-9A-Z]{1,8}[+*†]?)(?:$|[\s)）\]】])`)

// diagnosis reads one diagnosis: a name, a code, or both.
func (p *Profile) diagnosis(text string) disease {
	if code, ok := readCode(text); ok {
		return disease{codes: []string{code}}
	}
	d := disease{name: strings.TrimSpace(text)}
	if code, ok := p.own(text); ok {
		d.codes = []string{code}
		return d
	}
	if catalog.Current().ByName(text).Found() {
		return d
	}
	for {
		m := codeInText.FindStringSubmatchIndex(d.name)
		if m == nil {
			return d
		}
		code, ok := readCode(strings.Replace(d.name[m[2]:m[3]], "：", ":", 1))
		if !ok {
			return d
		}
		d.codes = append(d.codes, code)
		d.name = strings.TrimSpace(strings.TrimSpace(d.name[:m[0]]) + " " + strings.TrimSpace(d.name[m[1]:]))
		if own, ok := p.own(d.name); ok {
			d.codes = append([]string{own}, d.codes...)
			return d
		}
	}
}
