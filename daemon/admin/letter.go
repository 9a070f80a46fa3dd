package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// LetterRequest has the quality letters of a month sent.
type LetterRequest struct {
	Month    string `json:"month"`    // as 2026-11; "": the last that can be
	Hospital uint32 `json:"hospital"` // 0: every hospital
	Wait     bool   `json:"wait"`     // answer only when the letters are under receipts
}

// LetterResult is what became of the letter to one hospital.
type LetterResult struct {
	Hospital uint32 `json:"hospital"`
	Month    string `json:"month"`
	Outcome  string `json:"outcome"` // accepted, or known: it was sent before
	Index    uint64 `json:"index,omitempty"`
	Receipt  bool   `json:"receipt"`
}

// Letter is a quality letter in the log.
type Letter struct {
	Index    uint64 `json:"index"`
	Sender   uint32 `json:"sender"`
	Hospital uint32 `json:"hospital"`
	Month    string `json:"month"`
	Sent     string `json:"sent_at"`      // log time, RFC 3339
	Size     uint64 `json:"tree_size"`    // of the log that its figures are of
	Open     uint32 `json:"open_queries"` // when it was sent
	Oldest   uint32 `json:"oldest_days"`  // for which the oldest of them was
}

// Letters lists the quality letters that this node's institution may open.
func (c *Client) Letters(ctx context.Context) (list []Letter, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/letters", nil, &list)
}

// SendLetters sends the letters of a month. One that was sent stays.
func (c *Client) SendLetters(ctx context.Context, r LetterRequest) (out []LetterResult, err error) {
	return out, c.call(ctx, http.MethodPost, "/v1/letters", r, &out)
}

// ShowLetter returns the letter at an index as bytes of the format that the options
// ask for, as [Client.Report] does.
func (c *Client) ShowLetter(ctx context.Context, index uint64, options url.Values) ([]byte, error) {
	return c.bytes(ctx, fmt.Sprintf("/v1/letters/%d?%s", index, options.Encode()))
}
