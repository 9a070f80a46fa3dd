package catalog

import (
	"strconv"
	"strings"
	"unicode"
)

// squeeze folds full-width ASCII to ASCII and drops white space and
// zero-width characters.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// looseMarks are left out when names are compared: brackets, hyphens and
// apostrophes, which people type differently or not at all.
const looseMarks = "()[]【】〔〕{}<>《》-‐‑‒–—−'’‘`´"

// sameLetters are pairs that count as equal in names, old first.
var sameLetters = strings.NewReplacer(
	"ç", "c", "é", "e", "è", "e", "ö", "o", "ü", "u", "ï", "i", "å", "a",
	"ⅰ", "i", "ⅱ", "ii", "ⅲ", "iii", "ⅳ", "iv", "ⅴ", "v", "ⅵ", "vi", "ⅶ", "vii",
	"黏", "粘")

// nameKey returns the form in which names are compared: without spaces,
// brackets, hyphens, apostrophes, case, width and accents.
func nameKey(name string) string {
	flat := strings.Map(func(r rune) rune {
		if strings.ContainsRune(looseMarks, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, squeeze(name))
	return sameLetters.Replace(flat)
}

// Search returns the rows that a person typing text may mean, in the order of
// the lists: by reference ("1.68"), by number in either list, by code, by part
// of a name in either language. An empty text finds nothing.
func (c *Catalog) Search(text string) []*Disease {
	if len(text) > maxQueryBytes {
		return nil
	}
	key := nameKey(text)
	if key == "" {
		return nil
	}
	if d := c.byRef(squeeze(text)); d != nil {
		return []*Disease{d}
	}
	rows := c.byCode(text)
	for name, named := range c.names {
		if strings.Contains(name, key) {
			rows = append(rows, named...)
		}
	}
	for i := range c.diseases {
		if strconv.Itoa(c.diseases[i].Number) == key {
			rows = append(rows, &c.diseases[i])
		}
	}
	return match(rows, "").Diseases // in order, each once
}

// byRef reads "list.number".
func (c *Catalog) byRef(text string) *Disease {
	list, number, ok := strings.Cut(text, ".")
	l, errList := strconv.Atoi(list)
	n, errNumber := strconv.Atoi(number)
	if !ok || errList != nil || errNumber != nil {
		return nil
	}
	return c.refs[[2]int{l, n}]
}

func (c *Catalog) byCode(text string) []*Disease {
	var rows []*Disease
	if id, ok := read(text, ORPHA); ok {
		rows = append(rows, c.orpha[id]...)
	}
	for _, m := range []Match{c.ByOMIM(text), c.ByICD10(text)} {
		rows = append(rows, m.Diseases...)
	}
	return rows
}
