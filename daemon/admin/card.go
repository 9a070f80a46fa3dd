package admin

import (
	"context"
	"encoding/json"
)

// CardFile hands in the file of a card.
type CardFile struct {
	Data []byte `json:"data"` // TOML
	Wait bool   `json:"wait"` // answer only when the card is under a receipt
}

// CardResult is what became of it.
type CardResult struct {
	Outcome  string    `json:"outcome"` // accepted, known (it holds already) or refused
	Findings []Finding `json:"findings,omitempty"`
	Entry    *EntryRef `json:"entry,omitempty"`
}

// Card is a card that holds.
type Card struct {
	Hospital uint32          `json:"hospital"`
	Type     string          `json:"type"` // biobank, collection or cohort
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Within   string          `json:"within,omitempty"`
	Status   string          `json:"status"`
	Index    uint64          `json:"index"`
	LogTime  string          `json:"log_time"` // RFC 3339, milliseconds
	Content  json.RawMessage `json:"content"`
}

// PutCard hands in a card.
func (c *Client) PutCard(ctx context.Context, f CardFile) (r CardResult, err error) {
	return r, c.call(ctx, "POST", "/v1/cards", f, &r)
}

// Cards lists the cards that hold and that this node may open.
func (c *Client) Cards(ctx context.Context) (list []Card, err error) {
	return list, c.call(ctx, "GET", "/v1/cards", nil, &list)
}
