package phenopacket

import (
	"strings"

	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// leaks finds text of a de-identified packet that still holds an identifier
// (PR001): a telephone or ID number anywhere, member names included, and the
// patient's own identifiers. It names the path, never the value.
func leaks(v *value, own []string) []rule.Finding {
	var telling []string
	for _, id := range own {
		if isTelling(id) {
			telling = append(telling, id)
		}
	}
	return findLeaks(v, "$", telling, false)
}

// isTelling reports whether an identifier is long enough and has digits
// enough to be found in running text by intent: "Patient 1" is not.
func isTelling(id string) bool {
	digits := 0
	for _, c := range id {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return len(id) >= 6 && digits >= 4
}

// findLeaks walks a document. A number is looked at only in a field that the
// schema does not know: the known ones are measured.
func findLeaks(v *value, path string, own []string, known bool) []rule.Finding {
	var findings []rule.Finding
	if v.kind == text || v.kind == number && !known {
		if what := leak(v.text, own); what != "" {
			findings = append(findings, rule.Find("PR001", path, what))
		}
	}
	for i, item := range v.items {
		at, inField := step(path, v, i), known
		if v.kind == object {
			inField = fields[v.names[i]]
			if what := leak(v.names[i], own); what != "" {
				findings = append(findings, rule.Find("PR001", at, what+" as a field name"))
			}
		}
		findings = append(findings, findLeaks(item, at, own, inField)...)
	}
	return findings
}

func leak(s string, own []string) string {
	if what := validate.PersonalNumber(s); what != "" {
		return what
	}
	for _, id := range own {
		if strings.Contains(s, id) && containsWord(s, id) {
			return "the patient's own identifier"
		}
	}
	return ""
}
