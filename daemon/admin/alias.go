package admin

import (
	"context"
	"net/url"
)

// Alias asks to link two identities of one patient, or to undo such a link.
type Alias struct {
	Action string   `json:"action"` // link or unlink
	Reason string   `json:"reason"` // newborn, passport, card2023, correction or other
	Old    Document `json:"old"`    // used before
	New    Document `json:"new"`    // the patient's now
	Wait   bool     `json:"wait"`   // answer only when the entry is under a receipt
}

// AliasResult tells what became of an alias. It holds no pseudonym.
type AliasResult struct {
	Outcome  string    `json:"outcome"`            // accepted, known (it stands already) or refused
	Findings []Finding `json:"findings,omitempty"` // where: "old", "new" or, of both, ""
	Old      string    `json:"old_case,omitempty"` // case number, unless refused before it was known
	New      string    `json:"new_case,omitempty"`
	Entry    *EntryRef `json:"entry,omitempty"`
}

// Persons counts persons behind the entries that this node may open, following
// links.
type Persons struct {
	Persons      int    `json:"persons"`
	TwoHospitals int    `json:"persons_at_two_hospitals"`
	Cases        int    `json:"cases"`
	Nameless     int    `json:"cases_without_pseudonym"` // counted as no person
	Unopened     int    `json:"entries_unopened"`        // counted nowhere
	Honoured     int    `json:"links_honoured"`
	NotHonoured  int    `json:"links_not_honoured"`
	Flagged      int    `json:"links_flagged"` // of those honoured
	Undone       int    `json:"links_undone"`
	Corrected    int    `json:"entries_corrected"` // they count as corrected
	Stopped      int    `json:"entries_stopped"`   // left out, as patients want
	Links        []Link `json:"links"`             // those not honoured or flagged

	Edition string      `json:"edition,omitempty"` // of the disease lists, where it was asked for
	Lists   []ListCount `json:"lists,omitempty"`   // registrations by list, as that edition has them
}

// Link is a link to look into.
type Link struct {
	Index    uint64   `json:"index"`
	Hospital uint32   `json:"hospital"`
	Honoured bool     `json:"honoured"`
	Codes    []string `json:"codes"` // why it is not honoured, or what the persons it joins disagree on
}

// Handle is what this hospital has of one patient. It holds no pseudonym.
type Handle struct {
	CaseNumber string   `json:"case_number"`
	Entries    int      `json:"entries"` // this hospital's, aliases apart
	Cases      int      `json:"cases"`
	Linked     []string `json:"linked,omitempty"` // case numbers that this hospital's links join to it
}

// PseudonymCheck tells what a document leads to. A refused document has only
// findings.
type PseudonymCheck struct {
	Handle
	Strength string    `json:"strength"`           // strong, weak or local
	Answered int       `json:"holders_answered"`   // proven answers used; 0 for a local number, which needs none
	Needed   int       `json:"holders_needed"`     // t
	Holders  int       `json:"holders"`            // n
	Findings []Finding `json:"findings,omitempty"` // severity E: refused
}

// Alias links or unlinks two identities.
func (c *Client) Alias(ctx context.Context, a Alias) (r AliasResult, err error) {
	return r, c.call(ctx, "POST", "/v1/aliases", a, &r)
}

// Persons counts persons.
func (c *Client) Persons(ctx context.Context) (p Persons, err error) {
	return p, c.call(ctx, "GET", "/v1/persons", nil, &p)
}

// PersonsBy counts persons, and registrations by the lists of an edition.
func (c *Client) PersonsBy(ctx context.Context, edition string) (p Persons, err error) {
	return p, c.call(ctx, "GET", "/v1/persons?edition="+url.QueryEscape(edition), nil, &p)
}

// CheckPseudonym asks the share holders about a document and says what this
// hospital has under it.
func (c *Client) CheckPseudonym(ctx context.Context, d Document) (r PseudonymCheck, err error) {
	return r, c.call(ctx, "POST", "/v1/pseudonyms/check", d, &r)
}

// CaseNumber returns what this hospital has under a printed case number; the
// error has CodeNotFound if that is nothing.
func (c *Client) CaseNumber(ctx context.Context, number string) (h Handle, err error) {
	return h, c.call(ctx, "GET", "/v1/case-numbers/"+url.PathEscape(number), nil, &h)
}
