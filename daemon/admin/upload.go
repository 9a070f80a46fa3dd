package admin

import (
	"context"
	"iter"
)

// Registration is one of this hospital's own cases, as corrected.
type Registration struct {
	Index      uint64            `json:"index"`
	LogTime    string            `json:"log_time"`
	CaseNumber string            `json:"case_number"`
	Hospital   string            `json:"hospital"`          // its name
	Cells      map[string]string `json:"cells"`             // by field of the template, in its Chinese words
	Records    []string          `json:"records,omitempty"` // of the link file, if asked for
}

// Registrations yields this hospital's own cases, with the record numbers of the
// link file if asked. It leaves a line in the trail.
func (c *Client) Registrations(ctx context.Context, records bool) iter.Seq2[Registration, error] {
	path := "/v1/registrations"
	if records {
		path += "?records=true"
	}
	return stream[Registration](ctx, c, path)
}
