package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// A System is a code system that NormalizeCode reads.
type System string

// The code systems.
const (
	ORPHA  System = "ORPHA"
	OMIM   System = "OMIM"
	OMIMPS System = "OMIMPS"
	MONDO  System = "MONDO"
	HGNC   System = "HGNC"
	HP     System = "HP"
	ICD10  System = "ICD10"
)

// prefixes maps spellings of a system's name to the system and the form of
// what follows. Longer spellings stand before their own beginnings.
var prefixes = []struct {
	spelling string
	system   System
	form     *regexp.Regexp
}{
	{"ORPHANET", ORPHA, regexp.MustCompile(`^[1-9][0-9]{0,6}$`)},
	{"ORPHA", ORPHA, regexp.MustCompile(`^[1-9][0-9]{0,6}$`)},
	{"OMIMPS", OMIMPS, sixDigits},
	{"OMIM", OMIM, sixDigits},
	{"MIM", OMIM, sixDigits},
	{"MONDO", MONDO, sevenDigits},
	{"HGNC", HGNC, regexp.MustCompile(`^[1-9][0-9]{0,6}$`)},
	{"HP", HP, sevenDigits},
	{"ICD-10-CM", ICD10, icdForm},
	{"ICD-10", ICD10, icdForm},
	{"ICD10CM", ICD10, icdForm},
	{"ICD10", ICD10, icdForm},
	{"", ICD10, icdForm},
}

var (
	sixDigits   = regexp.MustCompile(`^[0-9]{6}$`)
	sevenDigits = regexp.MustCompile(`^[0-9]{7}$`)
	// icdForm is a category, a subdivision with or without dot, and China's
	// extension such as x001. A dagger or asterisk has been cut off.
	icdForm      = regexp.MustCompile(`^[A-Z][0-9]{2}(\.?[0-9A-Z]{1,4}(X[0-9]{2,4})?)?$`)
	icdExtension = regexp.MustCompile(`X[0-9]{2,4}$`)
)

// maxQueryBytes bounds codes, names and search texts.
const maxQueryBytes = 256

// NormalizeCode reads a code in a usual spelling ("Orphanet:558", "ORPHA558",
// "HP_0001250", "q87.400x001") and returns its system and its stored form
// ("ORPHA:558", "HP:0001250", "Q87.400x001"). A text without a system's name
// is read as ICD-10. The error is a *rule.Refusal with code PH001 for a
// malformed HP id and DX004 for every other.
func NormalizeCode(raw string) (System, string, error) {
	if len(raw) > maxQueryBytes {
		return "", "", rule.Refuse("DX004", "", "too long")
	}
	text := strings.ToUpper(squeeze(raw))
	for _, p := range prefixes {
		rest, ok := cutSystem(text, p.spelling)
		if !ok {
			continue
		}
		if !p.form.MatchString(rest) {
			return "", "", malformed(p.system)
		}
		if p.system == ICD10 {
			return ICD10, dotted(rest), nil
		}
		return p.system, string(p.system) + ":" + rest, nil
	}
	return "", "", malformed("")
}

func malformed(s System) error {
	if s == HP {
		return rule.Refuse("PH001", "", "not HP: and seven digits")
	}
	return rule.Refuse("DX004", "", "no form of "+string(s))
}

// cutSystem removes a system's name, the mark between it and the code, and a
// dagger or asterisk at the end.
func cutSystem(text, spelling string) (string, bool) {
	rest, ok := strings.CutPrefix(text, spelling)
	if !ok {
		return "", false
	}
	if spelling != "" {
		rest = strings.TrimLeft(rest, ":_-")
	}
	return strings.TrimRight(rest, "+*†"), true
}

// dotted puts the dot behind the category and writes China's extension with a
// small x, as its tables do.
func dotted(icd string) string {
	body := strings.Replace(icd, ".", "", 1)
	if len(body) == icdCategory {
		return body
	}
	rest := body[icdCategory:]
	if at := icdExtension.FindStringIndex(rest); at != nil && at[0] > 0 {
		rest = rest[:at[0]] + "x" + rest[at[0]+1:]
	}
	return body[:icdCategory] + "." + rest
}

// Lengths of an ICD-10 key: letter and two digits, letter and three.
const (
	icdCategory = 3
	icdCompared = 4
)

// icdKey returns what is compared of a normalised ICD-10 code: its first four
// characters without the dot.
func icdKey(id string) string {
	flat := strings.Replace(id, ".", "", 1)
	return flat[:min(len(flat), icdCompared)]
}

// read normalises code if it belongs to one of the systems. For ORPHA and
// OMIM a bare number will do.
func read(code string, systems ...System) (string, bool) {
	if len(code) > maxQueryBytes {
		return "", false
	}
	code = squeeze(code)
	if code == "" {
		return "", false
	}
	if systems[0] != ICD10 && code[0] >= '0' && code[0] <= '9' {
		code = string(systems[0]) + ":" + code
	}
	system, id, err := NormalizeCode(code)
	return id, err == nil && slices.Contains(systems, system)
}
