package admin

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// Export is what a reader is to hand out.
type Export struct {
	Dataset   string `json:"dataset"` // registrations, the name of a report, or of the form answer a question
	Form      string `json:"form"`    // csv, ndjson, parquet, fhir or phenopackets; of a report csv, json or answer
	Purpose   string `json:"purpose"`
	Recipient string `json:"recipient"`
	Project   string `json:"project"`
	Genetics  bool   `json:"genetics"`
	At        string `json:"at"`       // a tree size, or a root in hexadecimal; "": now
	Disease   string `json:"disease"`  // a row of the lists, as 1.27
	Hospital  uint32 `json:"hospital"` // 0: of all
	Province  string `json:"province"`
	From      string `json:"from"` // days
	To        string `json:"to"`
	Lang      string `json:"lang"` // of a report
}

// Export has a reader's node make an export, and calls f with each of its files, the
// manifest and its signature last. f reads the file to its end.
func (c *Client) Export(ctx context.Context, in Export, f func(name string, content io.Reader) error) error {
	resp, err := c.do(ctx, http.MethodPost, "/v1/exports", in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	for r := multipart.NewReader(resp.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the daemon's answer: %w", plainly(err))
		}
		if err := f(part.FileName(), part); err != nil {
			return err
		}
	}
}
