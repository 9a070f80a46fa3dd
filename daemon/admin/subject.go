package admin

import "context"

// Subject names a patient by a document or by one of this hospital's case
// numbers.
type Subject struct {
	Document   *Document `json:"document,omitempty"`
	CaseNumber string    `json:"case_number,omitempty"`
}

// SubjectReport is everything that this hospital's node knows of one patient.
type SubjectReport struct {
	Hospital uint32           `json:"hospital"`
	Name     string           `json:"name"` // of the hospital
	Made     string           `json:"made"` // RFC 3339
	Size     uint64           `json:"size"` // of the log when it was made
	Cases    []string         `json:"case_numbers"`
	Entries  []SubjectEntry   `json:"entries"`
	Received []SubjectEntry   `json:"received"`         // referrals of the patient by other hospitals, and what corrects them
	Unopened int              `json:"entries_unopened"` // of the hospital; whose they are is not known
	Consents []Entry          `json:"consents"`         // the newest last
	Decision *Withdrawn       `json:"decision,omitempty"`
	Erasures []SubjectErasure `json:"erasures"`
	Findings []Finding        `json:"findings,omitempty"` // severity E: refused, and there is no report
}

// SubjectEntry is an entry with those who could read it.
type SubjectEntry struct {
	Entry
	Envelope uint64          `json:"envelope"` // number
	Readers  []SubjectReader `json:"readers"`
	Slots    int             `json:"slots"` // wraps of which nobody else can tell whose they are, if anybody's
}

// SubjectReader is an institution that could read an entry.
type SubjectReader struct {
	Institution uint32 `json:"institution"`
	Name        string `json:"name"`
	Genetics    bool   `json:"genetics"`          // it may read genetics as well
	Granted     uint64 `json:"granted,omitempty"` // number of the envelope that gave it the keys later
}

// SubjectErasure is an entry that was erased.
type SubjectErasure struct {
	Index    uint64 `json:"index"`
	Envelope uint64 `json:"envelope"` // that withdrew it
	LogTime  string `json:"log_time"` // of that
	Declared int    `json:"declared"` // nodes that say they have erased it
	Nodes    int    `json:"nodes"`    // that ever had a right to a copy
	Removed  int    `json:"removed"`  // of them, no longer in the roster and not heard of
}

// ReportSubject returns the report on a patient. That it was made is written to
// the node's own trail first.
func (c *Client) ReportSubject(ctx context.Context, s Subject) (r SubjectReport, err error) {
	return r, c.call(ctx, "POST", "/v1/subjects/report", s, &r)
}
