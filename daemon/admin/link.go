package admin

import "context"

// LinkQuestion asks the link file: by one of the two.
type LinkQuestion struct {
	CaseNumber string `json:"case_number,omitempty"`
	Record     string `json:"record,omitempty"` // the hospital's own number of the patient
}

// Links are what the link file answers.
type Links struct {
	Links []RecordLink `json:"links"`
}

// RecordLink says which record number of the hospital's own stands behind a case number.
type RecordLink struct {
	CaseNumber string `json:"case_number"`
	Record     string `json:"record"`
}

// Links asks the hospital's link file. The answer stays in the hospital.
func (c *Client) Links(ctx context.Context, q LinkQuestion) (l Links, err error) {
	return l, c.call(ctx, "POST", "/v1/links", q, &l)
}
