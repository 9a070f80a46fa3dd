package validate

import "github.com/raresync/raresync/registry/entry"

// A Patient is what Alike compares of one patient of a file.
type Patient struct {
	// Key tells patients apart, so that several rows of one patient count
	// once. It is compared and never shown.
	Key       string
	Birth     entry.Date
	Sex       entry.Sex
	Diagnosis entry.Date
}

// mostAlike is how many patients may share birth date, sex and diagnosis
// date: triplets are real.
const mostAlike = 3

// Alike returns which patients of one file share birth date, sex and diagnosis
// date, all known to the day, with more than two others (DU003): a sign of rows
// filled down. The indexes ascend.
func Alike(patients []Patient) (indexes []int) {
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
	for i, p := range patients {
		if f, ok := of(p); ok && len(alike[f]) > mostAlike {
			indexes = append(indexes, i)
		}
	}
	return indexes
}
