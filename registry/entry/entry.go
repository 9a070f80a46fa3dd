package entry

import "github.com/raresync/raresync/registry/identity"

// MaxBytes is the largest encoded entry: the largest padded plaintext of
// 131,072 bytes less its 4-byte length.
const MaxBytes = 131_068

// SchemaVersion is the version of the layouts this package writes and reads.
const SchemaVersion = 1

// Type says what an entry is about. Numbers are never reused.
type Type uint8

// The types this version knows. 9 and 12 are not used: a consent also stops and
// erases, an alias also unlinks.
const (
	TypeCase       Type = 1
	TypeGenetics   Type = 2
	TypeFollowUp   Type = 3
	TypeSpecimen   Type = 4
	TypeTreatment  Type = 5
	TypeDeath      Type = 6
	TypeReferral   Type = 7
	TypeConsent    Type = 8
	TypeCorrection Type = 10
	TypeAlias      Type = 11
	TypeQuery      Type = 13
	TypeReply      Type = 14
	TypeBiobank    Type = 15
	TypeCollection Type = 16
	TypeCohort     Type = 17
	TypeIntake     Type = 18
	TypeLetter     Type = 19
	TypeCheck      Type = 20

	lastType = TypeCheck
)

// Profile says which fields an entry must have (rule RQ001). Indicators count
// profiles apart.
type Profile uint8

// The profiles.
const (
	Report    Profile = 1 // direct reporting: the required fields
	Cohort    Profile = 2 // a research cohort: adds the recommended fields
	Published Profile = 3 // a case from the literature: a disease and a reference
)

// Strength says how far an entry's pseudonym can be relied on to find the
// same person elsewhere.
type Strength uint8

// The identity strengths.
const (
	StrengthNone   Strength = 0 // no identity: cards and published cases
	StrengthStrong Strength = 1 // a number that stays for life
	StrengthWeak   Strength = 2 // a number that changes, or a newborn's
	StrengthLocal  Strength = 3 // a hospital's own number: never links
)

// StrengthOf returns the strength of an identity document's pseudonym.
func StrengthOf(s identity.Strength) Strength {
	switch s {
	case identity.Strong:
		return StrengthStrong
	case identity.Weak:
		return StrengthWeak
	}
	return StrengthLocal
}

// Source says what an entry was read from.
type Source uint8

// The sources.
const (
	SourcePhenopacket Source = 1
	SourceCSV         Source = 2
	SourceXLSX        Source = 3
	SourceFHIR        Source = 4
	SourceForm        Source = 5
)

// Basis is the legal basis on which an entry is held. A withdrawal removes
// what rests on consent.
type Basis uint8

// The legal bases.
const (
	BasisNone      Basis = 0 // not about a patient of this hospital: a published case
	BasisStatutory Basis = 1 // the duty to report
	BasisConsent   Basis = 2
	BasisBoth      Basis = 3
)

// An Entry is one fact about one person, or about entries. Exactly one of the
// Facts, Consent, Correction, Alias, Query, Reply, Card, Intake, Letter and Check is set, and
// it agrees with Type.
type Entry struct {
	Type    Type
	Profile Profile

	// ID is the keyed hash that [ID] computes; the same source gives the same
	// ID at the same hospital, and nobody else can compute it.
	ID [32]byte

	// Pseudonym links the entries of one person. Present is false on entries
	// without one.
	Pseudonym Pseudonym
	Strength  Strength

	// EventDate is the diagnosis date of a case, the report date of a genetic
	// result, the day of a visit, of collection, of a treatment's start, of death
	// or of referral, the day an alias was made, a consent decided or something
	// asked or answered, or a card made, the day of an intake, on which a letter was sent or a registration compared; of a correction, that of the corrected content.
	EventDate Date

	// Source is the format the entry came in, Basis why it may be held.
	Source Source
	Basis  Basis

	// Supersedes is the entry id that this one replaces, or zeros.
	Supersedes [32]byte

	Facts
	Consent    *Consent
	Correction *Correction
	Alias      *Alias
	Query      *Query
	Reply      *Reply
	Card       *Card
	Intake     *Intake
	Letter     *Letter
	Check      *Check
}

// A Pseudonym is the 32-byte output of the threshold OPRF, or absent.
type Pseudonym struct {
	Present bool
	Value   [32]byte
}

// String hides the value: a pseudonym is personal data and has no place in a
// log line.
func (p Pseudonym) String() string {
	if !p.Present {
		return "none"
	}
	return "pseudonym (hidden)"
}

// GoString hides the value as String does.
func (p Pseudonym) GoString() string { return p.String() }

// String returns the type's name, such as "case".
func (t Type) String() string {
	if s := name(typeNames[:], uint8(t)); s != "" {
		return s
	}
	return "unknown" // reserved
}

// String returns the profile's name, such as "report".
func (p Profile) String() string { return name(profileNames[:], uint8(p)) }

// String returns the strength's name, such as "strong".
func (s Strength) String() string { return name(strengthNames[:], uint8(s)) }

// String returns the source's name, such as "phenopacket".
func (s Source) String() string { return name(sourceNames[:], uint8(s)) }

// String returns the basis's name, such as "statutory".
func (b Basis) String() string { return name(basisNames[:], uint8(b)) }

// ParseProfile returns the profile with the given name, as String prints it.
func ParseProfile(s string) (Profile, bool) {
	for i := 1; i < len(profileNames); i++ {
		if profileNames[i] == s {
			return Profile(i), true
		}
	}
	return 0, false
}

// ParseSource returns the source with the given name, as String prints it. No
// name is that of a phenopacket.
func ParseSource(s string) (Source, bool) {
	for i := 1; i < len(sourceNames); i++ {
		if sourceNames[i] == s {
			return Source(i), true
		}
	}
	return SourcePhenopacket, s == ""
}

var (
	typeNames = [...]string{0: "none", TypeCase: "case", TypeGenetics: "genetics", TypeFollowUp: "follow-up",
		TypeSpecimen: "specimen", TypeTreatment: "treatment", TypeDeath: "death", TypeReferral: "referral",
		TypeConsent: "consent", TypeCorrection: "correction", TypeAlias: "alias", TypeQuery: "query", TypeReply: "reply",
		TypeBiobank: "biobank", TypeCollection: "collection", TypeCohort: "cohort", TypeIntake: "intake", TypeLetter: "letter", TypeCheck: "check"}
	profileNames  = [...]string{"none", "report", "cohort", "published"}
	strengthNames = [...]string{"none", "strong", "weak", "local"}
	sourceNames   = [...]string{"none", "phenopacket", "csv", "xlsx", "fhir", "form"}
	basisNames    = [...]string{"none", "statutory", "consent", "both"}
)

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}
