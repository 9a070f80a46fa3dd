package entry

import (
	"crypto/sha256"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// CorrectionReason says why an entry is corrected.
type CorrectionReason uint8

// The reasons.
const (
	Mistyped  CorrectionReason = 1 // written down wrongly
	Revised   CorrectionReason = 2 // the finding itself has changed
	Completed CorrectionReason = 3 // something was missing
	Disputed  CorrectionReason = 4 // the patient asked for it
)

// A Correction replaces what an earlier entry of the same hospital says; the
// earlier one stays in the log. Its entry's Supersedes is the corrected entry's
// id, and its other common fields and its Facts, exactly one of which is set, are
// the whole corrected content, of the corrected entry's type.
//
// A correction names the first entry, never another correction; of several the
// newest valid one counts. It is valid if the entry at Index is of that
// hospital, type, pseudonym and id.
type Correction struct {
	Index  uint64 // of the corrected entry
	Reason CorrectionReason

	Facts
}

// Correct makes the entry that corrects first, which stands at index, to what
// corrected says. previous is the id of the newest correction of it that is in
// the log already, or zeros: it enters the id, so that an entry may be corrected
// back. The error says what does not fit.
func Correct(key [32]byte, index uint64, first, corrected Entry, reason CorrectionReason, previous [32]byte) (Entry, error) {
	if first.Type != corrected.Type || !first.Any() {
		return Entry{}, fmt.Errorf("correct a %s entry by a %s entry: %w", first.Type, corrected.Type, errValue)
	}
	e := corrected
	e.Type, e.Supersedes = TypeCorrection, first.ID
	e.Pseudonym, e.Strength = first.Pseudonym, first.Strength
	e.Correction = &Correction{Index: index, Reason: reason, Facts: e.Facts}
	e.Facts, e.ID = Facts{}, [32]byte{}
	raw, err := Encode(e)
	if err != nil {
		return Entry{}, err
	}
	content := append([]byte("raresync/v1/correction\x00"), raw...)
	e.ID = ID(key, TypeCorrection, "", sha256.Sum256(append(content, previous[:]...)))
	return e, nil
}

// Corrected returns the entry with the content that a correction gives it; the
// entry keeps its id. ok is false if the correction does not fit the entry.
func (e Entry) Corrected(by Entry, index uint64) (out Entry, ok bool) {
	c := by.Correction
	if c == nil || c.Index != index || by.Supersedes != e.ID || c.Of() != e.Type || by.Pseudonym != e.Pseudonym {
		return e, false
	}
	out = by
	out.Type, out.ID, out.Supersedes, out.Correction = e.Type, e.ID, e.Supersedes, nil
	out.Facts = c.Facts
	return out, true
}

// IsGenetic reports whether the entry is sealed apart, as genetics are.
func (e Entry) IsGenetic() bool {
	return e.Type == TypeGenetics || e.Correction != nil && e.Correction.Genetics != nil
}

// correctionFields carries the layout.
func (w *wire) correctionFields(e *Entry) {
	c := e.Correction
	w.array(4)
	w.index(&c.Index)
	number(w, &c.Reason, Mistyped, Disputed)
	of := c.Of()
	number(w, &of, TypeCase, TypeReferral)
	if w.in != nil {
		c.Facts = Blank(of)
	}
	if c.Of() == 0 {
		w.fail("a correction with no content or several")
		return
	}
	w.facts(&c.Facts)
	if e.Supersedes == [32]byte{} {
		w.fail("a correction of no entry")
	}
}

// index carries an index of the log.
func (w *wire) index(v *uint64) {
	if w.in != nil {
		*v = w.in.Uint()
		return
	}
	w.out = cbor.AppendUint(w.out, *v)
}

// String returns the reason's name, such as "mistyped".
func (r CorrectionReason) String() string { return name(correctionNames[:], uint8(r)) }

// ParseCorrectionReason returns the reason with the given name, as String
// prints it.
func ParseCorrectionReason(s string) (CorrectionReason, bool) {
	for i := 1; i < len(correctionNames); i++ {
		if correctionNames[i] == s {
			return CorrectionReason(i), true
		}
	}
	return 0, false
}

// CorrectionReasons returns the names of all reasons, in order.
func CorrectionReasons() []string { return append([]string(nil), correctionNames[1:]...) }

var correctionNames = [...]string{"none", "mistyped", "revised", "completed", "disputed"}
