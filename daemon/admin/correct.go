package admin

import (
	"context"
	"fmt"
)

// Correction asks to correct an entry of this hospital to what a file says.
type Correction struct {
	File   File   `json:"file"`   // one patient with one entry of the type; its identities are not looked at
	Reason string `json:"reason"` // mistyped, revised, completed or disputed
	Wait   bool   `json:"wait"`   // answer only when the entry is under a receipt
}

// CorrectionResult tells what became of a correction.
type CorrectionResult struct {
	Outcome  string    `json:"outcome"` // accepted or refused
	Findings []Finding `json:"findings,omitempty"`
	Entry    *EntryRef `json:"entry,omitempty"` // the correction
}

// Correct corrects the entry at an index.
func (c *Client) Correct(ctx context.Context, index uint64, r Correction) (out CorrectionResult, err error) {
	return out, c.call(ctx, "POST", fmt.Sprintf("/v1/entries/%d/correction", index), r, &out)
}
