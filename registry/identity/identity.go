package identity

import (
	"fmt"
	"log/slog"
)

// A Strength says how well an identity links the same person elsewhere.
type Strength uint8

// The strengths, weakest first.
const (
	Local  Strength = iota // inside one hospital only
	Weak                   // links while the document is the same
	Strong                 // a lifelong number
)

// String returns "local", "weak" or "strong".
func (s Strength) String() string { return [...]string{"local", "weak", "strong"}[min(s, Strong)] }

// A Sex is what the parity of a number in GB 11643 form says.
type Sex uint8

// The two answers of a parity; Unstated where there is none.
const (
	Unstated Sex = iota
	Male
	Female
)

// An Identity is one document in canonical form. The zero Identity is empty.
// It is immutable and safe for concurrent use. Printing, logging and
// marshalling show only its type.
//
// Compare identities with Equal, not with ==.
type Identity struct{ box *box }

// A box keeps the content two pointers away: package fmt does not ask an
// unexported field how it wants to be printed, and for a verb that does not
// fit it looks through the first pointer.
type box struct{ content *content }

type content struct {
	kind          Type
	issuer, value string
	birth         Date // zero where the document says nothing
	sex           Sex
}

// Labels that begin the two canonical forms.
const (
	linkLabel  = "raresync/id/v1"
	localLabel = "raresync/local-id/v1"
)

func (id Identity) content() *content {
	if id.box == nil {
		return nil
	}
	return id.box.content
}

// Type returns the document type, or "" for the zero Identity.
func (id Identity) Type() Type {
	if c := id.content(); c != nil {
		return c.kind
	}
	return ""
}

// X returns the input of the pseudonym's key stretching:
// "raresync/id/v1" 00 type 00 issuer 00 value. It identifies the person and
// must not be stored. It is nil for LOCAL and for the zero Identity: those
// never enter the OPRF.
func (id Identity) X() []byte {
	c := id.content()
	if c == nil || c.kind == LOCAL {
		return nil
	}
	return c.join(linkLabel)
}

// LocalKey returns what a hospital puts under its own HMAC key for a LOCAL
// number: "raresync/local-id/v1" 00 LOCAL 00 issuer 00 value. It is nil for
// every other type.
func (id Identity) LocalKey() []byte {
	c := id.content()
	if c == nil || c.kind != LOCAL {
		return nil
	}
	return c.join(localLabel)
}

func (c *content) join(label string) []byte {
	return []byte(label + "\x00" + string(c.kind) + "\x00" + c.issuer + "\x00" + c.value)
}

// Strength returns Strong for RIC, HKM, TWP and FPR17, Local for LOCAL and
// the zero Identity, Weak for the others.
func (id Identity) Strength() Strength {
	switch id.Type() {
	case RIC, HKM, TWP, FPR17:
		return Strong
	case PP, BC, NBM:
		return Weak
	}
	return Local
}

// BirthDate returns the birth date that the document itself states (RIC and
// NBM).
func (id Identity) BirthDate() (year, month, day int, ok bool) {
	c := id.content()
	if c == nil || c.birth == (Date{}) {
		return 0, 0, 0, false
	}
	return c.birth.Year, c.birth.Month, c.birth.Day, true
}

// Sex returns the sex that the parity of a RIC's sequence states.
func (id Identity) Sex() (Sex, bool) {
	c := id.content()
	if c == nil {
		return Unstated, false
	}
	return c.sex, c.sex != Unstated
}

// Equal reports whether two identities are the same document. The zero
// Identity equals none.
func (id Identity) Equal(other Identity) bool {
	a, b := id.content(), other.content()
	if a == nil || b == nil {
		return false
	}
	return a.kind == b.kind && a.issuer == b.issuer && a.value == b.value
}

// String returns the type and nothing else.
func (id Identity) String() string { return "identity(" + string(id.Type()) + ")" }

// GoString returns the type and nothing else.
func (id Identity) GoString() string { return id.String() }

// Format writes the type and nothing else, whatever the verb.
func (id Identity) Format(f fmt.State, _ rune) { fmt.Fprint(f, id.String()) }

// LogValue returns the type and nothing else.
func (id Identity) LogValue() slog.Value { return slog.StringValue(id.String()) }

// MarshalJSON writes the type and nothing else.
func (id Identity) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%q", id.String()), nil }
