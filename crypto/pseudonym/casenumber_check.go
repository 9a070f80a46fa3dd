package pseudonym

import "unicode"

// CaseNumberFault says what keeps typed text from being a case number.
type CaseNumberFault uint8

// The faults, in the order in which they are looked for.
const (
	NoFault      CaseNumberFault = iota
	WrongDigit                   // a character that no case number has
	TooFewDigits                 // of 14
	TooManyDigits
	SwappedDigits // the check digits would fit if two neighbours changed places
	WrongCheck    // the check digits do not fit
)

// A CaseNumberCheck is what CheckCaseNumber found.
type CaseNumberCheck struct {
	Number CaseNumber // if Fault is NoFault
	Fault  CaseNumberFault
	// At is the place of the wrong character among the digits, or of the
	// first of the two swapped ones, from 1; else 0.
	At int
	// Digits is how many digits there are.
	Digits int
}

// CheckCaseNumber reads a case number as [ParseCaseNumber] does, with spaces
// and dashes of any kind left out, and says what is wrong with it. That digits
// are swapped is a guess: of the texts with another fault about one in eighty
// looks so too.
func CheckCaseNumber(s string) CaseNumberCheck {
	var digits []byte
	found := CaseNumberCheck{}
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			continue
		}
		found.Digits++
		v, ok := digitValue(r)
		if !ok && found.Fault == NoFault {
			found.Fault, found.At = WrongDigit, found.Digits
		}
		if ok && len(digits) < numberDigits+checkDigits {
			digits = append(digits, crockford[v])
		}
	}
	switch {
	case found.Fault != NoFault:
	case found.Digits < numberDigits+checkDigits:
		found.Fault = TooFewDigits
	case found.Digits > numberDigits+checkDigits:
		found.Fault = TooManyDigits
	default:
		found.check(digits)
	}
	return found
}

// check compares the check digits, and looks for a swap that makes them fit.
func (c *CaseNumberCheck) check(digits []byte) {
	var err error
	if c.Number, err = ParseCaseNumber(string(digits)); err == nil {
		return
	}
	c.Fault = WrongCheck
	for i := range len(digits) - 1 {
		digits[i], digits[i+1] = digits[i+1], digits[i]
		if _, err := ParseCaseNumber(string(digits)); err == nil {
			c.Fault, c.At = SwappedDigits, i+1
			return
		}
		digits[i], digits[i+1] = digits[i+1], digits[i]
	}
}
