package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/raresync/raresync/registry/rule"
)

// Limits of what is looked at.
const (
	maxRawBytes    = 256 // of a value or issuer as found
	maxLocalChars  = 64
	minPassport    = 4
	maxPassport    = 20
	exactNumeric   = 15 // digits that a spreadsheet's number keeps
	maxBirthOrder  = 99
	lengthRIC      = 18
	lengthRIC15    = 15
	lengthHKM      = 9
	lengthTWP      = 8
	lengthFPR17    = 15
	lengthBC       = 10
	renewalDigits  = 2
	firstCentenary = 996 // sequences 996 to 999 of 15-digit IDs
)

// Options say under what circumstances a document is judged.
type Options struct {
	// Today is the last birth date accepted, in the hospital's time zone. It
	// is required: with the zero Date every birth date lies in the future.
	Today Date
	// Production refuses printed specimens and test numbers (ID011). Demo
	// networks leave it false.
	Production bool
}

// Normalize brings a document into the canonical form of idnorm v1. The same
// document, however it was typed, gives the same Identity on every node.
//
// Findings are flags on an accepted document (ID005, ID010). The error is a
// *rule.Refusal with code ID001, ID002, ID003, ID004 or ID011; where several
// apply all are in it. No finding contains the number.
func Normalize(doc Document, opt Options) (Identity, []rule.Finding, error) {
	c, findings := canonical(doc, opt)
	if err := rule.Refusals(findings); err != nil {
		return Identity{}, nil, err
	}
	id := Identity{&box{c}}
	if s := id.Strength(); s != Strong {
		findings = append(findings, rule.Find("ID010", "", s.String()+" identity"))
	}
	return id, findings, nil
}

func canonical(doc Document, opt Options) (*content, []rule.Finding) {
	switch doc.Type {
	case NBM:
		return newborn(doc, opt)
	case LOCAL:
		return local(doc)
	}
	value, bad := clean(doc)
	if bad != nil {
		return nil, bad
	}
	switch doc.Type {
	case RIC:
		return resident(value, opt)
	case HKM:
		return prefixed(doc.Type, value, "HM", lengthHKM)
	case TWP:
		return taiwan(value)
	case FPR17:
		return plain(doc.Type, value, len(value) == lengthFPR17 && letters(value[:3]) && digits(value[3:]))
	case PP:
		return passport(doc.Issuer, value)
	case BC:
		return plain(doc.Type, value, len(value) == lengthBC && letters(value[:1]) && digits(value[1:]))
	}
	return nil, refused("ID001", "unknown document type")
}

// clean folds a value and refuses what has lost characters or holds foreign
// ones.
func clean(doc Document) (string, []rule.Finding) {
	if len(doc.Value) > maxRawBytes || len(doc.Issuer) > maxRawBytes {
		return "", refused("ID001", "too long")
	}
	value := fold(doc.Value)
	switch {
	case doc.Origin != Text:
		return "", refused("ID004", "number cell")
	case strings.Contains(value, "E+"):
		return "", refused("ID004", "scientific notation")
	case strings.Contains(value, maskMark):
		return "", refused("ID004", "mask character")
	}
	if doc.Type == TWP {
		value = withoutIssuingPlace(value)
	}
	if !alphanumeric(value) {
		return "", refused("ID001", "empty, or a character other than 0-9 and A-Z")
	}
	return value, nil
}

func refused(code, detail string) []rule.Finding {
	return []rule.Finding{rule.Find(code, "", detail)}
}

func plain(kind Type, value string, ok bool) (*content, []rule.Finding) {
	if !ok {
		return nil, refused("ID001", "not the form of "+string(kind))
	}
	return &content{kind: kind, value: value}, nil
}

