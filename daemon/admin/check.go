package admin

import (
	"context"
	"fmt"
)

// Check is a registration that a quality letter draws to be compared with its source
// record, and what came of it.
type Check struct {
	Letter     uint64   `json:"letter"` // index of the letter
	Month      string   `json:"month"`
	Hospital   uint32   `json:"hospital"`
	Index      uint64   `json:"index"`                 // of the registration
	CaseNumber string   `json:"case_number,omitempty"` // at its hospital
	Result     uint8    `json:"result"`                // number of an entry.CheckResult; 0: not compared yet
	Differs    []string `json:"differs,omitempty"`     // names of fields, as entry.CheckField has them
	Checked    string   `json:"checked_at,omitempty"`  // log time, RFC 3339
	CheckIndex uint64   `json:"check_index,omitempty"` // of the hospital's word
}

// Compared says what came of comparing a registration with its source record.
type Compared struct {
	Letter  uint64   `json:"letter"` // index of the letter that draws it
	Result  uint8    `json:"result"`
	Differs []string `json:"differs,omitempty"`
	Wait    bool     `json:"wait"` // answer only when it is under a receipt
}

// Checks lists the registrations that quality letters draw: a hospital's own, or for a
// national reader all.
func (c *Client) Checks(ctx context.Context) (list []Check, err error) {
	return list, c.call(ctx, "GET", "/v1/checks", nil, &list)
}

// Compare says what came of comparing the registration at an index.
func (c *Client) Compare(ctx context.Context, index uint64, of Compared) (r QueryResult, err error) {
	return r, c.call(ctx, "POST", fmt.Sprintf("/v1/checks/%d", index), of, &r)
}
