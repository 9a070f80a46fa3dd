package validate

import (
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// A Patient is what Batch compares of one patient of a file.
type Patient struct {
	// Key tells patients apart, so that several rows of one patient count
	// once. It is compared and never shown.
	Key       string
	Where     string // place in the file, for the finding
	Birth     entry.Date
	Sex       entry.Sex
	Diagnosis entry.Date
}

// mostAlike is how many patients may share birth date, sex and diagnosis
// date: triplets are real.
const mostAlike = 3

// Batch reports patients of one file of whom more than three share birth
// date, sex and diagnosis date, all known to the day (DU003): a sign of rows
// filled down.
func Batch(patients []Patient) []rule.Finding {
	type facts struct {
		birth, diagnosis entry.Date
		sex              entry.Sex
	}
	alike := map[facts]map[string]bool{}
	of := func(p Patient) (facts, bool) {
		whole := p.Birth.Precision() == entry.PrecisionDay && p.Diagnosis.Precision() == entry.PrecisionDay
		return facts{p.Birth, p.Diagnosis, p.Sex}, whole
	}
	for _, p := range patients {
		if f, ok := of(p); ok {
			if alike[f] == nil {
				alike[f] = map[string]bool{}
			}
			alike[f][p.Key] = true
		}
	}
	var findings []rule.Finding
	for _, p := range patients {
		if f, ok := of(p); ok && len(alike[f]) > mostAlike {
			findings = append(findings, rule.Find("DU003", p.Where, ""))
		}
	}
	return findings
}
