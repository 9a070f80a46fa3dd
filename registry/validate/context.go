package validate

import (
	"fmt"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// A Context is what entries are checked against.
type Context struct {
	// Today is the day of import in the hospital's time zone. Required.
	Today entry.Date
	// Catalog is the edition of the national lists. Required.
	Catalog *catalog.Catalog
	// Identity is the patient's document, or zero if there is none. It is
	// compared with birth date and sex (ID006, ID007).
	Identity identity.Identity
	// Birth is the full birth date of the source, which no entry holds.
	// Unknown: the case's year and month are compared instead.
	Birth entry.Date
	// Consent is what the source says of the consent that a case is held under.
	Consent Consent
	// ConsentForm is the first day of the consent form in use. Unknown: consents
	// are not compared with it (CN003).
	ConsentForm entry.Date
	// Outside says why a hospital, by its unified social credit code, is not of
	// this network, or "" if it is (OR003). Nil leaves that rule out: nobody knows
	// the network.
	Outside func(code string) string
	// Biobanks are the names and ids of the hospital's biobank cards. None leaves
	// SP004 out: a hospital that describes none need not name one.
	Biobanks []string
	// Retired reports whether an HPO id is retired or unknown (PH002). Nil
	// leaves that rule out: no table is part of the program.
	Retired func(id string) bool
}

// A check collects the findings on the entries of one patient.
type check struct {
	Context
	findings []rule.Finding
	prefix   string // of field names: "" or "followUps[2]."
}

func (c *check) find(code, field, detail string) {
	c.findings = append(c.findings, rule.Find(code, c.prefix+field, detail))
}

// at finds with a severity other than the rule's usual one.
func (c *check) at(severity rule.Severity, code, field, detail string) {
	c.findings = append(c.findings, rule.Finding{Code: code, Severity: severity, Where: c.prefix + field, Detail: detail})
}

// Entries checks the entries that one source gave for one patient: at most
// one case, its genetics, its other parts, in any order. Fields of parts are named
// "followUps[0].visitDate", "specimens[1].collected" and so on, in the order of
// each type.
func Entries(ctx Context, entries ...entry.Entry) []rule.Finding {
	c := &check{Context: ctx}
	all := sortOut(entries)
	if all.clinical != nil {
		c.person(*all.clinical)
		c.dates(*all.clinical)
		c.consent(*all.clinical)
		c.diseases(*all.clinical)
		c.features(all.clinical.Case.Features)
		c.texts(all.clinical.Case)
	}
	for _, g := range all.genetics {
		c.genetics(g)
	}
	c.verified(all)
	c.parts(all)
	c.required(all)
	return c.findings
}

// patient holds the entries of one patient by type.
type patient struct {
	clinical *entry.Entry
	genetics []entry.Entry
	death    *entry.Entry
	parts    []part // the other ones, and the death
}

func sortOut(entries []entry.Entry) patient {
	var p patient
	for i, e := range entries {
		switch {
		case e.Case != nil:
			p.clinical = &entries[i]
		case e.Genetics != nil:
			p.genetics = append(p.genetics, e)
		case e.Any():
			p.add(&entries[i])
		}
	}
	return p
}

// person compares birth date and sex with the identity document.
func (c *check) person(e entry.Entry) {
	birth := c.Birth
	if !birth.Known() {
		birth = e.Case.Birth
	}
	given := identity.Date{Year: int(birth.Year), Month: int(birth.Month), Day: int(birth.Day)}
	if f, ok := identity.CheckBirth(c.Identity, given); ok {
		f.Where = "birth"
		c.findings = append(c.findings, f)
	}
	sex := identity.Unstated
	switch e.Case.Sex {
	case entry.SexMale:
		sex = identity.Male
	case entry.SexFemale:
		sex = identity.Female
	}
	if f, ok := identity.CheckSex(c.Identity, sex); ok {
		f.Where = "sex"
		c.findings = append(c.findings, f)
	}
}

// texts looks for personal numbers in the texts that a clerk may type.
func (c *check) texts(k *entry.Case) {
	c.text("department", k.Department)
	c.text("payer", k.Payer)
	for i, d := range k.Diseases {
		c.text(fmt.Sprintf("diseases[%d].text", i), d.Text)
	}
	for i, f := range k.Features {
		c.text(fmt.Sprintf("features[%d].type", i), f.Type.Label)
	}
}

func (c *check) text(field, s string) {
	if what := PersonalNumber(s); what != "" {
		c.find("PR001", field, what)
	}
}
