package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Report is a report that can be asked for.
type Report struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	About string `json:"about"`
}

// MadeReport is a report as JSON.
type MadeReport struct {
	Name       string        `json:"name"`
	Title      string        `json:"title"`
	Size       uint64        `json:"tree_size"`
	Root       string        `json:"root"`
	LogTime    string        `json:"log_time"` // RFC 3339, of the last envelope
	Lists      string        `json:"disease_lists"`
	MinCell    int           `json:"min_cell"` // smallest count printed; 0: exact
	Label      string        `json:"label"`
	Disclosure string        `json:"disclosure"`
	Notes      []string      `json:"notes"`
	Tables     []ReportTable `json:"tables"`
}

// ReportTable is a table of a report. A value is a text, a number, or nil if it is
// withheld or there is none.
type ReportTable struct {
	Title   string         `json:"title"`
	Columns []ReportColumn `json:"columns"`
	Rows    [][]any        `json:"rows"`
	Total   []any          `json:"total,omitempty"`
}

// ReportColumn is a column of a report's table.
type ReportColumn struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Kind  string `json:"kind"` // word, number, people, share, middle, exact
}

// Reports lists the reports that can be asked for, in a language.
func (c *Client) Reports(ctx context.Context, lang string) (r []Report, err error) {
	return r, c.call(ctx, http.MethodGet, "/v1/reports?lang="+url.QueryEscape(lang), nil, &r)
}

// Report returns a report as bytes of the format that the options ask for: format is
// json, csv or html, lang zh or en; disease, hospital, province, from and to choose
// what it is about; exact is "1" for counts that must not be passed on.
func (c *Client) Report(ctx context.Context, name string, options url.Values) ([]byte, error) {
	return c.bytes(ctx, "/v1/reports/"+url.PathEscape(name)+"?"+options.Encode())
}

// bytes returns what stands at a path.
func (c *Client) bytes(ctx context.Context, path string) ([]byte, error) {
	resp, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, fmt.Errorf("read the daemon's answer: %w", plainly(err))
	}
	return raw, nil
}
