package catalog

import (
	"bytes"
	"fmt"
)

// A Relation says how an ORPHA code relates to the list's row. Rows with
// several codes of different relations give them joined, as their source does.
type Relation string

// The relations in the table.
const (
	Exact           Relation = "exact"
	Narrower        Relation = "narrower" // the code is a part of the row
	Broader         Relation = "broader"  // the row is a part of the code
	Close           Relation = "close"
	ExactNarrower   Relation = "exact/narrower"
	BroaderNarrower Relation = "broader/narrower"
)

// A Code is an ORPHA code with its relation to the row it stands on.
type Code struct {
	ID       string // for example "ORPHA:558"
	Relation Relation
}

// A Disease is one row of the lists. Diseases are shared: treat them as read
// only.
type Disease struct {
	List   int      // 1 (2018), 2 (2023), or a later one
	Number int      // from 1 in each list
	ZH, EN []string // names; the first is the row's own, the others synonyms
	ORPHA  []Code
	OMIM   []string // "OMIM:154700" or "OMIMPS:191100"
	ICD10  []string // with the dot, for example "Q87.4"
	// ICD10Edition is the edition of ICD10: "cm" (United States), "who",
	// "unstated", or "" where there is no code.
	ICD10Edition string
}

// Equal reports whether two rows say the same.
func (d *Disease) Equal(o *Disease) bool { return bytes.Equal(d.append(nil), o.append(nil)) }

// Ref returns list and number as "1.68".
func (d *Disease) Ref() string { return fmt.Sprintf("%d.%d", d.List, d.Number) }

// How a Match was found.
const (
	ByNumber = "number"
	ByORPHA  = "orpha"
	ByOMIM   = "omim"
	ByName   = "name"
	ByICD10  = "icd10"
)

// A Match is the answer to a look-up. The zero Match means not found.
type Match struct {
	// Diseases holds the rows that fit, in the order of the lists.
	Diseases []*Disease
	// By says what found them, one of the By constants.
	By string
	// Ambiguous marks several rows of which none is preferred.
	Ambiguous bool
}

// Found reports whether any row fits.
func (m Match) Found() bool { return len(m.Diseases) > 0 }

// Counted returns the rows that a case with this match counts under: all of
// them, except that an ambiguous name or ICD-10 code counts under none until
// it is confirmed.
func (m Match) Counted() []*Disease {
	if m.Ambiguous && (m.By == ByICD10 || m.By == ByName) {
		return nil
	}
	return m.Diseases
}
