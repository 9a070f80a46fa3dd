package admin

import "context"

// Withdrawal asks to take a patient's decision. The patient is given by a
// document or by one of this hospital's case numbers.
type Withdrawal struct {
	Action     string    `json:"action"` // stop, resume, erase or cancel
	Document   *Document `json:"document,omitempty"`
	CaseNumber string    `json:"case_number,omitempty"`
	Scope      []string  `json:"scope,omitempty"` // of stop and resume: registry, contact, reuse, biobank, drugs, industry or all
	By         string    `json:"by"`              // self or guardian
	Now        bool      `json:"now"`             // of erase: post the act at once
	Again      bool      `json:"again"`           // of resume: after an erasure
	DryRun     bool      `json:"dry_run"`         // only say what would be
	Wait       bool      `json:"wait"`            // answer only when the entry is under a receipt
}

// WithdrawalResult tells what became of a decision. It holds no pseudonym.
type WithdrawalResult struct {
	Outcome  string    `json:"outcome"` // accepted, known (it held before), asked (a dry run) or refused
	Findings []Finding `json:"findings,omitempty"`
	Cases    []string  `json:"case_numbers"`
	Status   string    `json:"status"`                          // in use, stopped or erasing
	Scope    string    `json:"stopped"`                         // uses that are stopped
	Entries  []Entry   `json:"entries"`                         // that it concerns
	Unopened int       `json:"entries_unopened"`                // of this hospital; whose they are is not known
	Latest   string    `json:"posted_by,omitempty"`             // RFC 3339: until when the act of an erasure is posted
	Entry    *EntryRef `json:"entry,omitempty"`                 // the consent entry
	Dropped  int       `json:"waiting_files_dropped,omitempty"` // that waited over quota and held the patient
}

// Withdrawn is the newest decision of one patient.
type Withdrawn struct {
	Cases   []string `json:"case_numbers"` // empty if this node's own file was lost after the erasure
	Status  string   `json:"status"`       // in use, stopped, erasing, posted or erased
	Scope   string   `json:"stopped"`
	By      string   `json:"by"`
	Day     string   `json:"day"`
	Entries int      `json:"entries"`
	Indexes []uint64 `json:"indexes"`
	Latest  string   `json:"posted_by,omitempty"`
}

// Withdrawals are the newest decisions of this hospital's patients.
type Withdrawals struct {
	List    []Withdrawn `json:"list"`
	Problem string      `json:"problem,omitempty"` // why an act is not posted
}

// Withdraw takes a decision.
func (c *Client) Withdraw(ctx context.Context, w Withdrawal) (r WithdrawalResult, err error) {
	return r, c.call(ctx, "POST", "/v1/withdrawals", w, &r)
}

// Withdrawals returns the newest decisions.
func (c *Client) Withdrawals(ctx context.Context) (w Withdrawals, err error) {
	return w, c.call(ctx, "GET", "/v1/withdrawals", nil, &w)
}
