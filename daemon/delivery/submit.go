package delivery

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
)

// Bounds of one call of a Send: as many patients as the share holders are asked
// about at once, and so many bytes that a larger file goes alone.
const (
	MaxBatchPatients = 4096
	MaxBatchBytes    = 8 << 20
)

// Send hands files to the daemon's intake and tells what became of each, in the
// order given.
type Send func(ctx context.Context, files []admin.File) ([]admin.FileResult, error)

// The outcomes of a file, as the daemon names them, and that of a table of which a
// part was refused.
const (
	Accepted = "accepted"
	Known    = "known" // all of it was taken before
	Refused  = "refused"
	Waiting  = "waiting" // the daemon keeps it for another day's quota
	Partly   = "partly accepted"
)

// Counts say what became of the patients of a table.
type Counts struct {
	Read     int `json:"read"`     // rows
	Passed   int `json:"passed"`   // rows that the profile leaves out
	Accepted int `json:"accepted"` // patients, and so on
	Known    int `json:"known"`
	Refused  int `json:"refused"`
	Waiting  int `json:"waiting"`
	Changed  int `json:"changed,omitempty"` // of the accepted, in a preview: sent before with other content
	Linked   int `json:"linked,omitempty"`  // likewise: new of a patient who is known here
}

// Outcome sums up what became of a table.
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

// submission is a table on its way.
type submission struct {
	*Table
	send     Send
	result   *Result
	batch    []admin.File
	patients []mapping.Patient // of the batch
	bytes    int
}

// Submit sends the table's patients, a batch at a time. After an error the same
// table can be submitted again: what was taken of it is known then.
func (t *Table) Submit(ctx context.Context, send Send) (*Result, error) {
	s := &submission{Table: t, send: send, result: &Result{Rejects: NewRejects(t)}}
	reader := t.Profile.Reader(t.Name, t.Book)
	for p := range reader.All() {
		if err := s.patient(ctx, p); err != nil {
			return s.result, err
		}
	}
	if err := s.flush(ctx); err != nil {
		return s.result, err
	}
	r := s.result
	r.Read, r.Counts.Read, r.Counts.Passed = reader.Counts, reader.Counts.Rows, reader.Counts.Passed
	r.Findings = append(r.Findings, reader.Findings...)
	r.Whole, _ = RefusalsOf(reader.Err())
	if len(r.Whole) > 0 || mapping.Refuses(reader.Findings) {
		r.Counts.Refused++ // what could not be read has no row to count
	}
	return r, nil
}

// patient puts a patient into the batch, or refuses one whose row cannot be read.
func (s *submission) patient(ctx context.Context, p mapping.Patient) error {
	if mapping.Refuses(p.Findings) {
		s.refuse(p, p.Findings)
		return nil
	}
	f := admin.File{Name: fmt.Sprintf("%s %s", s.Name, p.At().Within()), Data: p.Packet, Source: string(s.Book.Format)}
	if d := p.Document; d.Value != "" {
		f.Identities = map[string]admin.Document{p.Subject: {Type: string(d.Type), Issuer: d.Issuer, Value: d.Value}}
	}
	p.Packet = nil
	s.batch, s.patients, s.bytes = append(s.batch, f), append(s.patients, p), s.bytes+len(f.Data)
	if len(s.batch) < MaxBatchPatients && s.bytes < MaxBatchBytes {
		return nil
	}
	return s.flush(ctx)
}

func (s *submission) refuse(p mapping.Patient, findings []mapping.Finding) {
	s.result.Counts.Refused++
	s.result.Rejects.Add(p, findings)
	s.result.Findings = append(s.result.Findings, findings...)
}

// flush sends the batch and takes the answer for each patient.
func (s *submission) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return nil
	}
	answers, err := s.send(ctx, s.batch)
	if err != nil {
		return err
	}
	if len(answers) != len(s.batch) {
		return fmt.Errorf("the daemon answered for %d of %d patients", len(answers), len(s.batch))
	}
	for i, r := range answers {
		p := s.patients[i]
		findings := Merged(append(p.Findings, Placed(p, s.batch[i].Name, Received(r.Findings))...))
		s.result.Entries = append(s.result.Entries, r.Entries...)
		if f := r.Foreseen; f != nil {
			s.result.Counts.Changed += f.Changed
			s.result.Counts.Linked += f.Linked
		}
		switch r.Outcome {
		case Refused:
			s.refuse(p, findings)
			continue
		case Waiting:
			s.result.Counts.Waiting++
		case Known:
			s.result.Counts.Known++
		default:
			s.result.Counts.Accepted++
		}
		s.result.Findings = append(s.result.Findings, findings...)
	}
	s.batch, s.patients, s.bytes = nil, nil, 0
	return nil
}
