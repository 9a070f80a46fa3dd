package entry

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
)

// ConsentStatus says what a patient's decision leaves of the use of entries.
type ConsentStatus uint8

// The statuses.
const (
	InUse   ConsentStatus = 1 // nothing is stopped, or no longer
	Stopped ConsentStatus = 2 // the uses in Scope are stopped; the entries stay
	Erasing ConsentStatus = 3 // every use is stopped, and the entries are erased
)

// Scope is a set of uses that a patient consents to, or stops.
type Scope uint16

// The uses, as the consent form has them.
const (
	ScopeRegistry Scope = 1 << iota // in the registry: counts, reports, exports
	ScopeContact                    // being asked again
	ScopeReuse                      // research beyond the registry
	ScopeBiobank                    // specimens
	ScopeDrugs                      // drug programmes
	ScopeIndustry                   // handing on to industry
	ScopeAll      = ScopeRegistry | ScopeContact | ScopeReuse | ScopeBiobank | ScopeDrugs | ScopeIndustry
)

// Uses returns the uses that an entry is there for: all are in the registry, a
// specimen is for the biobank as well, a treatment for drug programmes. Of a
// correction it is what is corrected that counts.
func (e Entry) Uses() Scope {
	facts := e.Facts
	if e.Correction != nil {
		facts = e.Correction.Facts
	}
	switch {
	case facts.Specimen != nil:
		return ScopeRegistry | ScopeBiobank
	case facts.Treatment != nil:
		return ScopeRegistry | ScopeDrugs
	}
	return ScopeRegistry
}

// By says who decided.
type By uint8

// Who may decide.
const (
	BySelf     By = 1
	ByGuardian By = 2 // of a child under 14, or of somebody who cannot decide
)

// Limits of a consent.
const (
	MaxMarks     = 6    // as many pseudonyms as may be of one person
	MaxConcerned = 4096 // entries of one person at one hospital
)

// A Consent says what a patient has decided about the use of this hospital's
// entries on them. It holds no pseudonym, so that it may stay when the entries
// are erased: a hospital knows the patient again by the marks, which nobody
// else can make, and readers know the entries by their indexes.
//
// Of the consents that share a mark the newest in the log counts.
type Consent struct {
	Status ConsentStatus
	// Scope is every use that is stopped from now on: empty with InUse, all
	// with Erasing.
	Scope Scope
	By    By
	// Marks holds the [Mark] of each of the patient's pseudonyms, ascending,
	// 1 to MaxMarks.
	Marks [][32]byte
	// Indexes are the hospital's entries that it concerns, ascending, at most
	// MaxConcerned.
	Indexes []uint64
}

// Mark returns what stands for a pseudonym in a consent: HMAC-SHA-256 under the
// hospital's key for entry ids of "raresync/v1/mark\0" ‖ pseudonym.
func Mark(key, pseudonym [32]byte) [32]byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("raresync/v1/mark\x00"))
	mac.Write(pseudonym[:])
	return [32]byte(mac.Sum(nil))
}

// ConsentID returns the entry id of a consent: [ID] over an empty local id and
// SHA-256("raresync/v1/consent\0" ‖ CBOR of the fields ‖ supersedes), so that
// the same decision taken again after another has an id of its own. The error
// is that of [Encode].
func ConsentID(key [32]byte, c Consent, supersedes [32]byte) ([32]byte, error) {
	w := wire{}
	w.consentFields(&Entry{Consent: &c, EventDate: Date{Year: 1, Month: 1, Day: 1}})
	if w.err != nil {
		return [32]byte{}, fmt.Errorf("encode consent: %w", w.err)
	}
	content := append([]byte("raresync/v1/consent\x00"), w.out...)
	return ID(key, TypeConsent, "", sha256.Sum256(append(content, supersedes[:]...))), nil
}

// Stops reports whether any of some uses is stopped.
func (c Consent) Stops(uses Scope) bool { return c.Scope&uses != 0 }

// consentFields carries the layout. A consent that contradicts itself, or that
// names a person, has no encoding.
func (w *wire) consentFields(e *Entry) {
	c := e.Consent
	w.array(5)
	number(w, &c.Status, InUse, Erasing)
	number(w, &c.Scope, 0, ScopeAll)
	number(w, &c.By, BySelf, ByGuardian)
	list(w, &c.Marks, (*wire).hash)
	list(w, &c.Indexes, (*wire).index)
	switch {
	case (c.Status == InUse) != (c.Scope == 0), c.Status == Erasing && c.Scope != ScopeAll:
		w.fail("a scope that does not go with its status")
	case len(c.Marks) == 0 || len(c.Marks) > MaxMarks || len(c.Indexes) > MaxConcerned:
		w.fail("too many or no marks, or too many indexes")
	case e.Pseudonym.Present:
		w.fail("a consent under a pseudonym")
	case e.EventDate.Precision() != PrecisionDay:
		w.fail("a consent of no day")
	}
	for i := 1; i < len(c.Marks); i++ {
		if bytes.Compare(c.Marks[i-1][:], c.Marks[i][:]) >= 0 {
			w.fail("marks out of order")
		}
	}
	for i := 1; i < len(c.Indexes); i++ {
		if c.Indexes[i-1] >= c.Indexes[i] {
			w.fail("indexes out of order")
		}
	}
}

// String returns the status's name, such as "stopped".
func (s ConsentStatus) String() string {
	return name([]string{"none", "in use", "stopped", "erasing"}, uint8(s))
}

// String returns who it is, such as "guardian".
func (b By) String() string { return name(byNames[:], uint8(b)) }

// ParseBy returns who has the given name, as String prints it.
func ParseBy(s string) (By, bool) {
	for i := 1; i < len(byNames); i++ {
		if byNames[i] == s {
			return By(i), true
		}
	}
	return 0, false
}

// String returns the uses' names, such as "registry, contact".
func (s Scope) String() string {
	var names []string
	for i, n := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// ParseScope returns the uses whose names are given, as String prints them, or
// all for "all".
func ParseScope(names ...string) (s Scope, ok bool) {
	for _, n := range names {
		if n == "all" {
			s |= ScopeAll
			continue
		}
		at := -1
		for i := range scopeNames {
			if scopeNames[i] == n {
				at = i
			}
		}
		if at < 0 {
			return 0, false
		}
		s |= 1 << at
	}
	return s, s != 0
}

// ScopeNames returns the names of all uses, in order.
func ScopeNames() []string { return append([]string(nil), scopeNames[:]...) }

var (
	byNames    = [...]string{"none", "self", "guardian"}
	scopeNames = [...]string{"registry", "contact", "reuse", "biobank", "drugs", "industry"}
)
