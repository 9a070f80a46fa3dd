package admin

import (
	"context"
	"fmt"
)

// Question asks a hospital about one of its entries. Only a national reader's
// node sends it.
type Question struct {
	Index uint64 `json:"index"` // of the entry
	Rule  string `json:"rule"`  // code
	Text  uint8  `json:"text"`  // number of a text, from 1
	Wait  bool   `json:"wait"`  // answer only when the query is under a receipt
}

// Answer is a hospital's answer to a query.
type Answer struct {
	Text uint8 `json:"text"` // number of a text, from 1
	Wait bool  `json:"wait"`
}

// Closing takes a query back that needs no answer any more.
type Closing struct {
	Wait bool `json:"wait"`
}

// QueryResult is what became of one of these.
type QueryResult struct {
	Outcome  string    `json:"outcome"` // accepted, known (it stands in the log already) or refused
	Findings []Finding `json:"findings,omitempty"`
	Entry    *EntryRef `json:"entry,omitempty"`
}

// Query is a query with what became of it.
type Query struct {
	Index      uint64 `json:"index"` // of the query
	Asker      uint32 `json:"asker"`
	Hospital   uint32 `json:"hospital"`
	Target     uint64 `json:"target"` // index of the entry asked about
	Rule       string `json:"rule"`
	Text       uint8  `json:"text"`
	Asked      string `json:"asked_at"` // log time, RFC 3339
	State      string `json:"state"`    // open, answered, corrected or closed
	Days       int    `json:"days_open"`
	Reply      uint8  `json:"reply,omitempty"`       // number of the answer's text
	ReplyIndex uint64 `json:"reply_index,omitempty"` // of the answer
	Correction uint64 `json:"correction,omitempty"`  // index of the correction
}

// Queries lists the queries that this node's institution asked or was asked, for
// a reader those of others as well.
func (c *Client) Queries(ctx context.Context) (list []Query, err error) {
	return list, c.call(ctx, "GET", "/v1/queries", nil, &list)
}

// OpenQuery asks a hospital about an entry.
func (c *Client) OpenQuery(ctx context.Context, q Question) (r QueryResult, err error) {
	return r, c.call(ctx, "POST", "/v1/queries", q, &r)
}

// AnswerQuery answers the query at an index.
func (c *Client) AnswerQuery(ctx context.Context, index uint64, a Answer) (r QueryResult, err error) {
	return r, c.call(ctx, "POST", fmt.Sprintf("/v1/queries/%d/reply", index), a, &r)
}

// CloseQuery closes the query at an index.
func (c *Client) CloseQuery(ctx context.Context, index uint64, closing Closing) (r QueryResult, err error) {
	return r, c.call(ctx, "POST", fmt.Sprintf("/v1/queries/%d/closing", index), closing, &r)
}
