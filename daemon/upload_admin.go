package daemon

import (
	"context"
	"net/http"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/mapping"
)

// registrations streams this hospital's own cases, as corrected and in the words of
// the template, without those whose use is stopped. With records=true the record
// numbers of the link file come along. The trail says that they were read.
func (s *service) registrations(w http.ResponseWriter, r *http.Request) {
	list, err := s.ownCases(r.Context())
	if err == nil {
		err = s.isHospital()
	}
	what, links := "registrations exported", map[string][]string{}
	if err == nil && r.URL.Query().Get("records") == "true" {
		what = "registrations exported with record numbers"
		links, err = s.links.All()
	}
	if err == nil {
		err = s.record(what, []string{}, len(list))
	}
	if err != nil {
		fail(w, err)
		return
	}
	out := newStreamer(w)
	for _, one := range list {
		one.Records = links[one.CaseNumber]
		if !out.send(one) {
			return
		}
	}
}

// ownCases reads the log for this hospital's cases and their genetics.
func (s *service) ownCases(ctx context.Context) ([]admin.Registration, error) {
	if err := s.node.Whole(); err != nil {
		return nil, err
	}
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return nil, err
	}
	var cases []reader.Opened
	genetics := map[[32]byte]*entry.Entry{} // by the id of the case
	for o, err := range s.reader.OwnEntries(ctx) {
		if err != nil {
			return nil, err
		}
		if o.Problem != "" || changes.Stopped(o.Hospital, o.Index, o.Entry.Uses()) {
			continue
		}
		switch o.Entry.Type {
		case entry.TypeCase:
			cases = append(cases, o)
		case entry.TypeGenetics:
			e := changes.Correct(o)
			genetics[e.BelongsTo()] = &e
		}
	}
	m, _ := s.node.View().Member(s.self.Institution)
	var list []admin.Registration
	for _, o := range cases {
		e := changes.Correct(o)
		one := admin.Registration{
			Index: o.Index, LogTime: rfc3339(o.LogTime), CaseNumber: s.caseNumber(e.Pseudonym.Value),
			Hospital: orElse(m.NameZH, m.NameEN), Cells: mapping.Cells(e, genetics[o.Entry.ID]),
		}
		list = append(list, one)
	}
	return list, nil
}
