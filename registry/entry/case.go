package entry

import (
	"slices"
	"strconv"
	"strings"
)

// A Term is a code with its label, such as HP:0001250 "Seizure". The zero
// Term is "not given".
type Term struct {
	ID    string
	Label string
}

// Given reports whether the term has an id or a label.
func (t Term) Given() bool { return t != Term{} }

// Sex is the sex at birth.
type Sex uint8

// The sexes.
const (
	SexNotGiven Sex = 0
	SexMale     Sex = 1
	SexFemale   Sex = 2
	SexOther    Sex = 3 // undetermined
	SexUnknown  Sex = 4 // stated as not known
)

// Verification says what a diagnosis rests on.
type Verification uint8

// The verifications.
const (
	VerificationNotGiven Verification = 0
	Suspected            Verification = 1
	Clinical             Verification = 2
	Genetic              Verification = 3
	Undiagnosed          Verification = 4 // a rare disease, not yet named
)

// Vital is the patient's vital status.
type Vital uint8

// The vital statuses.
const (
	VitalNotGiven Vital = 0
	Alive         Vital = 1
	Dead          Vital = 2
	Lost          Vital = 3 // lost to follow-up
	OptedOut      Vital = 4
	VitalUnknown  Vital = 5 // stated as not known
)

// Answer is a yes or no that may be missing.
type Answer uint8

// The answers.
const (
	AnswerNotGiven Answer = 0
	Yes            Answer = 1
	No             Answer = 2
	AnswerUnknown  Answer = 3 // stated as not known
)

// A Case registers one patient with a rare disease. The diagnosis date is the
// entry's EventDate.
type Case struct {
	// Diseases are those of the source, in its order; the first that is not
	// excluded is the one registered.
	Diseases     []Disease
	Verification Verification
	// Inferred says that Verification was concluded from the source's other
	// statements rather than stated.
	Inferred bool

	// Sex is the sex at birth.
	Sex Sex
	// Birth is known to the month at most: Encode refuses a day.
	Birth         Date
	Life          Life
	LastEncounter When

	Department string // of the hospital, as it calls it
	Province   string // of residence, two digits of GB/T 2260

	// Features are those observed and those looked for and excluded.
	Features   []Feature
	References []Reference

	FirstContact    Date // with a specialised centre
	FamilyHistory   Answer
	Consanguinity   Answer
	HospitalsBefore Count // seen before the diagnosis
	ReferredFrom    string
	Payer           string

	// Extension is canonical JSON: what the source holds and the fields above
	// do not. Empty if there is nothing.
	Extension []byte
}

// A Disease is one diagnosis of a case.
type Disease struct {
	// Codes are kept as the source wrote them: ORPHA:558, OMIM:154700, E72.2,
	// or a list number as ListCode writes it.
	Codes    []string
	Text     string // the name as the source wrote it
	Excluded bool
	Onset    When
	Match    Match
}

// A Match says which rows of the national lists a disease was found to be.
type Match struct {
	Edition string // of the catalogue that was asked; "" if none was
	Rows    []Row
	// Ambiguous says that several rows fit and none is preferred.
	Ambiguous bool
	// Unconfirmed says that the rows rest on an ambiguous name or ICD-10 code:
	// the disease counts under none of them until a person confirms one.
	Unconfirmed bool
}

// Counted returns the rows under which the disease counts.
func (m Match) Counted() []Row {
	if m.Unconfirmed {
		return nil
	}
	return m.Rows
}

// A Row is a row of the national lists: the list (1 or 2) and the number in it.
type Row struct {
	List   uint8
	Number uint16
}

// Life is what is known of a patient's life and death.
type Life struct {
	Status      Vital
	TimeOfDeath When
	Cause       Term
	// SurvivalDays counts from the diagnosis.
	SurvivalDays Count
	// DeathDateUnknown states that nobody knows the date (rule ST001).
	DeathDateUnknown bool
}

// A Count is a number that may be missing: 0 is "not given", n+1 is n.
type Count uint32

// CountOf returns the Count that says n, and "not given" beyond the range.
func CountOf(n uint32) Count { return Count(n + 1) }

// Value returns the number and whether it was given.
func (c Count) Value() (uint32, bool) {
	if c == 0 {
		return 0, false
	}
	return uint32(c) - 1, true
}

// String returns the number in decimal, or "" if it was not given.
func (c Count) String() string {
	n, ok := c.Value()
	if !ok {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// A Feature is an HPO term, observed or looked for and not found.
type Feature struct {
	Type       Term
	Excluded   bool // looked for and absent; losing it would invert the meaning
	Onset      When
	Resolution When
	Severity   Term
	Modifiers  []Term
}

// A Reference names where a case was published, by id (PMID:10198255,
// DOI:10.1016/...) and, if the source has one, address.
type Reference struct {
	ID      string
	Address string
}

// Principal returns the registered disease: the first that is not excluded.
func (c *Case) Principal() (Disease, bool) {
	for _, d := range c.Diseases {
		if !d.Excluded {
			return d, true
		}
	}
	return Disease{}, false
}

// Same reports whether two diseases are one: they share a row of the national lists
// under which they count or, if one of them has none, a code or, if one of them has
// none, the text.
func (d Disease) Same(other Disease) bool {
	a, b := d.Match.Counted(), other.Match.Counted()
	switch {
	case len(a) > 0 && len(b) > 0:
		return slices.ContainsFunc(a, func(row Row) bool { return slices.Contains(b, row) })
	case len(d.Codes) > 0 && len(other.Codes) > 0:
		return slices.ContainsFunc(d.Codes, func(code string) bool {
			return slices.ContainsFunc(other.Codes, func(o string) bool { return strings.EqualFold(code, o) })
		})
	}
	return d.Text != "" && d.Text == other.Text
}

// Published reports whether any reference is a publication: a PMID or a DOI.
func (c *Case) Published() bool {
	for _, r := range c.References {
		for _, s := range []string{r.ID, r.Address} {
			if upper := strings.ToUpper(s); strings.HasPrefix(upper, "PMID:") || strings.HasPrefix(upper, "DOI:") {
				return true
			}
		}
	}
	return false
}

// String returns the sex's name, such as "female".
func (s Sex) String() string {
	return name([]string{"", "male", "female", "other", "unknown"}, uint8(s))
}

// String returns the verification's name, such as "clinical".
func (v Verification) String() string { return name(verificationNames[:], uint8(v)) }

// String returns the status's name, such as "alive".
func (v Vital) String() string { return name(vitalNames[:], uint8(v)) }

// String returns "yes", "no", "unknown" or "".
func (a Answer) String() string { return name([]string{"", "yes", "no", "unknown"}, uint8(a)) }

var (
	verificationNames = [...]string{"", "suspected", "clinical", "genetic", "undiagnosed"}
	vitalNames        = [...]string{"", "alive", "dead", "lost", "opted out", "unknown"}
)
