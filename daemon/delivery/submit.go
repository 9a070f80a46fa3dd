package delivery

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
)

// The outcomes of a file, as the daemon names them, and that of a table of which a
// part was refused.
const (
	Accepted = "accepted"
	Known    = "known" // all of it was taken before
	Refused  = "refused"
	Waiting  = "waiting" // the daemon keeps it for another day's quota
	Partly   = "partly accepted"
)

// Counts say what became of the patients of a table or collection.
type Counts struct {
	Read     int `json:"read"`     // rows or, of a collection, patients
	Passed   int `json:"passed"`   // rows that the profile leaves out
	Accepted int `json:"accepted"` // patients, and so on
	Known    int `json:"known"`
	Refused  int `json:"refused"`
	Waiting  int `json:"waiting"`
	Changed  int `json:"changed,omitempty"` // of the accepted, in a preview: sent before with other content
	Linked   int `json:"linked,omitempty"`  // likewise: new of a patient who is known here
}

// take counts a patient by what became of it.
func (n *Counts) take(r admin.FileResult) {
	if f := r.Foreseen; f != nil {
		n.Changed += f.Changed
		n.Linked += f.Linked
	}
	switch r.Outcome {
	case Refused:
		n.Refused++
	case Waiting:
		n.Waiting++
	case Known:
		n.Known++
	default:
		n.Accepted++
	}
}

// foreseen is what a preview says of the patients.
func (n Counts) foreseen() *admin.Foreseen {
	return &admin.Foreseen{Added: n.Accepted - n.Changed - n.Linked, Changed: n.Changed, Linked: n.Linked, Known: n.Known}
}

// Outcome sums up what became of a table or collection.
func (n Counts) Outcome() string {
	switch {
	case n.Refused > 0 && n.Accepted+n.Known+n.Waiting == 0:
		return Refused
	case n.Refused > 0:
		return Partly
	case n.Waiting > 0:
		return Waiting
	case n.Accepted > 0 || n.Known == 0:
		return Accepted
	}
	return Known
}

// A Result is what became of a table.
type Result struct {
	Counts   Counts
	Read     mapping.Counts
	Entries  []admin.EntryRef
	Findings []mapping.Finding // on rows, also on those that were accepted
	Whole    []rule.Finding    // what kept the rest of the table from being read
	Rejects  *Rejects
}

// Submit sends the table's patients, a batch at a time. After an error the same
// table can be submitted again: what was taken of it is known then.
func (t *Table) Submit(ctx context.Context, send Send) (*Result, error) {
	r := &Result{Rejects: NewRejects(t)}
	b := batch{send: send}
	reader := t.Profile.Reader(t.Name, t.Book)
	for p := range reader.All() {
		if err := t.patient(ctx, &b, p, r); err != nil {
			return r, err
		}
	}
	r.Whole, _ = RefusalsOf(reader.Err())
	if len(r.Whole) > 0 || mapping.Refuses(reader.Findings) {
		r.Counts.Refused++ // what could not be read has no row to count
		if err := b.refused(ctx, string(t.Book.Format), append(bare(reader.Findings), r.Whole...)); err != nil {
			return r, err
		}
	}
	if err := b.flush(ctx); err != nil {
		return r, err
	}
	r.Read, r.Counts.Read, r.Counts.Passed = reader.Counts, reader.Counts.Rows, reader.Counts.Passed
	r.Findings = append(r.Findings, reader.Findings...)
	return r, nil
}

// patient puts a patient into the batch, or refuses one whose row cannot be read.
func (t *Table) patient(ctx context.Context, b *batch, p mapping.Patient, r *Result) error {
	if mapping.Refuses(p.Findings) {
		r.refuse(p, p.Findings)
		return b.refused(ctx, string(t.Book.Format), bare(p.Findings))
	}
	f := admin.File{Name: fmt.Sprintf("%s %s", t.Name, p.At().Within()), Data: p.Packet, Source: string(t.Book.Format)}
	f.Identities = identified(p.Subject, p.Document)
	p.Packet = nil
	return b.add(ctx, f, func(answer admin.FileResult) {
		findings := Merged(append(p.Findings, Placed(p, f.Name, Received(answer.Findings))...))
		if answer.Outcome == Refused {
			r.refuse(p, findings)
			return
		}
		r.Counts.take(answer)
		r.Entries = append(r.Entries, answer.Entries...)
		r.Findings = append(r.Findings, findings...)
	})
}

// bare returns findings without their cells.
func bare(findings []mapping.Finding) []rule.Finding {
	out := make([]rule.Finding, len(findings))
	for i, f := range findings {
		out[i] = f.Finding
	}
	return out
}

func (r *Result) refuse(p mapping.Patient, findings []mapping.Finding) {
	r.Counts.Refused++
	r.Rejects.Add(p, findings)
	r.Findings = append(r.Findings, findings...)
}
