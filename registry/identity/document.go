package identity

import (
	"fmt"
	"log/slog"
)

// A Type names a kind of identity document as it stands in the OPRF input.
type Type string

// The document types of idnorm v1.
const (
	// RIC is every number in GB 11643 form: resident ID (15 digits are
	// converted), residence permit of Hong Kong, Macao and Taiwan
	// residents, foreigner's permanent residence card since 2023. One type
	// for all, so that a person keyed under either name stays one person.
	RIC Type = "RIC"
	// HKM is the mainland travel permit of Hong Kong and Macao residents.
	HKM Type = "HKM"
	// TWP is the mainland travel permit of Taiwan residents.
	TWP Type = "TWP"
	// FPR17 is the foreigner's permanent residence card of 2017.
	FPR17 Type = "FPR17"
	// PP is a passport; the issuer is its country in ISO 3166-1 alpha-3.
	PP Type = "PP"
	// BC is a birth certificate.
	BC Type = "BC"
	// NBM is a newborn without a number: mother's document, birth date and
	// birth order.
	NBM Type = "NBM"
	// LOCAL is a record number that means something only inside one
	// hospital. It never enters the OPRF.
	LOCAL Type = "LOCAL"
)

// An Origin says how a value reached us.
type Origin uint8

// The origins. A spreadsheet stores a number with 15 significant digits, so
// the ending of a longer one is lost even where the check digit happens to fit.
const (
	Text    Origin = iota // typed or stored as text
	Numeric               // a number cell of a spreadsheet
)

// A Document is one identity document as a row gives it. It holds the
// identifier in clear. Printing, logging or marshalling it shows the type
// only; do not keep it in an unexported field of something that is printed.
type Document struct {
	Type Type
	// Issuer is the country of a passport, or the hospital's own code for a
	// LOCAL number where one hospital keeps several number series; otherwise
	// it is ignored.
	Issuer string
	// Value is the number as found; ignored for NBM.
	Value  string
	Origin Origin
	// Mother is the mother's document (RIC, HKM, TWP, FPR17 or PP), BirthDate
	// the newborn's, Order 1 for an only child or the first of several, at
	// most 99. NBM only.
	Mother    *Document
	BirthDate Date
	Order     int
}

// Format writes the type and nothing else, whatever the verb.
func (d Document) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "document(%s)", typeName(d.Type)) }

// LogValue returns the type and nothing else.
func (d Document) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(d)) }

// MarshalJSON writes the type and nothing else.
func (d Document) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", fmt.Sprint(d)), nil }

// typeName keeps a value that landed in the wrong column out of messages.
func typeName(t Type) Type {
	switch t {
	case RIC, HKM, TWP, FPR17, PP, BC, NBM, LOCAL:
		return t
	}
	return "?"
}
