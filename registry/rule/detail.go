package rule

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Detail returns a finding's detail in "zh" or, for any other language, in English,
// in which details are made. It knows the phrases that this repository's rules use;
// values within them, and a detail that is none of them, stay as they are.
func Detail(detail, lang string) string {
	if lang != "zh" || detail == "" {
		return detail
	}
	if zh, ok := fixedDetails[detail]; ok {
		return zh
	}
	for _, p := range detailPatterns {
		if values, ok := p.match(detail); ok {
			return p.fill(values)
		}
	}
	return detail
}

// A pattern is a detail with values in it: what stands around each of them, in
// English, and the sentence in Chinese, which names them as %1, %2.
type pattern struct {
	around []string
	zh     string
}

// detailPatterns are those of [details] that hold values. The one that says most
// goes first, so that "no sheet %s" is not taken for "no %s".
var detailPatterns = func() (list []pattern) {
	for en, zh := range details {
		if strings.Contains(en, "%s") {
			list = append(list, pattern{strings.Split(en, "%s"), zh})
		}
	}
	slices.SortFunc(list, func(a, b pattern) int {
		one, other := strings.Join(a.around, "%s"), strings.Join(b.around, "%s")
		return cmp.Or(len(other)-len(one), strings.Compare(one, other))
	})
	return list
}()

// fixedDetails are those of [details] without values.
var fixedDetails = func() map[string]string {
	fixed := map[string]string{}
	for en, zh := range details {
		if !strings.Contains(en, "%s") {
			fixed[en] = zh
		}
	}
	return fixed
}()

// match returns the values of a detail that has the pattern's form.
func (p pattern) match(detail string) (values []string, ok bool) {
	rest, ok := strings.CutPrefix(detail, p.around[0])
	for i, between := range p.around[1:] {
		if !ok {
			return nil, false
		}
		at := strings.Index(rest, between)
		if i == len(p.around)-2 { // the last ends the detail
			at = len(rest) - len(between)
		}
		if at < 1 || rest[at:][:len(between)] != between {
			return nil, false
		}
		values, rest = append(values, rest[:at]), rest[at+len(between):]
	}
	return values, ok
}

// fill writes the sentence with the values. One that is itself a phrase is said in
// Chinese as well.
func (p pattern) fill(values []string) string {
	var pairs []string
	for i, v := range values {
		pairs = append(pairs, "%"+strconv.Itoa(i+1), Detail(v, "zh"))
	}
	return strings.NewReplacer(pairs...).Replace(p.zh)
}
