package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/rule"
)

func TestCheckDigit(t *testing.T) {
	for _, id := range append([]string{"810000199003075174", "83000019810715006X"}, specimens...) {
		if got := CheckDigit(id[:17]); got != id[17] {
			t.Errorf("%s: got %c", id, got)
		}
	}
	for _, bad := range []string{"", "1101051949123100", "1101051949123100X", "110105194912310021"} {
		if got := CheckDigit(bad); got != 0 {
			t.Errorf("%q: got %c, want none", bad, got)
		}
	}
}

func TestCheckDigitSeesEverySlip(t *testing.T) {
	for i := range 17 {
		for d := byte('0'); d <= '9'; d++ {
			b := []byte(sample[:17])
			b[i] = d
			if same := CheckDigit(string(b)) == sample[17]; same != (d == sample[i]) {
				t.Errorf("digit %c in place %d: check digit the same is %v", d, i, same)
			}
		}
	}
	for i := range 16 {
		b := []byte(sample[:17])
		b[i], b[i+1] = b[i+1], b[i]
		if same := CheckDigit(string(b)) == sample[17]; same != (b[i] == b[i+1]) {
			t.Errorf("places %d and %d transposed: check digit the same is %v", i, i+1, same)
		}
	}
}

func TestCheckUSCC(t *testing.T) {
	for name, tc := range map[string]struct {
		code string
		ok   bool
	}{
		"right":                           {"91350100M000100Y43", true},
		"the widely printed wrong one":    {"91350100M000100Y4Z", false},
		"one digit changed":               {"91350100M000100Y44", false},
		"transposed":                      {"91350100M000010Y43", false},
		"letter that the code leaves out": {"9135010OM000100Y43", false},
		"lower case":                      {"91350100m000100y43", false},
		"17 characters":                   {"91350100M000100Y4", false},
		"empty":                           {"", false},
	} {
		err := CheckUSCC(tc.code)
		var refusal *rule.Refusal
		if tc.ok != (err == nil) || err != nil && (!errors.As(err, &refusal) || refusal.Code() != "OR001") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCountriesAreISO3166(t *testing.T) {
	if len(countries) != 249 || !slices.IsSorted(countries) || len(slices.Compact(slices.Clone(countries))) != 249 {
		t.Errorf("%d codes, sorted %v; want 249 different ones", len(countries), slices.IsSorted(countries))
	}
	for code, want := range map[string]bool{"CHN": true, "TWN": true, "ABW": true, "ZWE": true, "ROM": false, "CHI": false, "": false, "ZZZ": false} {
		if knownCountry(code) != want {
			t.Errorf("%q: want %v", code, want)
		}
	}
}

// A changed table changes pseudonyms: it needs idnorm v2, not a new hash here.
func TestCodePointTableIsFrozen(t *testing.T) {
	h := sha256.New()
	for r := range rune(0x110000) {
		if out := fold(string([]rune{'0', r, '0'})); r < 0xD800 || r > 0xDFFF {
			fmt.Fprintf(h, "%x %s\n", r, out)
		}
	}
	const want = "4b066b161ac9c258ace3275ad2e612e03a8593fc46837fba9f87ab0657916768"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCodePointSpansAreDisjoint(t *testing.T) {
	for i, a := range codePoints {
		if a.lo > a.hi || a.lo < 0x80 && a.hi >= 0x80 {
			t.Errorf("span %x-%x", a.lo, a.hi)
		}
		for _, b := range codePoints[i+1:] {
			if a.lo <= b.hi && b.lo <= a.hi {
				t.Errorf("spans %x-%x and %x-%x overlap", a.lo, a.hi, b.lo, b.hi)
			}
		}
	}
}

func TestCheckBirth(t *testing.T) {
	id := must(t, RIC, sample)
	for name, tc := range map[string]struct {
		given Date
		want  rule.Severity
	}{
		"same day":                 {Date{1949, 12, 31}, 0},
		"other day":                {Date{1949, 12, 30}, rule.W},
		"other month":              {Date{1949, 11, 31}, rule.E},
		"other year":               {Date{1950, 12, 31}, rule.E},
		"day not given":            {Date{1949, 12, 0}, 0},
		"day not given, month off": {Date{1949, 11, 0}, rule.E},
		"only the year given":      {Date{1949, 0, 0}, 0},
		"nothing given":            {Date{}, 0},
	} {
		f, found := CheckBirth(id, tc.given)
		if f.Severity != tc.want || found != (tc.want != 0) || found && f.Code != "ID006" {
			t.Errorf("%s: got %v %v", name, f, found)
		}
	}
	if f, found := CheckBirth(must(t, HKM, "H12345678"), Date{1949, 12, 31}); found {
		t.Errorf("a document without a date: got %v", f)
	}
}

func TestCheckSex(t *testing.T) {
	id := must(t, RIC, sample)
	for given, want := range map[Sex]bool{Female: false, Unstated: false, Male: true} {
		f, found := CheckSex(id, given)
		if found != want || found && (f.Code != "ID007" || f.Severity != rule.Q) {
			t.Errorf("given %d: got %v %v", given, f, found)
		}
	}
	if _, found := CheckSex(must(t, TWP, "12345678"), Male); found {
		t.Error("a document without parity disagrees")
	}
}

func TestRoundedTails(t *testing.T) {
	a, b := must(t, RIC, "110105189901018000"), must(t, RIC, otherRounded())
	plain, permit := must(t, RIC, sample), must(t, TWP, "12345000")
	for name, tc := range map[string]struct {
		ids  []Identity
		want []int
	}{
		"two different ones":           {[]Identity{plain, a, {}, b}, []int{1, 3}},
		"one alone is normal":          {[]Identity{plain, a}, nil},
		"one patient on two rows":      {[]Identity{a, plain, a}, nil},
		"two rows and another patient": {[]Identity{a, a, b}, []int{0, 1, 2}},
		"a permit may end so":          {[]Identity{a, permit}, nil},
		"an empty file":                {nil, nil},
	} {
		if got := RoundedTails(tc.ids); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

// otherRounded returns a well-formed number of 1898 that ends in 000.
func otherRounded() string {
	for area := 110101; ; area++ {
		first := fmt.Sprintf("%d18980101100", area)
		if CheckDigit(first) == '0' {
			return first + "0"
		}
	}
}
