package daemon

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// maxDocumentsBytes bounds a request that names one or two documents.
const maxDocumentsBytes = 64 << 10

// The labels of an alias's two documents in findings.
const oldLabel, newLabel = "old", "new"

// errNoHospital reports a request that only a hospital's node can answer.
var errNoHospital = errors.New("this node is no hospital's, and only hospitals have entries of their own")

// documentsOf reads a request that holds identity numbers. Its error does not
// quote it.
func documentsOf[T any](r *http.Request) (in T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxDocumentsBytes))
	d.DisallowUnknownFields()
	if d.Decode(&in) != nil {
		return in, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	return in, nil
}

// own returns this hospital's own entries as far as the node knows the log.
func (s *service) own(ctx context.Context) (*reader.Tally, error) {
	if m, ok := s.node.View().Member(s.self.Institution); !ok || m.Role != act.RoleHospital {
		return nil, errNoHospital
	}
	if err := s.node.Whole(); err != nil {
		return nil, err
	}
	return s.reader.Own(ctx)
}

// alias links or unlinks two identities of one patient.
func (s *service) alias(r *http.Request) (admin.AliasResult, error) {
	in, err := documentsOf[admin.Alias](r)
	if err != nil {
		return admin.AliasResult{}, err
	}
	a, err := aliasOf(in)
	if err != nil {
		return admin.AliasResult{}, err
	}
	if err := s.mayTake(); err != nil { // before share holders are asked
		return admin.AliasResult{}, err
	}
	out, taken, err := s.postAlias(r.Context(), in, a)
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		out.Outcome, out.Findings = string(intake.Refused), append(out.Findings, findings(refused.Findings)...)
		return out, nil
	}
	if err != nil || taken == nil {
		return out, err
	}
	refs, err := s.references(r.Context(), []intake.Taken{*taken}, map[uint64]outbox.Receipt{}, in.Wait)
	if err != nil {
		return admin.AliasResult{}, err
	}
	out.Entry = &refs[0]
	return out, nil
}

// aliasOf reads action and reason.
func aliasOf(in admin.Alias) (a entry.Alias, err error) {
	switch in.Action {
	case entry.Link.String():
		a.Action = entry.Link
	case entry.Unlink.String():
		a.Action = entry.Unlink
	default:
		return a, fmt.Errorf("%w: action is link or unlink", errInvalid)
	}
	var ok bool
	if a.Reason, ok = entry.ParseAliasReason(in.Reason); !ok {
		return a, fmt.Errorf("%w: reason is newborn, passport, card2023, correction or other", errInvalid)
	}
	return a, nil
}

// postAlias finds out whether this hospital may say so, and says it. A refusal
// is an error; what stands in the log already has nothing taken.
func (s *service) postAlias(ctx context.Context, in admin.Alias, a entry.Alias) (out admin.AliasResult, taken *intake.Taken, err error) {
	own, err := s.own(ctx)
	if err != nil {
		return out, nil, err
	}
	ids, found, err := s.intake.Identify(ctx,
		intake.Labelled{Label: oldLabel, Document: documentOf(in.Old)}, intake.Labelled{Label: newLabel, Document: documentOf(in.New)})
	if err != nil {
		return out, nil, err
	}
	a.Old, a.New = ids[0].Pseudonym, ids[1].Pseudonym
	a.OldType, a.NewType = entry.DocumentTypeOf(ids[0].Identity), entry.DocumentTypeOf(ids[1].Identity)
	out.Old, out.New = s.caseNumber(a.Old), s.caseNumber(a.New)
	said := validate.Alias(a.Reason, ids[0].Identity, ids[1].Identity)
	if err := rule.Refusals(append(found, said...)); err != nil {
		return out, nil, err
	}
	if a.Action == entry.Link { // what does not agree is why a link is undone
		found = append(found, said...)
	}
	e, standing, err := s.aliasEntry(own, a, ids)
	if err != nil {
		return out, nil, err
	}
	if standing != nil {
		out.Outcome, out.Entry = string(intake.Known), &admin.EntryRef{
			Type: e.Type.String(), ID: hex.EncodeToString(e.ID[:]), Index: standing.Index,
		}
		return out, nil, nil
	}
	if a.Action == entry.Link {
		flags, err := s.tryLink(own, e)
		if err != nil {
			return out, nil, err
		}
		found = addFlags(found, flags)
	}
	t, err := s.intake.Post(ctx, e)
	if err != nil {
		return admin.AliasResult{}, nil, err
	}
	out.Outcome, out.Findings = string(intake.Accepted), findings(found)
	if t.Known {
		out.Outcome = string(intake.Known)
	}
	return out, &t, nil
}

