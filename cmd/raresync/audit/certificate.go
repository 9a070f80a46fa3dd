package audit

import (
	"fmt"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/certificate"
)

// Erased is what a verified erasure certificate says.
type Erased struct {
	Network    string   `json:"network"`
	NetworkID  string   `json:"network_id"`
	Envelope   uint64   `json:"envelope"` // of the withdrawal; the maker's word
	Index      uint64   `json:"index"`    // of its leaf
	LogTime    string   `json:"log_time"` // of the withdrawal, RFC 3339
	Hospital   uint32   `json:"hospital"`
	Entries    uint64   `json:"entries"`
	Declared   []string `json:"declared"`     // nodes whose receipt is proven
	Nodes      int      `json:"nodes"`        // that ever had a copy; the maker's word
	Removed    []string `json:"removed"`      // of them, cannot attest; the maker's word
	SaltsUntil string   `json:"salts_expire"` // RFC 3339; the maker's word; "" = no backup was declared
	Checkpoint uint64   `json:"checkpoint"`
	Cosigned   string   `json:"cosigned"`
}

// Certificate verifies an erasure certificate against the policy. The error is
// ErrUnverified.
func Certificate(file []byte, policy *tlog.Policy) (*Erased, error) {
	c, err := certificate.Parse(file)
	if err != nil {
		return nil, unverified("certificate: %w", err)
	}
	r, err := c.Verify(policy)
	if err != nil {
		return nil, unverified("certificate: %w", err)
	}
	e := &Erased{
		Network: c.Network, NetworkID: fmt.Sprintf("%x", c.NetworkID), Envelope: c.Envelope, Index: r.Index,
		LogTime: time.UnixMilli(int64(r.LogTime)).UTC().Format(time.RFC3339), Hospital: r.Hospital, Entries: act.CountSpans(r.Entries),
		Declared: r.Declared, Nodes: len(c.Nodes), Removed: []string{}, Checkpoint: r.Checkpoint.Size, Cosigned: cosigned(r.Cosigned),
	}
	if e.Declared == nil {
		e.Declared = []string{}
	}
	for i := range c.Nodes {
		if c.Nodes[i].Removed {
			e.Removed = append(e.Removed, c.Nodes[i].ID)
		}
	}
	if c.SaltsExpiry > 0 {
		e.SaltsUntil = time.UnixMilli(int64(c.SaltsExpiry)).UTC().Format(time.RFC3339)
	}
	return e, nil
}
