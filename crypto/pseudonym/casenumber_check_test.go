package pseudonym

import (
	"strings"
	"testing"
)

func TestAMistypedCaseNumberIsToldWhatIsWrong(t *testing.T) {
	want := CaseNumber(1<<55 | 1<<5 | 31)
	good := want.String() // 1000-0000-001Z-..
	plain := []byte(strings.ReplaceAll(good, "-", ""))
	swapped := append([]byte(nil), plain...)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	mistyped := append([]byte(nil), plain...)
	mistyped[4] = '7'
	for name, tc := range map[string]struct {
		typed string
		want  CaseNumberCheck
	}{
		"as printed":              {good, CaseNumberCheck{Number: want, Digits: 14}},
		"with spaces for hyphens": {" " + strings.ReplaceAll(good, "-", " ") + "\t", CaseNumberCheck{Number: want, Digits: 14}},
		"with other dashes and look-alikes": {
			strings.NewReplacer("-", "–", "1", "l", "0", "o").Replace(good), CaseNumberCheck{Number: want, Digits: 14},
		},
		"nothing":                        {"- -", CaseNumberCheck{Fault: TooFewDigits}},
		"a digit too few":                {good[:16], CaseNumberCheck{Fault: TooFewDigits, Digits: 13}},
		"a digit too many":               {good + "0", CaseNumberCheck{Fault: TooManyDigits, Digits: 15}},
		"a U":                            {"U" + good[1:], CaseNumberCheck{Fault: WrongDigit, At: 1, Digits: 14}},
		"a full-width digit":             {good[:16] + "０", CaseNumberCheck{Fault: WrongDigit, At: 14, Digits: 14}},
		"two neighbours swapped":         {string(swapped), CaseNumberCheck{Fault: SwappedDigits, At: 1, Digits: 14}},
		"one digit mistyped":             {string(mistyped), CaseNumberCheck{Fault: WrongCheck, Digits: 14}},
		"bytes that are no text at all":  {"\xff" + good[1:], CaseNumberCheck{Fault: WrongDigit, At: 1, Digits: 14}},
		"far too much, all of it digits": {strings.Repeat("0", 10000), CaseNumberCheck{Fault: TooManyDigits, Digits: 10000}},
	} {
		if got := CheckCaseNumber(tc.typed); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

// The guess about a swap is made for every swap, and seldom for another fault.
func TestSwapsAreTold(t *testing.T) {
	others, guessed := 0, 0
	for _, c := range someCaseNumbers(100) {
		digits := []byte(strings.ReplaceAll(c.String(), "-", ""))
		for i := range len(digits) - 1 {
			if digits[i] == digits[i+1] {
				continue
			}
			digits[i], digits[i+1] = digits[i+1], digits[i]
			if got := CheckCaseNumber(string(digits)); got.Fault != SwappedDigits {
				t.Errorf("%s with digits %d and %d swapped: %+v", c, i+1, i+2, got)
			}
			digits[i], digits[i+1] = digits[i+1], digits[i]
		}
		for i, right := range digits {
			digits[i] = crockford[(strings.IndexByte(crockford, right)+11)%32]
			others++
			if CheckCaseNumber(string(digits)).Fault == SwappedDigits {
				guessed++
			}
			digits[i] = right
		}
	}
	if guessed*20 > others {
		t.Errorf("%d of %d single faults are taken for a swap", guessed, others)
	}
}
