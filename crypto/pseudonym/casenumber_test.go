package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func someCaseNumbers(n int) []CaseNumber {
	out := []CaseNumber{0, 1, 1<<60 - 1}
	for i := range n {
		out = append(out, NewCaseNumber([32]byte{9}, Pseudonym(sha256.Sum256(fmt.Appendf(nil, "%d", i)))))
	}
	return out
}

func TestCaseNumberIsTheFirst60BitsOfTheHMAC(t *testing.T) {
	key, p := [32]byte{1, 2}, Pseudonym{3, 4}
	m := hmac.New(sha256.New, key[:])
	m.Write(p[:])
	sum := m.Sum(nil)
	got := NewCaseNumber(key, p)
	if want := binary.BigEndian.Uint64(sum) >> 4; uint64(got) != want {
		t.Errorf("got %d, want %d", got, want)
	}
	// The same bits, five at a time from the front.
	var want strings.Builder
	for i := range 12 {
		bit := i * 5
		window := uint(sum[bit/8])<<8 | uint(sum[bit/8+1])
		want.WriteByte("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[window>>(11-bit%8)&31])
	}
	if digits := strings.ReplaceAll(got.String(), "-", "")[:12]; digits != want.String() {
		t.Errorf("digits %s, want %s", digits, want.String())
	}
}

func TestCaseNumberPrints(t *testing.T) {
	for number, want := range map[CaseNumber]string{
		0:         "0000-0000-0000-00",
		31:        "0000-0000-000Z-0Z",
		1020:      "0000-0000-00ZW-ZW",
		1021:      "0000-0000-00ZX-00",
		1<<60 - 1: "ZZZZ-ZZZZ-ZZZZ-" + string([]byte{crockford[(1<<60-1)%1021/32], crockford[(1<<60-1)%1021%32]}),
	} {
		if got := number.String(); got != want {
			t.Errorf("%d: got %s, want %s", number, got, want)
		}
		if got, err := ParseCaseNumber(want); err != nil || got != number {
			t.Errorf("%s: got %d, %v, want %d", want, got, err, number)
		}
	}
}

func TestEverySingleWrongDigitIsCaught(t *testing.T) {
	for _, c := range someCaseNumbers(100) {
		digits := []byte(strings.ReplaceAll(c.String(), "-", ""))
		for i, right := range digits {
			for _, wrong := range []byte(crockford) {
				if wrong == right {
					continue
				}
				digits[i] = wrong
				if _, err := ParseCaseNumber(string(digits)); !errors.Is(err, ErrCaseNumber) {
					t.Errorf("%s with digit %d typed as %c: got %v", c, i, wrong, err)
				}
			}
			digits[i] = right
		}
	}
}

// Not only neighbours: any two digits that have changed places.
func TestEveryTranspositionIsCaught(t *testing.T) {
	tried := 0
	for _, c := range someCaseNumbers(300) {
		digits := []byte(strings.ReplaceAll(c.String(), "-", ""))
		for i := range digits {
			for j := range i {
				if digits[i] == digits[j] {
					continue
				}
				tried++
				digits[i], digits[j] = digits[j], digits[i]
				if _, err := ParseCaseNumber(string(digits)); !errors.Is(err, ErrCaseNumber) {
					t.Errorf("%s with digits %d and %d swapped: got %v", c, j, i, err)
				}
				digits[i], digits[j] = digits[j], digits[i]
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d transpositions tried", tried)
	}
}

func TestParseCaseNumberForgives(t *testing.T) {
	// A number with zeros and ones, the digits that have look-alikes.
	want, err := ParseCaseNumber(CaseNumber(1<<55 | 1<<5 | 31).String())
	if err != nil {
		t.Fatal(err)
	}
	printed := want.String()
	for name, typed := range map[string]string{
		"as printed":          printed,
		"in lower case":       strings.ToLower(printed),
		"without hyphens":     strings.ReplaceAll(printed, "-", ""),
		"hyphens elsewhere":   "-" + strings.ReplaceAll(printed, "-", "--"),
		"I for 1":             strings.ReplaceAll(printed, "1", "I"),
		"L for 1":             strings.ReplaceAll(printed, "1", "L"),
		"O for 0":             strings.ReplaceAll(printed, "0", "O"),
		"i, l and o in lower": strings.NewReplacer("1", "l", "0", "o").Replace(printed),
	} {
		if got, err := ParseCaseNumber(typed); err != nil || got != want {
			t.Errorf("%s: %s: got %v, %v, want %v", name, typed, got, err, want)
		}
	}
}

func TestParseCaseNumberRefuses(t *testing.T) {
	good := CaseNumber(31).String()
	for name, typed := range map[string]string{
		"nothing":               "",
		"hyphens only":          "----",
		"a digit too few":       good[:len(good)-1],
		"a digit too many":      good + "0",
		"a U":                   strings.Replace(good, "Z", "U", 1),
		"a space":               strings.Replace(good, "-", " ", 1),
		"a full-width digit":    strings.Replace(good, "0", "０", 1),
		"bytes that no text is": "\xff" + good[1:],
		"check digits of 1021":  "0000-0000-00ZX-ZX",
	} {
		if got, err := ParseCaseNumber(typed); !errors.Is(err, ErrCaseNumber) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, ErrCaseNumber)
		}
	}
}

func FuzzParseCaseNumber(f *testing.F) {
	for _, c := range someCaseNumbers(2) {
		f.Add(c.String())
	}
	f.Add("oooo-oooo-oooi-ol")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCaseNumber(s)
		if err != nil {
			return
		}
		again, err := ParseCaseNumber(c.String())
		if err != nil || again != c {
			t.Errorf("%q: printed and read again: %v, %v, want %v", s, again, err, c)
		}
		plain := strings.NewReplacer("-", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(s))
		if want := strings.ReplaceAll(c.String(), "-", ""); plain != want {
			t.Errorf("%q means %s, read as %s", s, plain, want)
		}
	})
}
