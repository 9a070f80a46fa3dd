package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	// crockford is Crockford's base32 alphabet: no I, L, O or U.
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	// checkModulus is the largest prime that two base32 digits can count to.
	// Being prime, it tells any two numbers apart that differ in one digit or
	// by two neighbours having changed places.
	checkModulus = 1021
	numberDigits = 12
	checkDigits  = 2
	groupDigits  = 4
)

// ErrCaseNumber reports text that is not a case number: mistyped, cut off, or
// something else. Its code is PS007.
var ErrCaseNumber = errors.New("PS007: not a case number")

// CaseNumber is the number by which a hospital's papers name a patient,
// 60 bits, printed as XXXX-XXXX-XXXX-CC in Crockford's base32 with two check
// digits. Another hospital has another number for the same person.
type CaseNumber uint64

// NewCaseNumber returns the case number of a pseudonym in the hospital with
// the given handle key: the first 60 bits of HMAC-SHA-256(handleKey, p).
func NewCaseNumber(handleKey [32]byte, p Pseudonym) CaseNumber {
	m := hmac.New(sha256.New, handleKey[:])
	m.Write(p[:])
	return CaseNumber(binary.BigEndian.Uint64(m.Sum(nil)) >> 4)
}

// String returns the printed form, 17 characters.
func (c CaseNumber) String() string {
	n := uint64(c) & (1<<60 - 1)
	b := appendBase32(make([]byte, 0, 17), n, numberDigits)
	return string(appendBase32(append(b, '-'), n%checkModulus, checkDigits))
}

// appendBase32 appends n in the given number of digits, a hyphen after each
// four but the last.
func appendBase32(b []byte, n uint64, digits int) []byte {
	for i := range digits {
		if i > 0 && i%groupDigits == 0 {
			b = append(b, '-')
		}
		b = append(b, crockford[n>>(5*(digits-1-i))&31])
	}
	return b
}

// ParseCaseNumber reads a printed case number as people type it: lower case,
// I or L for 1, O for 0, and hyphens anywhere or nowhere. Any single wrong
// digit and any two neighbours swapped are refused with ErrCaseNumber, as is
// everything else.
func ParseCaseNumber(s string) (CaseNumber, error) {
	var number, check uint64
	digits := 0
	for _, r := range s {
		if r == '-' {
			continue
		}
		v, ok := digitValue(r)
		switch digits++; {
		case !ok || digits > numberDigits+checkDigits:
			return 0, ErrCaseNumber
		case digits <= numberDigits:
			number = number<<5 | v
		default:
			check = check<<5 | v
		}
	}
	if digits != numberDigits+checkDigits {
		return 0, fmt.Errorf("%w: %d digits, want %d", ErrCaseNumber, digits, numberDigits+checkDigits)
	}
	if number%checkModulus != check {
		return 0, fmt.Errorf("%w: the check digits do not fit", ErrCaseNumber)
	}
	return CaseNumber(number), nil
}

// digitValue returns what a typed character stands for.
func digitValue(r rune) (uint64, bool) {
	if r >= 'a' && r <= 'z' {
		r -= 'a' - 'A'
	}
	switch r {
	case 'I', 'L':
		r = '1'
	case 'O':
		r = '0'
	}
	i := strings.IndexRune(crockford, r)
	return uint64(i), i >= 0
}
