package admin

import (
	"context"
	"fmt"
)

// Erasure is a withdrawal and how far it is carried out.
type Erasure struct {
	Envelope uint64 `json:"envelope"` // number of the withdrawal's
	LogTime  string `json:"log_time"` // RFC 3339
	Hospital uint32 `json:"hospital"` // whose entries they are
	Name     string `json:"name"`
	Entries  uint64 `json:"entries"`
	Declared int    `json:"declared"` // nodes that say that they have erased them
	Nodes    int    `json:"nodes"`    // that ever had a right to a copy
}

// ErasureNode is what a node says of an erasure.
type ErasureNode struct {
	Node        string `json:"node"`
	Institution uint32 `json:"institution"`
	Name        string `json:"name"`
	State       string `json:"state"`              // declared, owed, or removed: it cannot attest
	Envelope    uint64 `json:"envelope,omitempty"` // number of its receipt's
}

// ErasureCertificate is who declares an erasure, with the file that proves it.
type ErasureCertificate struct {
	Erasure     Erasure       `json:"erasure"`
	Nodes       []ErasureNode `json:"nodes"`
	SaltsExpire string        `json:"salts_expire,omitempty"` // RFC 3339, of the last backup with salts that was declared
	File        string        `json:"file"`                   // to keep or print
}

// Erasures returns the withdrawals in the log, in order.
func (c *Client) Erasures(ctx context.Context) (list []Erasure, err error) {
	return list, c.call(ctx, "GET", "/v1/erasures", nil, &list)
}

// Erasure returns the certificate of the withdrawal in an envelope.
func (c *Client) Erasure(ctx context.Context, envelope uint64) (e ErasureCertificate, err error) {
	return e, c.call(ctx, "GET", fmt.Sprintf("/v1/erasures/%d", envelope), nil, &e)
}

// ErasureOf returns the certificate of the withdrawal of an entry.
func (c *Client) ErasureOf(ctx context.Context, index uint64) (e ErasureCertificate, err error) {
	return e, c.call(ctx, "GET", fmt.Sprintf("/v1/entries/%d/erasure", index), nil, &e)
}