// aliasEntry makes the entry, or finds the one in the log that says the same.
func (s *service) aliasEntry(own *reader.Tally, a entry.Alias, ids []intake.Identified) (e entry.Entry, standing *reader.Opened, err error) {
	last, before := own.LastAlias(s.self.Institution, a.Pair())
	switch {
	case before && last.Entry.Alias.Action == a.Action:
		return last.Entry, &last, nil
	case !before && a.Action == entry.Unlink:
		return e, nil, rule.Refuse("AL004", "", "")
	}
	at := ids[0]
	if entries, _ := own.At(s.self.Institution, a.Old); entries == 0 {
		at = ids[1]
	}
	return s.intake.Alias(a, at.Pseudonym, at.Strength, last.Entry.ID), nil, nil
}

// tryLink counts this hospital's persons as if the link were in the log: what
// would not be honoured is refused here, with the same code.
func (s *service) tryLink(own *reader.Tally, e entry.Entry) (flags []string, err error) {
	const last = math.MaxUint64
	own.Add(reader.Opened{Index: last, Hospital: s.self.Institution, Entry: e})
	for _, l := range own.Count().Links {
		switch {
		case l.Index != last:
		case l.Refused != "":
			return nil, rule.Refuse(l.Refused, "", "")
		default:
			flags = l.Flags
		}
	}
	return flags, nil
}

// addFlags adds codes that nothing has found yet.
func addFlags(found []rule.Finding, codes []string) []rule.Finding {
	have := map[string]bool{}
	for _, f := range found {
		have[f.Code] = true
	}
	for _, code := range codes {
		if !have[code] {
			found = append(found, rule.Find(code, "", ""))
		}
	}
	return found
}

func documentOf(d admin.Document) identity.Document {
	return identity.Document{Type: identity.Type(d.Type), Issuer: d.Issuer, Value: d.Value}
}

// persons counts persons behind what this node may open.
func (s *service) persons(r *http.Request) (admin.Persons, error) {
	if err := s.node.Whole(); err != nil {
		return admin.Persons{}, err
	}
	p, err := s.reader.Persons(r.Context())
	if err != nil {
		return admin.Persons{}, err
	}
	sawAll(r.Context(), s.node.View().Tree.Size())
	out := admin.Persons{
		Persons: p.Persons, TwoHospitals: p.TwoHospitals, Cases: p.Cases, Nameless: p.Nameless,
		Unopened: p.Unopened, Undone: p.Undone, Corrected: p.Corrected, Stopped: p.Stopped, Links: []admin.Link{},
	}
	for _, l := range p.Links {
		link := admin.Link{Index: l.Index, Hospital: l.Hospital, Honoured: l.Refused == "", Codes: l.Flags}
		switch {
		case !link.Honoured:
			out.NotHonoured++
			link.Codes = []string{l.Refused}
		case len(l.Flags) > 0:
			out.Honoured++
			out.Flagged++
		default:
			out.Honoured++
			continue
		}
		out.Links = append(out.Links, link)
	}
	if edition := r.URL.Query().Get("edition"); edition != "" {
		return out, s.countListed(r.Context(), edition, &out)
	}
	return out, nil
}

// countListed adds the registrations by the lists of an edition.
func (s *service) countListed(ctx context.Context, edition string, out *admin.Persons) error {
	lists, err := s.edition(edition)
	if err != nil {
		return err
	}
	listed, err := s.reader.Listed(ctx, lists)
	if err != nil {
		return err
	}
	out.Edition = lists.Edition()
	for _, l := range listed {
		out.Lists = append(out.Lists, admin.ListCount(l))
	}
	return nil
}
