package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/trail"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/rule"
)

// errNoTrail reports that nothing can be shown because nothing can be recorded.
var errNoTrail = errors.New("the trail of this node is broken: audit/trail.jsonl in the data directory")

// openTrail opens the record of what is done with patients' data. A node whose
// trail is broken runs, and shows nothing that would have to be recorded.
func (s *service) openTrail(dir string) (err error) {
	s.trail, err = trail.Open(filepath.Join(dir, "audit", "trail.jsonl"))
	if errors.Is(err, trail.ErrBroken) {
		s.log.Error("somebody changed this node's trail; nothing is shown that it would have to record", "reason", err.Error())
		err = nil
	}
	return err
}

// record writes to the node's own trail what is done with a patient's data.
func (s *service) record(what string, cases []string, entries int) error {
	if s.trail == nil {
		return errNoTrail
	}
	err := s.trail.Add(trail.Event{Time: s.clock(), What: what, Cases: cases, Entries: entries})
	if err != nil {
		s.meter.TrailFailed()
	}
	return err
}

// reportSubject tells a patient everything that this hospital's node knows.
func (s *service) reportSubject(r *http.Request) (admin.SubjectReport, error) {
	in, err := documentsOf[admin.Subject](r)
	if err != nil {
		return admin.SubjectReport{}, err
	}
	if err := s.isHospital(); err != nil {
		return admin.SubjectReport{}, err
	}
	who, err := s.patient(r.Context(), in.Document, in.CaseNumber)
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		return admin.SubjectReport{Findings: findings(refused.Findings)}, nil
	}
	if err != nil {
		return admin.SubjectReport{}, err
	}
	return s.subject(r.Context(), who.Pseudonym)
}

func (s *service) subject(ctx context.Context, p [32]byte) (admin.SubjectReport, error) {
	view := s.node.View()
	out := admin.SubjectReport{
		Hospital: s.self.Institution, Made: s.clock().UTC().Format(time.RFC3339), Size: view.Tree.Size(),
		Entries: []admin.SubjectEntry{}, Received: []admin.SubjectEntry{}, Consents: []admin.Entry{}, Erasures: []admin.SubjectErasure{},
	}
	if m, ok := view.Member(s.self.Institution); ok {
		out.Name = orElse(m.NameZH, m.NameEN)
	}
	found, cases, consents, err := s.desk.Look(ctx, p)
	if err != nil {
		return out, err
	}
	out.Cases, out.Unopened = cases, found.Unopened
	if err := s.record("subject report", cases, len(found.Indexes)); err != nil {
		return out, err
	}
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return out, err
	}
	for _, index := range found.Indexes {
		e, err := s.subjectEntry(view, index, changes)
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, e)
	}
	if out.Received, err = s.received(ctx, view, found.Pseudonyms, changes); err != nil {
		return out, err
	}
	for _, o := range consents {
		out.Consents = append(out.Consents, s.describeEntry(o, changes))
	}
	if l, ok, err := s.desk.Of(ctx, found.Pseudonyms); err != nil {
		return out, err
	} else if ok {
		w := withdrawn(l)
		out.Decision = &w
	}
	out.Erasures, err = s.erasures(view, consents)
	return out, err
}