// prefixed reads one of the letters of first, then a lifelong number; two
// more digits count renewals and are left out.
func prefixed(kind Type, value, first string, length int) (*content, []rule.Finding) {
	ok := (len(value) == length || len(value) == length+renewalDigits) &&
		strings.IndexByte(first, value[0]) >= 0 && digits(value[1:])
	if !ok {
		return plain(kind, value, false)
	}
	return plain(kind, value[:length], true)
}

// taiwan reads eight lifelong digits; old permits add a two-digit count of
// renewals.
func taiwan(value string) (*content, []rule.Finding) {
	ok := (len(value) == lengthTWP || len(value) == lengthTWP+renewalDigits) && digits(value)
	if !ok {
		return plain(TWP, value, false)
	}
	return plain(TWP, value[:lengthTWP], true)
}

// withoutIssuingPlace removes the letter that old Taiwan permits print behind
// the ten digits, with or without brackets.
func withoutIssuingPlace(folded string) string {
	const printed = lengthTWP + renewalDigits
	if len(folded) <= printed {
		return folded
	}
	place := strings.TrimSuffix(strings.TrimPrefix(folded[printed:], "("), ")")
	if len(place) == 1 && letters(place) {
		return folded[:printed]
	}
	return folded
}

func passport(issuer, value string) (*content, []rule.Finding) {
	country := fold(issuer)
	if !knownCountry(country) {
		return nil, refused("ID001", "issuer is no ISO 3166-1 alpha-3 code")
	}
	if len(value) < minPassport || len(value) > maxPassport {
		return nil, refused("ID001", "passport number of this length")
	}
	return &content{kind: PP, issuer: country, value: value}, nil
}

// local takes a hospital's own name for a patient. Numbers are folded like
// others; a name with other characters stands as it is, since nobody else has
// to write it alike. What was masked or rounded names several patients, and is
// refused.
func local(doc Document) (*content, []rule.Finding) {
	if len(doc.Value) > maxRawBytes || len(doc.Issuer) > maxRawBytes {
		return nil, refused("ID001", "too long")
	}
	series, value := fold(doc.Issuer), fold(doc.Value)
	switch {
	case doc.Origin != Text && len(value) > exactNumeric:
		return nil, refused("ID004", "number cell")
	case strings.Contains(value, "E+"):
		return nil, refused("ID004", "scientific notation")
	case strings.ContainsAny(doc.Value, "*＊"):
		return nil, refused("ID004", "mask character")
	}
	if !alphanumeric(value) {
		value = strings.Join(strings.Fields(doc.Value), " ")
	}
	if value == "" || !printable(value) || series != "" && !alphanumeric(series) || len(series) > maxLocalChars {
		return nil, refused("ID001", "not the form of LOCAL")
	}
	return &content{kind: LOCAL, issuer: series, value: value}, nil
}

func printable(s string) bool {
	unprintable := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	return !strings.ContainsFunc(s, unprintable)
}

// newborn joins the mother's canonical form, the birth date and the order.
func newborn(doc Document, opt Options) (*content, []rule.Finding) {
	if doc.Mother == nil || !mayBeMothers(doc.Mother.Type) {
		return nil, refused("ID001", "a mother's own document is needed")
	}
	mother, findings := canonical(*doc.Mother, opt)
	if rule.Refusals(findings) != nil {
		return nil, findings
	}
	if !possibleBirth(doc.BirthDate, opt.Today) {
		return nil, refused("ID003", "birth date of the newborn")
	}
	if doc.Order < 1 || doc.Order > maxBirthOrder {
		return nil, refused("ID001", "birth order")
	}
	order := string([]byte{'0' + byte(doc.Order/10), '0' + byte(doc.Order%10)})
	value := string(mother.join(linkLabel)) + doc.BirthDate.compact() + order
	return &content{kind: NBM, value: value, birth: doc.BirthDate}, findings
}

func mayBeMothers(kind Type) bool {
	switch kind {
	case RIC, HKM, TWP, FPR17, PP:
		return true
	}
	return false
}

func letters(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return s != ""
}
