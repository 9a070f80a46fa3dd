package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// errNotOwn reports an entry that another hospital must correct.
var errNotOwn = errors.New("the entry is not this hospital's")

// correct corrects an entry of this hospital.
func (s *service) correct(r *http.Request) (admin.CorrectionResult, error) {
	var in admin.Correction
	if json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxSubmissionBytes)).Decode(&in) != nil { // not quoted
		return admin.CorrectionResult{}, fmt.Errorf("%w: the correction is not readable", errInvalid)
	}
	reason, ok := entry.ParseCorrectionReason(in.Reason)
	if !ok {
		return admin.CorrectionResult{}, fmt.Errorf("%w: reason is one of %s", errInvalid, entry.CorrectionReasons())
	}
	if err := s.isHospital(); err != nil {
		return admin.CorrectionResult{}, err
	}
	if err := s.mayTake(); err != nil {
		return admin.CorrectionResult{}, err
	}
	c, err := s.toCorrect(r)
	if err != nil {
		return admin.CorrectionResult{}, err
	}
	e, found, err := s.intake.Correct(c, intake.File{Name: in.File.Name, Data: in.File.Data}, reason)
	var taken intake.Taken
	if err == nil {
		taken, err = s.intake.Post(r.Context(), e)
	}
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		return admin.CorrectionResult{Outcome: string(intake.Refused), Findings: findings(refused.Findings)}, nil
	}
	if err != nil {
		return admin.CorrectionResult{}, err
	}
	refs, err := s.references(r.Context(), []intake.Taken{taken}, map[uint64]outbox.Receipt{}, in.Wait)
	if err != nil {
		return admin.CorrectionResult{}, err
	}
	return admin.CorrectionResult{Outcome: string(intake.Accepted), Findings: findings(found), Entry: &refs[0]}, nil
}

// toCorrect opens the entry that a request names, with its corrections.
func (s *service) toCorrect(r *http.Request) (c intake.Corrected, err error) {
	if c.Index, err = number(r, "index"); err != nil {
		return c, err
	}
	o, err := s.reader.Entry(c.Index)
	if err != nil {
		return c, err
	}
	if o.Hospital != s.self.Institution {
		return c, fmt.Errorf("entry %d: %w", c.Index, errNotOwn)
	}
	if o.Problem != "" {
		return c, fmt.Errorf("%w: entry %d does not open: %s", errInvalid, c.Index, o.Problem)
	}
	changes, err := s.reader.Changes(r.Context())
	if err != nil {
		return c, err
	}
	c.First, c.Present = o.Entry, o.Entry
	if present, by, ok := changes.Correction(o); ok {
		c.Present, c.Previous = present, by.Entry.ID
	}
	return c, nil
}
