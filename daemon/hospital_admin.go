package daemon

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/meter"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// maxSubmissionBytes bounds one batch of files: a file of 16 MiB in base64,
// with room around it.
const maxSubmissionBytes = 32 << 20

// submit takes a batch of files and, if asked to, waits for its receipts.
func (s *service) submit(w http.ResponseWriter, r *http.Request) {
	var in admin.Submission
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSubmissionBytes)).Decode(&in)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		fail(w, fmt.Errorf("%w: a submission has at most %d bytes", errTooLarge, maxSubmissionBytes))
		return
	case err != nil: // not quoted: it may name what it read
		fail(w, fmt.Errorf("%w: the submission is not readable", errInvalid))
		return
	}
	answer(func(*http.Request) (admin.SubmissionResult, error) { return s.take(r.Context(), in) }).ServeHTTP(w, r)
}

func (s *service) take(ctx context.Context, in admin.Submission) (admin.SubmissionResult, error) {
	profile, ok := entry.ParseProfile(orElse(in.Profile, s.cfg.Submit.Profile))
	if !ok && orElse(in.Profile, s.cfg.Submit.Profile) != "" {
		return admin.SubmissionResult{}, fmt.Errorf("%w: profile is report, cohort or published", errInvalid)
	}
	if !in.Preview {
		if err := s.mayTake(); err != nil { // before share holders are asked
			return admin.SubmissionResult{}, err
		}
	}
	files := make([]intake.File, len(in.Files))
	for i, f := range in.Files {
		source, ok := entry.ParseSource(f.Source)
		if !ok {
			return admin.SubmissionResult{}, fmt.Errorf("%w: source is csv, xlsx, fhir or left out", errInvalid)
		}
		if slices.ContainsFunc(f.Refused, func(code string) bool { return !rule.Known(code) }) {
			return admin.SubmissionResult{}, fmt.Errorf("%w: a file is refused by a rule that is none", errInvalid)
		}
		files[i] = intake.File{Name: f.Name, Data: f.Data, Identities: documents(f.Identities), Source: source, Refused: f.Refused}
	}
	if in.Preview {
		return s.preview(files, profile), nil
	}
	results, err := s.intake.Take(ctx, files, profile)
	if err != nil {
		return admin.SubmissionResult{}, err
	}
	out := admin.SubmissionResult{Files: make([]admin.FileResult, len(results))}
	receipts := map[uint64]outbox.Receipt{}
	taken := time.Now()
	if in.Wait {
		if err := s.locate(results); err != nil {
			return admin.SubmissionResult{}, err
		}
	}
	for i, res := range results {
		s.meterRefusal(res)
		out.Files[i] = admin.FileResult{Name: files[i].Name, Outcome: string(res.Outcome), Findings: findings(res.Findings)}
		if out.Files[i].Entries, err = s.references(ctx, res.Entries, receipts, in.Wait); err != nil {
			return admin.SubmissionResult{}, err
		}
	}
	if in.Wait {
		s.meter.Took(meter.Commit, time.Since(taken))
	}
	return out, nil
}

// preview says what would become of files.
func (s *service) preview(files []intake.File, profile entry.Profile) (out admin.SubmissionResult) {
	for i, f := range s.intake.Preview(files, profile) {
		r := admin.FileResult{Name: files[i].Name, Outcome: string(intake.Accepted), Findings: findings(f.Findings)}
		switch {
		case f.Refused:
			r.Outcome = string(intake.Refused)
		case f.Known > 0 && f.Added+f.Changed+f.Linked == 0:
			r.Outcome = string(intake.Known)
		}
		r.Foreseen = &admin.Foreseen{Added: f.Added, Changed: f.Changed, Linked: f.Linked, Known: f.Known}
		out.Files = append(out.Files, r)
	}
	return out
}

// meterRefusal counts a file that was refused, once for each of the rules.
func (s *service) meterRefusal(r intake.Result) {
	if r.Outcome != intake.Refused {
		return
	}
	rules := map[string]bool{}
	for _, f := range r.Findings {
		if f.Severity == rule.E {
			rules[f.Code] = true
		}
	}
	s.meter.RefusedFile(rules)
}

