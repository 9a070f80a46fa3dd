package entry

import (
	"strings"

	"github.com/raresync/raresync/crypto/cbor"
)

// An Addressee is the institution that an entry is meant for, beside those who
// read everything of its sender. The zero value is nobody.
type Addressee struct {
	Entity   string // unified social credit code, as the roster has it; or
	Hospital uint32 // number of the institution
}

// Addressee returns for whom the entry is meant: of a referral, and of what
// corrects one, the hospital that the patient was sent to; of a query, the hospital
// that is asked; of a letter, the one that it is for.
func (e Entry) Addressee() Addressee {
	facts := e.Facts
	if e.Correction != nil {
		facts = e.Correction.Facts
	}
	switch {
	case facts.Referral != nil:
		return Addressee{Entity: facts.Referral.To}
	case e.Query != nil:
		return Addressee{Hospital: e.Query.Hospital}
	case e.Letter != nil:
		return Addressee{Hospital: e.Letter.Hospital}
	}
	return Addressee{}
}

// Is reports whether the addressee is the hospital with a number and an entity of
// the roster. Letters of either case are the same.
func (a Addressee) Is(number uint32, entity string) bool {
	return a.Hospital != 0 && a.Hospital == number || a.Entity != "" && strings.EqualFold(a.Entity, entity)
}

// MayBeAddressed reports whether an encoded entry is of a type that may have an
// addressee. It reads no more than that, and says no to what is no entry.
func MayBeAddressed(b []byte) bool {
	d := cbor.NewDecoder(b)
	d.Array(11)
	t := Type(d.UintMax(uint64(lastType)))
	return d.Err() == nil && (t == TypeReferral || t == TypeCorrection || t == TypeQuery || t == TypeLetter)
}
