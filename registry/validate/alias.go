package validate

import (
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// Alias checks a link of two identities by what the documents themselves say:
// AL002 if both are one, AL005 and AL006 if they state different sexes or
// birth months, AL007 if the reason does not fit their types. Whether the
// hospital may link them, and what the entries under them say, is not known
// here.
func Alias(reason entry.AliasReason, old, new identity.Identity) []rule.Finding {
	if old.Equal(new) {
		return []rule.Finding{rule.Find("AL002", "", "")}
	}
	var findings []rule.Finding
	a, knownA := old.Sex()
	b, knownB := new.Sex()
	if knownA && knownB && a != b {
		findings = append(findings, rule.Find("AL005", "", "the documents differ"))
	}
	if bornApart(old, new) {
		findings = append(findings, rule.Find("AL006", "", "the documents differ"))
	}
	if a := (entry.Alias{Reason: reason, OldType: entry.DocumentTypeOf(old), NewType: entry.DocumentTypeOf(new)}); !a.Fits() {
		findings = append(findings, rule.Find("AL007", "", reason.String()+": "+string(old.Type())+", then "+string(new.Type())))
	}
	return findings
}

func bornApart(old, new identity.Identity) bool {
	y1, m1, _, known := old.BirthDate()
	y2, m2, _, alsoKnown := new.BirthDate()
	return known && alsoKnown && (y1 != y2 || m1 != m2)
}
