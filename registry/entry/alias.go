package entry

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/raresync/raresync/registry/identity"
)

// AliasAction says what an alias does.
type AliasAction uint8

// The actions.
const (
	Link   AliasAction = 1 // the two pseudonyms are of one person
	Unlink AliasAction = 2 // the hospital takes its own link of the two back
)

// AliasReason says why a person has two pseudonyms, or why a link is undone.
type AliasReason uint8

// The reasons.
const (
	ReasonNewborn    AliasReason = 1 // a birth certificate, then a number
	ReasonPassport   AliasReason = 2 // a renewed passport
	ReasonCard2023   AliasReason = 3 // a foreigner's card of 2017, then one of 2023
	ReasonCorrection AliasReason = 4 // a mistyped number, or a link made by mistake
	ReasonOther      AliasReason = 5
)

// An Alias says that two pseudonyms are of one person, or takes that back. Its
// entry's own Pseudonym is that of the two under which the hospital has an
// entry, and its Supersedes names the alias of the same two that the hospital
// had sent before, if any: so a link, its undoing and a new link have ids of
// their own, and the same link twice has one.
type Alias struct {
	Action AliasAction
	Reason AliasReason
	// Old is of the identity that was used first, New of the one that the
	// person has now. Encode refuses two that are equal.
	Old, New [32]byte
	// OldType and NewType are those of the two documents: whoever counts sees
	// with them whether the reason fits.
	OldType, NewType DocumentType
}

// Fits reports whether the reason explains two documents of these types (AL007 if
// not).
func (a Alias) Fits() bool {
	switch a.Reason {
	case ReasonNewborn:
		return a.OldType == documentType(identity.BC) || a.OldType == documentType(identity.NBM)
	case ReasonPassport:
		return a.OldType == documentType(identity.PP) && a.NewType == documentType(identity.PP)
	case ReasonCard2023:
		return a.OldType == documentType(identity.FPR17) && a.NewType == documentType(identity.RIC)
	}
	return true
}

// DocumentType is the type of an identity document as an alias carries it: 1 for
// the first of package identity's, and so on.
type DocumentType uint8

var documentTypes = [...]identity.Type{
	1: identity.RIC, identity.HKM, identity.TWP, identity.FPR17, identity.PP, identity.BC, identity.NBM, identity.LOCAL,
}

func documentType(t identity.Type) DocumentType {
	return DocumentType(slices.Index(documentTypes[:], t))
}

// DocumentTypeOf returns the type of an identity's document.
func DocumentTypeOf(id identity.Identity) DocumentType { return documentType(id.Type()) }

// String returns the type's name, such as "PP".
func (t DocumentType) String() string {
	if t == 0 || int(t) >= len(documentTypes) {
		return "none"
	}
	return string(documentTypes[t])
}

// Pair returns the two pseudonyms in ascending order: which is the old one
// does not matter to a count.
func (a Alias) Pair() [2][32]byte {
	if bytes.Compare(a.Old[:], a.New[:]) > 0 {
		return [2][32]byte{a.New, a.Old}
	}
	return [2][32]byte{a.Old, a.New}
}

// String hides the pseudonyms, which are personal data.
func (a Alias) String() string { return a.Action.String() + " (hidden)" }

// GoString hides the pseudonyms as String does.
func (a Alias) GoString() string { return a.String() }

// AliasID returns the entry id of an alias: [ID] over an empty local id and
// SHA-256("raresync/v1/alias\0" ‖ action u8 ‖ smaller pseudonym ‖ larger ‖
// supersedes). Reason, types and date do not enter it.
func AliasID(key [32]byte, a Alias, supersedes [32]byte) [32]byte {
	pair := a.Pair()
	content := append([]byte("raresync/v1/alias\x00"), byte(a.Action))
	content = append(append(content, pair[0][:]...), pair[1][:]...)
	return ID(key, TypeAlias, "", sha256.Sum256(append(content, supersedes[:]...)))
}

// aliasFields carries the layout. An alias that does not say whose it is, or
// that joins a pseudonym with itself, has no encoding.
func (w *wire) aliasFields(e *Entry) {
	a := e.Alias
	w.array(6)
	number(w, &a.Action, Link, Unlink)
	number(w, &a.Reason, ReasonNewborn, ReasonOther)
	w.hash(&a.Old)
	w.hash(&a.New)
	number(w, &a.OldType, 1, DocumentType(len(documentTypes)-1))
	number(w, &a.NewType, 1, DocumentType(len(documentTypes)-1))
	switch {
	case a.Old == a.New:
		w.fail("an alias of a pseudonym with itself")
	case !e.Pseudonym.Present || e.Pseudonym.Value != a.Old && e.Pseudonym.Value != a.New:
		w.fail("an alias under a third pseudonym")
	}
}

// String returns the action's name, such as "link".
func (a AliasAction) String() string { return name([]string{"none", "link", "unlink"}, uint8(a)) }

// String returns the reason's name, such as "newborn".
func (r AliasReason) String() string { return name(reasonNames[:], uint8(r)) }

// ParseAliasReason returns the reason with the given name, as String prints
// it.
func ParseAliasReason(s string) (AliasReason, bool) {
	for i := 1; i < len(reasonNames); i++ {
		if reasonNames[i] == s {
			return AliasReason(i), true
		}
	}
	return 0, false
}

// AliasReasons returns the names of all reasons, in order.
func AliasReasons() []string { return append([]string(nil), reasonNames[1:]...) }

var reasonNames = [...]string{"none", "newborn", "passport", "card2023", "correction", "other"}
