package delivery

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// A File is one file as it was handed in.
type File struct {
	Name string
	Raw  []byte
	// Profile reads tables; nil is the shipped one that knows the headings.
	Profile *mapping.Profile
	// Language is that of findings and refused rows, "zh" or "en".
	Language string
	// WithIDs leaves document numbers, names and telephones in the refused rows.
	WithIDs bool
	// Documents gives the patients' documents by subject id, for a phenopacket file
	// or one of an archive; nil is none.
	Documents func(file string) map[string]admin.Document
	// Preview says that Send takes nothing, and what would become of the file.
	Preview bool
}

// A Report is what became of a file, or would.
type Report struct {
	Outcome  string           `json:"outcome"`         // accepted, known, partly accepted, waiting or refused
	About    string           `json:"about,omitempty"` // of a table: how it was read
	Rows     *Counts          `json:"rows,omitempty"`
	Entries  []admin.EntryRef `json:"entries,omitempty"`
	Findings []Finding        `json:"findings,omitempty"`
	Foreseen *admin.Foreseen  `json:"foreseen,omitempty"` // of a preview
}

// Limit returns how many bytes a file may have, judged by its name and beginning.
func Limit(name string, head []byte) int64 { return int64(KindOf(name, head).MaxBytes()) }

// MaxFileBytes is the size above which no file is taken, whatever it is.
const MaxFileBytes = table.MaxBytes

// CheckSize refuses a file that is larger than it may be (FM005).
func CheckSize(name string, raw []byte) error {
	if most := Limit(name, raw); int64(len(raw)) > most {
		return rule.Refuse("FM005", "", fmt.Sprintf("file larger than %d bytes", most))
	}
	return nil
}

// Deliver hands a file to the daemon, a table row by row, FHIR patient by patient, and says what became of
// it; rejects are the refused rows,
// patients or files. A file that is refused as a whole is a report,
// not an error. After an error the same file can be delivered again.
func (f File) Deliver(ctx context.Context, send Send) (r Report, rejects []RejectFile, err error) {
	if err := CheckSize(f.Name, f.Raw); err != nil {
		return f.refused(ctx, send, err)
	}
	switch KindOf(f.Name, f.Raw) {
	case Packets:
		r, err = f.packets(ctx, send)
		return r, nil, err
	case Collections:
		return f.collection(ctx, send)
	}
	t, err := Open(f.Name, f.Raw, f.Profile)
	if err != nil {
		return f.refused(ctx, send, err)
	}
	of, err := t.Submit(ctx, send)
	if err != nil {
		return Report{}, nil, err
	}
	n := of.Counts
	r = Report{Outcome: n.Outcome(), Rows: &n, Entries: of.Entries}
	r.About = t.About(f.Language, of.Read, n.Accepted+n.Known, n.Refused, f.Preview)
	r.Findings = append(Explain(t.Name, of.Whole, f.Language), ExplainCells(t.Name, of.Findings, f.Language)...)
	if f.Preview {
		r.Foreseen = n.foreseen()
	}
	rejects, err = of.Rejects.Files(f.Language, f.WithIDs)
	return r, rejects, err
}

// refused reports a file that a rule refuses as a whole; any other error is one.
func (f File) refused(ctx context.Context, send Send, err error) (Report, []RejectFile, error) {
	findings, ok := RefusalsOf(err)
	if !ok {
		return Report{}, nil, err
	}
	if err := Refuse(ctx, send, f.Name, f.Raw, findings); err != nil {
		return Report{}, nil, err
	}
	return Report{Outcome: Refused, Findings: Explain(f.Name, findings, f.Language)}, nil, nil
}

// collection hands over FHIR, or the files of an archive.
func (f File) collection(ctx context.Context, send Send) (r Report, rejects []RejectFile, err error) {
	c, err := OpenCollection(f.Name, f.Raw)
	if err != nil {
		return f.refused(ctx, send, err)
	}
	c.Documents = f.Documents
	of, err := c.Submit(ctx, send)
	if err != nil {
		return Report{}, nil, err
	}
	n := of.Counts
	r = Report{Outcome: n.Outcome(), Rows: &n, Entries: of.Entries, Findings: Explain(f.Name, of.Findings, f.Language)}
	r.About = c.About(f.Language, n.Accepted+n.Known, n.Refused, f.Preview)
	if f.Preview {
		r.Foreseen = n.foreseen()
	}
	rejects, err = of.Rejects.Files(f.WithIDs)
	return r, rejects, err
}

// packets hands over a file of phenopackets.
func (f File) packets(ctx context.Context, send Send) (Report, error) {
	one := admin.File{Name: f.Name, Data: f.Raw}
	if f.Documents != nil {
		one.Identities = f.Documents(f.Name)
	}
	answers, err := send(ctx, []admin.File{one})
	if err != nil {
		return Report{}, err
	}
	if len(answers) != 1 {
		return Report{}, fmt.Errorf("the daemon answered for %d of 1 file", len(answers))
	}
	a := answers[0]
	return Report{
		Outcome: a.Outcome, Entries: a.Entries, Foreseen: a.Foreseen,
		Findings: Explain(f.Name, Received(a.Findings), f.Language),
	}, nil
}
