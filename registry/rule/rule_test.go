package rule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestEveryRuleHasBothTexts(t *testing.T) {
	for lang, table := range map[string]map[string]text{"en": english, "zh": chinese} {
		for code := range table {
			if !Known(code) {
				t.Errorf("%s: %s is no rule", lang, code)
			}
		}
		for _, code := range Codes() {
			what, todo := Text(code, lang)
			if what == "" || todo == "" || what == code {
				t.Errorf("%s: %s has no text", lang, code)
			}
			chinese := strings.ContainsFunc(what+todo, func(r rune) bool { return unicode.Is(unicode.Han, r) })
			if chinese != (lang == "zh") {
				t.Errorf("%s: %s is in another language: %s", lang, code, what)
			}
		}
	}
	if len(english) != len(severities) || len(chinese) != len(severities) {
		t.Errorf("%d rules, %d English and %d Chinese texts", len(severities), len(english), len(chinese))
	}
}

func TestEveryTextIsASentenceOfItsOwn(t *testing.T) {
	for _, lang := range Languages() {
		seen := map[string]string{}
		for _, code := range Codes() {
			what, todo := Text(code, lang)
			if other, twice := seen[what]; twice {
				t.Errorf("%s: %s and %s say the same", lang, other, code)
			}
			seen[what] = code
			for _, s := range []string{what, todo} {
				if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "。") {
					t.Errorf("%s: %s: %q is no sentence", lang, code, s)
				}
			}
		}
	}
}

func TestTextOfTheUnknown(t *testing.T) {
	if what, todo := Text("ZZ999", "zh"); what != "ZZ999" || todo != "" {
		t.Errorf("unknown code: got %q %q", what, todo)
	}
	english, _ := Text("ID002", "en")
	if what, _ := Text("ID002", "fr"); what != english {
		t.Errorf("unknown language: got %q", what)
	}
	if SeverityOf("ZZ999") != E || Known("ZZ999") {
		t.Error("an unknown code does not refuse")
	}
}

func TestCodesAreWellFormed(t *testing.T) {
	form := regexp.MustCompile(`^[A-Z]{2,4}[0-9]{3}$`)
	codes := Codes()
	for _, code := range codes {
		if !form.MatchString(code) || SeverityOf(code).String() == "?" {
			t.Errorf("%s %s", code, SeverityOf(code))
		}
	}
	if !slices.IsSorted(codes) {
		t.Error("Codes is not sorted")
	}
	if Severity('x').String() != "?" {
		t.Error("a severity of no rule has a letter")
	}
}

func TestRefusal(t *testing.T) {
	found := []Finding{Find("ID010", "id", ""), Find("ID002", "id", "check digit"), Find("ID003", "id", "")}
	err := fmt.Errorf("row 7: %w", Refusals(found))
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Code() != "ID002" || len(refusal.Findings) != 2 {
		t.Fatalf("got %v", err)
	}
	if want := "row 7: refused: ID002 E id: check digit; ID003 E id"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if err := Refusals(found[:1]); err != nil {
		t.Errorf("a flag refuses: %v", err)
	}
	if r := Refuse("ID006", "birth", ""); r.Code() != "ID006" || r.Findings[0].Severity != E {
		t.Errorf("got %v", r)
	}
	var none *Refusal
	if none.Code() != "" || none.Error() != "refused" {
		t.Errorf("a nil refusal says %q %q", none.Code(), none)
	}
}

func TestMask(t *testing.T) {
	for value, want := range map[string]string{
		"":                    "",
		"x":                   "***",
		"13800138000":         "***",
		"H1234567801":         "***",
		"11010519491231002X":  "110***X",
		"一二三四五六七八九十甲乙":        "一二三***乙",
		"\x1b[31m67890123\n":  "?[3***?",
		"\xff\xfe45678901234": "\uFFFD\uFFFD4***4",
	} {
		if got := Mask(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

// The texts are read by people in tables: they stay short.
func TestTextsAreShort(t *testing.T) {
	for code, e := range english {
		if len(e.what) > 120 || len(e.todo) > 140 {
			t.Errorf("%s: %d and %d bytes", code, len(e.what), len(e.todo))
		}
	}
}
