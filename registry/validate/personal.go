package validate

import (
	"regexp"
	"strings"
	"time"

	"github.com/raresync/raresync/registry/identity"
)

// Numbers are looked for with the separators people write, and only where
// neither a letter nor a digit touches them: coordinates, accession numbers
// and timestamps are longer or run into letters.
var (
	mobileNumber = regexp.MustCompile(`(?:^|[^0-9A-Za-z])(?:(?:\+|00)?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}(?:[^0-9A-Za-z]|$)`)
	longNumber   = regexp.MustCompile(`(?:^|[^0-9A-Za-z])([0-9]{6}[- ]?[0-9]{8}[- ]?[0-9]{3}[0-9Xx])(?:[^0-9A-Za-z]|$)`)
	oldNumber    = regexp.MustCompile(`(?:^|[^0-9A-Za-z])([1-8][0-9]{14})(?:[^0-9A-Za-z]|$)`)
	// snomed is the one terminology whose codes have as many digits.
	snomed     = regexp.MustCompile(`(?i)(?:SNOMED[A-Z_-]*|SCT(?:ID)?):[0-9]{6,18}|snomed\.info/[a-z]+/[0-9]{6,18}`)
	separators = strings.NewReplacer("-", "", " ", "")
)

// PersonalNumber returns what kind of personal number the text holds: "a
// mobile number" (11 digits from 13 to 19, with or without 86 before them),
// "an ID number" (18 characters that pass the check of GB 11643, or 15 digits,
// each with a calendar date inside), or "" for none. Full-width digits count;
// SNOMED CT codes do not.
func PersonalNumber(s string) string {
	if !mayHold(s) {
		return ""
	}
	s = snomed.ReplaceAllString(halfWidth(s), "")
	switch {
	case hasID(s):
		return "an ID number"
	case mobileNumber.MatchString(s):
		return "a mobile number"
	}
	return ""
}

// fewestDigits is the length of a mobile number; the text is not searched
// with less in a row.
const fewestDigits = 11

// mayHold is a first look: whether enough digits follow one another, with nothing but
// separators between them. A timestamp has fewer.
func mayHold(s string) bool {
	n := 0
	for _, r := range s {
		switch r = fold(r); {
		case r >= '0' && r <= '9':
			if n++; n >= fewestDigits {
				return true
			}
		case r != ' ' && r != '-':
			n = 0
		}
	}
	return false
}

func hasID(s string) bool {
	for _, found := range longNumber.FindAllStringSubmatch(s, -1) {
		id := strings.ToUpper(separators.Replace(found[1]))
		if identity.CheckDigit(id[:17]) == id[17] && isDate("20060102", id[6:14]) {
			return true
		}
	}
	for _, found := range oldNumber.FindAllStringSubmatch(s, -1) {
		if isDate("060102", found[1][6:12]) {
			return true
		}
	}
	return false
}

func isDate(layout, s string) bool {
	_, err := time.Parse(layout, s)
	return err == nil
}

// halfWidth folds full-width digits and X, and other spaces and hyphens.
func halfWidth(s string) string { return strings.Map(fold, s) }

func fold(r rune) rune {
	switch {
	case r < '\u00a0':
		return r
	case r >= '０' && r <= '９':
		return r - '０' + '0'
	case r == 'Ｘ' || r == 'ｘ':
		return 'X'
	case r == '　' || r == '\u00a0':
		return ' '
	case r >= '\u2010' && r <= '\u2015' || r == '－':
		return '-'
	}
	return r
}
