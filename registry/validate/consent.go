package validate

import (
	"fmt"

	"github.com/raresync/raresync/registry/entry"
)

// A Consent is what a source says of the consent under which a case is held.
type Consent struct {
	By   string     // who gave it, as [entry.By] prints it; "" if the source does not say
	Date entry.Date // on which it was given; may be unknown
}

// consentAge is the age from which a patient consents alone.
const consentAge = 14 // years

// consent checks what is held under consent: who gave it (CN002), and whether
// the form has changed since (CN003). A case that the law has reported anyway
// needs no guardian's word.
func (c *check) consent(e entry.Entry) {
	if e.Basis != entry.BasisConsent && e.Basis != entry.BasisBoth {
		return
	}
	by, known := entry.ParseBy(c.Consent.By)
	if c.Consent.By != "" && !known {
		c.find("DX003", "consent.by", "not self or guardian; kept as it is")
	}
	given := spanOf(c.Consent.Date)
	c.notFuture("consent.date", given)
	if e.Basis == entry.BasisConsent && by != entry.ByGuardian && c.isChild(e, given) {
		c.find("CN002", "consent.by", fmt.Sprintf("younger than %d years", consentAge))
	}
	if spanOf(c.ConsentForm).surelyAfter(given) {
		c.find("CN003", "consent.date", "the form is of "+c.ConsentForm.String())
	}
}

// isChild reports whether the patient was surely too young to consent alone on
// a day: today, if it is not known when the consent was given.
func (c *check) isChild(e entry.Entry, given span) bool {
	born := spanOf(c.Birth)
	if !born.known {
		born = spanOf(e.Case.Birth)
	}
	if !given.known {
		given = spanOf(c.Today)
	}
	if !born.known {
		return false
	}
	grown := add(born.first, units{years: consentAge})
	return given.known && grown.After(given.last)
}
