package identity

import "strings"

// A span maps the code points from lo to hi, both included. This is idnorm
// v1's own table and it is frozen: a library's normalisation forms change
// with Unicode versions, and one changed mapping changes pseudonyms.
type span struct {
	lo, hi rune
	to     string // "" drops; one character replaces all of the span
	shift  rune   // with to == "", not 0: subtracted from the code point
}

// maskMark is what every mask character folds to.
const maskMark = "*"

// codePoints is consulted for everything outside [0-9A-Z]. What it does not
// list stays as it is and is refused later, except that lower-case ASCII
// letters are raised.
var codePoints = []span{
	// White space.
	{lo: 0x0009, hi: 0x000D}, {lo: 0x0020, hi: 0x0020}, {lo: 0x0085, hi: 0x0085},
	{lo: 0x00A0, hi: 0x00A0}, {lo: 0x1680, hi: 0x1680}, {lo: 0x2000, hi: 0x200A},
	{lo: 0x2028, hi: 0x2029}, {lo: 0x202F, hi: 0x202F}, {lo: 0x205F, hi: 0x205F},
	{lo: 0x3000, hi: 0x3000},
	// Zero width: soft hyphen, joiners, direction marks, variation
	// selectors, byte order mark.
	{lo: 0x00AD, hi: 0x00AD}, {lo: 0x061C, hi: 0x061C}, {lo: 0x180E, hi: 0x180E},
	{lo: 0x200B, hi: 0x200F}, {lo: 0x202A, hi: 0x202E}, {lo: 0x2060, hi: 0x2064},
	{lo: 0x2066, hi: 0x2069}, {lo: 0xFE00, hi: 0xFE0F}, {lo: 0xFEFF, hi: 0xFEFF},
	// Hyphens, dashes and what is typed for them.
	{lo: 0x002D, hi: 0x002D}, {lo: 0x02D7, hi: 0x02D7}, {lo: 0x2010, hi: 0x2015},
	{lo: 0x2043, hi: 0x2043}, {lo: 0x2212, hi: 0x2212}, {lo: 0x2500, hi: 0x2501},
	{lo: 0x2E3A, hi: 0x2E3B}, {lo: 0x30FC, hi: 0x30FC}, {lo: 0xFE58, hi: 0xFE58},
	{lo: 0xFE63, hi: 0xFE63}, {lo: 0xFF0D, hi: 0xFF0D}, {lo: 0xFF70, hi: 0xFF70},
	// Masks: full-width and look-alikes of the asterisk, bullets, blocks.
	{lo: 0x0023, hi: 0x0023, to: maskMark}, {lo: 0x003F, hi: 0x003F, to: maskMark},
	{lo: 0x005F, hi: 0x005F, to: maskMark}, {lo: 0x00B7, hi: 0x00B7, to: maskMark},
	{lo: 0x2022, hi: 0x2022, to: maskMark}, {lo: 0x2026, hi: 0x2027, to: maskMark},
	{lo: 0x203B, hi: 0x203B, to: maskMark}, {lo: 0x204E, hi: 0x204E, to: maskMark},
	{lo: 0x2217, hi: 0x2217, to: maskMark}, {lo: 0x2219, hi: 0x2219, to: maskMark},
	{lo: 0x22C5, hi: 0x22C6, to: maskMark}, {lo: 0x2580, hi: 0x25A1, to: maskMark},
	{lo: 0x25CB, hi: 0x25CB, to: maskMark}, {lo: 0x25CF, hi: 0x25CF, to: maskMark},
	{lo: 0x25EF, hi: 0x25EF, to: maskMark}, {lo: 0x2605, hi: 0x2606, to: maskMark},
	{lo: 0x2731, hi: 0x2731, to: maskMark}, {lo: 0x30FB, hi: 0x30FB, to: maskMark},
	{lo: 0xFE61, hi: 0xFE61, to: maskMark}, {lo: 0xFF03, hi: 0xFF03, to: maskMark},
	{lo: 0xFF0A, hi: 0xFF0A, to: maskMark}, {lo: 0xFF1F, hi: 0xFF1F, to: maskMark},
	{lo: 0xFF3F, hi: 0xFF3F, to: maskMark},
	// Look-alikes of X: multiplication signs, crosses, Greek chi, Cyrillic
	// ha, Roman numeral ten.
	{lo: 0x00D7, hi: 0x00D7, to: "X"}, {lo: 0x03A7, hi: 0x03A7, to: "X"},
	{lo: 0x03C7, hi: 0x03C7, to: "X"}, {lo: 0x0425, hi: 0x0425, to: "X"},
	{lo: 0x0445, hi: 0x0445, to: "X"}, {lo: 0x2169, hi: 0x2169, to: "X"},
	{lo: 0x2179, hi: 0x2179, to: "X"}, {lo: 0x2573, hi: 0x2573, to: "X"},
	{lo: 0x2613, hi: 0x2613, to: "X"}, {lo: 0x2715, hi: 0x2718, to: "X"},
	{lo: 0x2A2F, hi: 0x2A2F, to: "X"},
	// Brackets of other shapes; a Taiwan travel permit may carry them.
	{lo: 0x005B, hi: 0x005B, to: "("}, {lo: 0x005D, hi: 0x005D, to: ")"},
	{lo: 0x3010, hi: 0x3010, to: "("}, {lo: 0x3011, hi: 0x3011, to: ")"},
	{lo: 0xFF3B, hi: 0xFF3B, to: "("}, {lo: 0xFF3D, hi: 0xFF3D, to: ")"},
	// Letters: ASCII lower case raised, then the full-width forms.
	{lo: 'a', hi: 'z', shift: 'a' - 'A'},
	{lo: 0xFF08, hi: 0xFF09, shift: 0xFEE0}, // brackets
	{lo: 0xFF0B, hi: 0xFF0B, shift: 0xFEE0}, // plus, for "E+"
	{lo: 0xFF0E, hi: 0xFF0E, shift: 0xFEE0}, // full stop
	{lo: 0xFF10, hi: 0xFF19, shift: 0xFEE0}, // digits
	{lo: 0xFF21, hi: 0xFF3A, shift: 0xFEE0}, // upper case
	{lo: 0xFF41, hi: 0xFF5A, shift: 0xFF00}, // lower case, raised
}

// fold applies the table to a value.
func fold(raw string) string {
	var b strings.Builder
	b.Grow(len(raw))
	for _, r := range trimTextMark(raw) {
		foldRune(&b, r)
	}
	return b.String()
}

func foldRune(b *strings.Builder, r rune) {
	if '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' {
		b.WriteByte(byte(r))
		return
	}
	for _, s := range codePoints {
		if r < s.lo || r > s.hi {
			continue
		}
		if s.shift != 0 {
			b.WriteRune(r - s.shift)
		} else {
			b.WriteString(s.to)
		}
		return
	}
	b.WriteRune(r)
}

// trimTextMark removes one leading apostrophe, with which a spreadsheet marks
// a cell as text.
func trimTextMark(raw string) string {
	for _, mark := range []string{"'", "\u2018", "\u2019", "\uFF07"} {
		if rest, ok := strings.CutPrefix(raw, mark); ok {
			return rest
		}
	}
	return raw
}

// alphanumeric reports whether s is one or more of [0-9A-Z].
func alphanumeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// digits reports whether s is one or more of [0-9].
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
