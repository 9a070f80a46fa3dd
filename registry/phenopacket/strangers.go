package phenopacket

import (
	"fmt"

	"github.com/raresync/raresync/registry/rule"
)

// Strangers refuses a file (FH001) for which documents were given, by subject
// id, whose patients are not in it: the patient that was meant would be
// registered without.
func Strangers[D any](name string, packets []Packet, documents map[string]D) []rule.Finding {
	unmatched := len(documents)
	for _, p := range packets {
		if _, ok := documents[p.SubjectID]; ok {
			unmatched--
		}
	}
	if unmatched <= 0 {
		return nil
	}
	return []rule.Finding{rule.Find("FH001", name, fmt.Sprintf("%d of the given documents name a patient that is not in the file", unmatched))}
}
