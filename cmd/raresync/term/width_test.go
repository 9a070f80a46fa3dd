package term

import (
	"testing"
	"unicode/utf8"
)

func TestWidth(t *testing.T) {
	for name, tc := range map[string]struct {
		s    string
		want int
	}{
		"nothing":                                     {"", 0},
		"Latin letters take a cell each":              {"hospital", 8},
		"Han characters take two":                     {"罕见病", 6},
		"a rare Han character outside the BMP":        {"𠮷", 2},
		"fullwidth forms take two":                    {"ＡＢ１", 6},
		"halfwidth katakana takes one":                {"ｱ", 1},
		"Hangul syllables take two":                   {"병원", 4},
		"a decomposed Hangul syllable takes two":      {"\u1107\u1167\u11bc", 2},
		"a combining mark joins its letter":           {"e\u0301", 1},
		"a variation selector joins its character":    {"葛\U000e0100", 2},
		"zero-width characters":                       {"\u200b\u200d\ufeff", 0},
		"an ambiguous mark counts as one":             {"✓", 1},
		"an emoji takes two":                          {"✅", 2},
		"mixed text adds up":                          {"A 医院 1", 8},
		"a byte that is no UTF-8 takes one":           {"\xff", 1},
		"the ideographic space and the wide hyphen":   {"\u3000－", 4},
		"the last wide character and the next narrow": {"\U0003fffd\U0003fffe", 3},
	} {
		if got := Width(tc.s); got != tc.want {
			t.Errorf("%s: Width(%q) = %d, want %d", name, tc.s, got, tc.want)
		}
	}
}

func TestWideTableIsSorted(t *testing.T) {
	last := rune(-1)
	check := func(lo, hi rune) {
		if lo <= last || hi < lo {
			t.Errorf("range %#x..%#x is out of order after %#x", lo, hi, last)
		}
		last = hi
	}
	for _, r := range wide.R16 {
		check(rune(r.Lo), rune(r.Hi))
	}
	for _, r := range wide.R32 {
		check(rune(r.Lo), rune(r.Hi))
	}
}

func FuzzCut(f *testing.F) {
	f.Add("罕见病 registry", 5)
	f.Add("e\u0301\xff", 0)
	f.Fuzz(func(t *testing.T, s string, cells int) {
		if cells < 0 || !utf8.ValidString(s) {
			return
		}
		got := cut(s, cells)
		if Width(got) > cells {
			t.Errorf("cut(%q, %d) = %q takes %d cells", s, cells, got, Width(got))
		}
		if rest := s[len(got):]; rest != "" {
			if _, size := utf8.DecodeRuneInString(rest); Width(got+rest[:size]) <= cells {
				t.Errorf("cut(%q, %d) = %q leaves out a character that fits", s, cells, got)
			}
		}
	})
}
