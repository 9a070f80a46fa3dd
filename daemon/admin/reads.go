package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/raresync/raresync/registry/act"
)

// PurposeHeader names the purpose for which a request reads, as a code of
// [act.Purposes].
const PurposeHeader = "Raresync-Purpose"

// MaxRecordsBytes bounds a reader's records as they are handed over.
const MaxRecordsBytes = 256 << 20

// Reads is what a node has read, and what readers have told it that they read of its
// own.
type Reads struct {
	Said    bool         `json:"said"` // the network's feature level has acts for it
	Reads   []Read       `json:"reads"`
	Notices []ReadNotice `json:"notices"`
}

// Read is one reading, held against the log.
type Read struct {
	Day     string `json:"day"`
	Time    string `json:"time"` // RFC 3339
	Account string `json:"account"`
	Purpose string `json:"purpose"`
	Query   string `json:"query"`
	Entries uint64 `json:"entries"` // read in the end
	OnLog   bool   `json:"on_log"`
	Act     uint64 `json:"act"` // its index
	Problem string `json:"problem"`
}

// ReadNotice is what a reader has told about a day.
type ReadNotice struct {
	Day     string     `json:"day"`
	Reader  uint32     `json:"reader"`
	Name    string     `json:"name"`
	Entries uint64     `json:"entries"` // of this institution, that were read; 0: none
	Read    []ReadPart `json:"read"`
	Index   uint64     `json:"index"` // of the act
	Problem string     `json:"problem"`
}

// ReadPart is what was read for one purpose.
type ReadPart struct {
	Purpose string     `json:"purpose"`
	Entries uint64     `json:"entries"`
	Spans   []act.Span `json:"spans"` // of indexes, in which they lie
}

// ReadRecords are a reader's records, sealed to itself and to the other national
// readers.
type ReadRecords struct {
	Network string          `json:"network"`
	Reader  uint32          `json:"reader"`
	Records json.RawMessage `json:"records"` // as the reader keeps them
}

// SetPurpose has all later requests say for which purpose they read; "" is the
// daemon's usual one. It is called before the first request.
func (c *Client) SetPurpose(code string) { c.purpose = code }

// Reads returns what the node has read, and what readers have told it.
func (c *Client) Reads(ctx context.Context) (r Reads, err error) {
	return r, c.call(ctx, http.MethodGet, "/v1/reads", nil, &r)
}

// ReadRecords returns this reader's sealed records.
func (c *Client) ReadRecords(ctx context.Context) (r ReadRecords, err error) {
	return r, c.call(ctx, http.MethodGet, "/v1/reads/records", nil, &r)
}

// OpenReadRecords opens another reader's records at a national reader.
func (c *Client) OpenReadRecords(ctx context.Context, in ReadRecords) (list []Read, err error) {
	return list, c.call(ctx, http.MethodPost, "/v1/reads/records", in, &list)
}