// mayTake reports, before anything is taken in that would be signed, that there
// is no room for it, or that it would wait in the outbox for ever: the network
// takes nothing that this node signs.
func (s *service) mayTake() error {
	if err := s.node.Room(); err != nil {
		return err
	}
	if err := s.maySign(); err != nil {
		return fmt.Errorf("nothing was taken in: %w", err)
	}
	return nil
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func documents(in map[string]admin.Document) map[string]identity.Document {
	out := make(map[string]identity.Document, len(in))
	for subject, d := range in {
		out[subject] = identity.Document{Type: identity.Type(d.Type), Issuer: d.Issuer, Value: d.Value}
	}
	return out
}

func findings(list []rule.Finding) []admin.Finding {
	out := make([]admin.Finding, len(list))
	for i, f := range list {
		out[i] = admin.Finding{Code: f.Code, Severity: f.Severity.String(), Where: f.Where, Detail: f.Detail}
	}
	return out
}

// locate finds in which envelopes entries are that were taken before.
func (s *service) locate(results []intake.Result) error {
	known := map[[32]byte]bool{}
	for _, r := range results {
		for _, e := range r.Entries {
			if e.Known {
				known[e.ID] = true
			}
		}
	}
	if len(known) == 0 {
		return nil
	}
	at, err := s.outbox.Where(known)
	for _, r := range results {
		for i := range r.Entries {
			if e := &r.Entries[i]; e.Known {
				e.Sequence = at[e.ID]
			}
		}
	}
	return err
}

// references describes entries on their way; with wait, once they are under a
// receipt, those too that were taken before.
func (s *service) references(ctx context.Context, taken []intake.Taken, receipts map[uint64]outbox.Receipt, wait bool) ([]admin.EntryRef, error) {
	var out []admin.EntryRef
	for _, t := range taken {
		ref := admin.EntryRef{Type: t.Type.String(), ID: hex.EncodeToString(t.ID[:]), Sequence: t.Sequence, Place: t.Place, InLog: t.InLog}
		if wait && t.Sequence != 0 {
			r, ok := receipts[t.Sequence]
			if !ok {
				var err error
				if r, err = s.outbox.WaitReceipt(ctx, t.Sequence); err != nil {
					return nil, fmt.Errorf("wait for the receipt of envelope %d: %w", t.Sequence, err)
				}
				receipts[t.Sequence] = r
			}
			if ref.Index, ref.Receipt = r.Index(t.ID); ref.Receipt {
				ref.Place = uint32(ref.Index - r.First)
			}
		}
		out = append(out, ref)
	}
	return out, nil
}

// entries streams what this institution may open.
func (s *service) entries(w http.ResponseWriter, r *http.Request) {
	from, err := number(r, "from")
	limit, err2 := number(r, "limit")
	if err != nil || err2 != nil {
		fail(w, errInvalid)
		return
	}
	if err := s.node.Whole(); err != nil {
		fail(w, err)
		return
	}
	changes, err := s.reader.Changes(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	out := newStreamer(w)
	for o, err := range s.reader.Entries(r.Context(), from, int(limit)) {
		if err != nil {
			out.fail(err)
			return
		}
		sawOne(r.Context(), o.Index)
		if !out.send(s.describeEntry(o, changes)) {
			return
		}
	}
}

func (s *service) entry(r *http.Request) (admin.Entry, error) {
	index, err := number(r, "index")
	if err != nil {
		return admin.Entry{}, err
	}
	if err := s.node.Whole(); err != nil {
		return admin.Entry{}, err
	}
	o, err := s.reader.Entry(index)
	if err != nil {
		return admin.Entry{}, err
	}
	changes, err := s.reader.Changes(r.Context())
	if err != nil {
		return admin.Entry{}, err
	}
	sawOne(r.Context(), index)
	e := s.describeEntry(o, changes)
	if o.Problem != "" {
		return e, nil
	}
	if e.Content, err = o.Entry.Content(); err != nil || e.CorrectedBy == 0 {
		return e, err
	}
	e.Corrected, err = changes.Correct(o).Content()
	return e, err
}

func (s *service) phenopacket(r *http.Request) (json.RawMessage, error) {
	index, err := number(r, "index")
	if err != nil {
		return nil, err
	}
	if err := s.node.Whole(); err != nil {
		return nil, err
	}
	sawOne(r.Context(), index)
	return s.reader.Phenopacket(r.Context(), index)
}

// describeEntry puts an opened entry on one line, with what later ones say of it.
func (s *service) describeEntry(o reader.Opened, changes *reader.Changes) admin.Entry {
	e := admin.Entry{Index: o.Index, Hospital: o.Hospital, LogTime: rfc3339(o.LogTime), Problem: o.Problem, Doubtful: o.Doubtful}
	if o.Problem != "" {
		return e
	}
	sum := s.summary(o.Entry)
	e.Type, e.Profile, e.Strength = sum.Type.String(), sum.Profile.String(), sum.Strength.String()
	e.ID, e.EventDate, e.Disease = hex.EncodeToString(o.Entry.ID[:]), sum.EventDate.String(), sum.Disease
	if o.Entry.Pseudonym.Present {
		e.Person = hex.EncodeToString(o.Entry.Pseudonym.Value[:])
	}
	for i, row := range sum.Match.Counted() {
		if i > 0 {
			e.Listed += ","
		}
		e.Listed += fmt.Sprintf("%d.%d", row.List, row.Number)
	}
	var states []string
	if _, by, ok := changes.Correction(o); ok {
		e.CorrectedBy, states = by.Index, append(states, "corrected")
	}
	if changes.Stopped(o.Hospital, o.Index, o.Entry.Uses()) {
		states = append(states, "stopped")
	}
	e.State = strings.Join(states, ", ")
	return e
}