// received lists what other hospitals have sent here of a person.
func (s *service) received(ctx context.Context, view *state.State, pseudonyms [][32]byte, changes *reader.Changes) ([]admin.SubjectEntry, error) {
	out := []admin.SubjectEntry{}
	all, err := s.reader.Received(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if !o.Entry.Pseudonym.Present || !slices.Contains(pseudonyms, o.Entry.Pseudonym.Value) {
			continue
		}
		e, err := s.subjectEntry(view, o.Index, changes)
		if errors.Is(err, reader.ErrErased) { // meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// subjectEntry opens an entry and finds who could read it.
func (s *service) subjectEntry(view *state.State, index uint64, changes *reader.Changes) (out admin.SubjectEntry, err error) {
	o, err := s.reader.Entry(index)
	if err != nil {
		return out, err
	}
	out.Entry = s.describeEntry(o, changes)
	out.Person = ""
	if o.Problem == "" {
		e := o.Entry
		if e.Alias != nil { // the patient gets no pseudonyms
			e.Alias = &entry.Alias{
				Action: e.Alias.Action, Reason: e.Alias.Reason, OldType: e.Alias.OldType, NewType: e.Alias.NewType,
			}
		}
		if out.Content, err = e.Content(); err != nil {
			return out, err
		}
	}
	if out.CorrectedBy != 0 {
		if out.Corrected, err = changes.Correct(o).Content(); err != nil {
			return out, err
		}
	}
	if out.Envelope, err = s.node.Machine().EnvelopeAt(index); err != nil {
		return out, err
	}
	env, _, err := s.node.Machine().Envelope(out.Envelope)
	if err != nil {
		return out, err
	}
	out.Readers, out.Slots = readersOf(view, out.Envelope, env)
	return out, nil
}

// readersOf names the institutions that hold keys of an envelope, from the
// wraps in its header and from later grants.
func readersOf(view *state.State, at uint64, env *envelope.Envelope) (out []admin.SubjectReader, slots int) {
	for _, w := range env.Wraps {
		if len(w.KeyID) == 0 {
			slots++
		}
	}
	for i, m := range view.Members {
		number := uint32(i + 1)
		if number == env.Hospital {
			continue
		}
		r := admin.SubjectReader{Institution: number, Name: orElse(m.NameZH, m.NameEN), Genetics: m.Rights.Has(act.RightGenetics)}
		named := slices.ContainsFunc(m.Sealing, func(span state.SealingSpan) bool { return env.Names(span.Key.ID()) })
		if grants := view.GrantsFor(number, at); !named && len(grants) > 0 {
			named, r.Granted = true, grants[0].Number
		}
		if named {
			out = append(out, r)
		}
	}
	return out, slots
}

// erasures finds, of the entries that a person's consents name, those that are
// withdrawn, and who has declared it.
func (s *service) erasures(view *state.State, consents []reader.Opened) ([]admin.SubjectErasure, error) {
	var indexes []uint64
	for _, o := range consents {
		for _, index := range o.Entry.Consent.Indexes {
			if view.Withdrawn(s.self.Institution, index) {
				indexes = append(indexes, index)
			}
		}
	}
	slices.Sort(indexes)
	out := []admin.SubjectErasure{}
	for _, index := range slices.Compact(indexes) {
		w, err := s.withdrawalOf(view, index)
		if err != nil {
			return nil, err
		}
		e := admin.SubjectErasure{Index: index, Envelope: w.Envelope, LogTime: rfc3339(w.LogTime), Nodes: len(view.Entitled)}
		for _, node := range view.Entitled {
			if r, declared := view.ErasureReceipt(node.Node); declared && r.Through >= w.Envelope {
				e.Declared++
			} else if node.To != 0 {
				e.Removed++
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// withdrawalOf finds the first act that withdrew an entry of this hospital.
func (s *service) withdrawalOf(view *state.State, index uint64) (state.Withdrawal, error) {
	for _, w := range view.Withdrawals {
		env, _, err := s.node.Machine().Envelope(w.Envelope)
		if err != nil {
			return w, err
		}
		a, err := act.Decode(env.Bodies[0].Ciphertext)
		if err != nil {
			return w, err
		}
		d, err := act.DecodeWithdrawal(a.Payload)
		if err != nil {
			return w, err
		}
		if d.Hospital == s.self.Institution && slices.ContainsFunc(d.Entries, func(span act.Span) bool { return index >= span.First && index < span.End() }) {
			return w, nil
		}
	}
	return state.Withdrawal{}, fmt.Errorf("entry %d is withdrawn by no act", index)
}
