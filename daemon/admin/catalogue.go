package admin

import (
	"context"
	"net/url"
)

// Edition is an edition of the disease lists that is in force.
type Edition struct {
	Edition  string `json:"edition"`
	Hash     string `json:"hash"`     // SHA-256 of the table, hex
	Envelope uint64 `json:"envelope"` // number of the envelope that brought it; 0 = the genesis names it
	Diseases int    `json:"diseases"` // rows; 0 if this program does not carry the table of the genesis
	Newest   bool   `json:"newest"`   // files are checked and matched by it
}

// Table is an edition's table, as catalog.Parse reads it.
type Table struct {
	Edition string `json:"edition"`
	Table   []byte `json:"table"`
}

// ListCount says how many registrations are of a disease of a list.
type ListCount struct {
	List     int `json:"list"` // 0 = of none
	Diseases int `json:"diseases"`
	Cases    int `json:"registrations"`
}

// Editions lists the editions of the disease lists in force, the newest last.
func (c *Client) Editions(ctx context.Context) (e []Edition, err error) {
	return e, c.call(ctx, "GET", "/v1/catalogues", nil, &e)
}

// Table returns the table of an edition; "" is the newest.
func (c *Client) Table(ctx context.Context, edition string) (t Table, err error) {
	return t, c.call(ctx, "GET", "/v1/catalogues/table?edition="+url.QueryEscape(edition), nil, &t)
}
