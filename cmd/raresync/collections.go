package main

import (
	"context"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/rule"
)

// members are the files of an archive, none if it cannot be read: it is refused
// when its turn comes.
func members(path string) []string {
	raw, err := readSource(path)
	if err != nil {
		return nil
	}
	c, err := delivery.OpenCollection(path, raw)
	if err != nil {
		return nil
	}
	return c.Files
}

// collection sends the patients of a FHIR file, or the files of an archive, and
// takes what became of them.
func (s *submitter) collection(ctx context.Context, path string, raw []byte) error {
	c, err := delivery.OpenCollection(path, raw)
	if findings, ok := delivery.RefusalsOf(err); ok {
		return s.refuse(ctx, path, raw, findings)
	}
	c.Documents = s.documents.Of
	r, err := c.Submit(ctx, s.hand)
	for _, f := range delivery.Explain(path, r.Findings, s.lang) {
		if f.Refuses() {
			s.screen.Failed(f.String())
		} else {
			s.flags[f.Rule]++
		}
	}
	if err != nil {
		return err
	}
	result := admin.FileResult{Name: c.Name, Outcome: r.Counts.Outcome(), Entries: r.Entries}
	for _, f := range r.Findings {
		result.Findings = append(result.Findings, delivery.Sent(f))
	}
	s.results = append(s.results, submitted{FileResult: result, Entries: append(taken{}, r.Entries...), Rows: &r.Counts})
	s.refused += r.Counts.Refused
	s.accepted += r.Counts.Accepted + r.Counts.Known + r.Counts.Waiting
	s.waiting += r.Counts.Waiting
	s.screen.Note(c.About(s.lang, r.Counts.Accepted+r.Counts.Known, r.Counts.Refused, false))
	rejects, err := r.Rejects.Files(s.tables.withIDs)
	if err != nil {
		return err
	}
	return s.tables.keepRejects(path, r.Counts.Refused, rejects, s.screen)
}

// collection returns what the rules find in a FHIR file or an archive, in words,
// and counts its patients or files.
func (v *validator) collection(path string, raw []byte) ([]delivery.Finding, error) {
	c, err := delivery.OpenCollection(path, raw)
	if findings, ok := delivery.RefusalsOf(err); ok {
		v.count(true)
		return delivery.Explain(path, findings, v.lang), nil
	}
	c.Documents = v.documents.Of
	before, refused := v.accepted, v.refused
	var told delivery.Told
	for u := range c.Units() {
		documents := u.File.Identities
		found, err := v.packets(u.File.Name, u.File.Data, documents, nil)
		if err != nil {
			return nil, err
		}
		found = append(u.Findings, u.Placed(found)...)
		v.count(rule.Refusals(found) != nil)
		told.Add(found...)
	}
	if told.Add(c.Findings()...); rule.Refusals(c.Findings()) != nil {
		v.count(true)
	}
	v.screen.Note(c.About(v.lang, v.accepted-before, v.refused-refused, true))
	return delivery.Explain(path, told.All(path), v.lang), nil
}
