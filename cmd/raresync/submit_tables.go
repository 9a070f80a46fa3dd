package main

import (
	"bytes"
	"context"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// readPacket reads the packet of a row, under no name.
func readPacket(p mapping.Patient) ([]phenopacket.Packet, error) {
	packets, err := phenopacket.Read("", bytes.NewReader(p.Packet), phenopacket.Limits{})
	if err == nil && len(packets) != 1 {
		err = rule.Refuse("PP002", "$", "")
	}
	return packets, err
}

// table sends the patients of a table, and takes what became of it.
func (s *submitter) table(ctx context.Context, path string, raw []byte) error {
	opened, err := s.tables.open(path, raw)
	if findings, ok := delivery.RefusalsOf(err); ok {
		return s.refuse(ctx, path, raw, findings)
	}
	r, err := opened.Submit(ctx, s.hand)
	s.tellRows(path, r)
	if err != nil {
		return err
	}
	s.takeTable(opened, r)
	return s.tables.writeRejects(path, r.Rejects, s.screen)
}

// tellRows tells why rows were refused, and counts the other findings.
func (s *submitter) tellRows(path string, r *delivery.Result) {
	for _, f := range delivery.ExplainCells(path, r.Findings, s.lang) {
		if f.Refuses() {
			s.screen.Failed(f.String())
		} else {
			s.flags[f.Rule]++
		}
	}
}

// takeTable keeps what became of a table, and tells what is to be said of it as a
// whole.
func (s *submitter) takeTable(t *delivery.Table, r *delivery.Result) {
	result := admin.FileResult{Name: t.Name, Outcome: r.Counts.Outcome(), Entries: r.Entries}
	for _, f := range r.Findings {
		result.Findings = append(result.Findings, delivery.Sent(f.Finding))
	}
	for _, f := range delivery.Explain(t.Name, r.Whole, s.lang) {
		s.screen.Failed(f.String())
	}
	for _, f := range r.Whole {
		result.Findings = append(result.Findings, delivery.Sent(f))
	}
	s.results = append(s.results, submitted{FileResult: result, Entries: append(taken{}, r.Entries...), Rows: &r.Counts})
	s.refused += r.Counts.Refused
	s.accepted += r.Counts.Accepted + r.Counts.Known + r.Counts.Waiting
	s.waiting += r.Counts.Waiting
	s.screen.Note(t.About(s.lang, r.Read, r.Counts.Accepted+r.Counts.Known, r.Counts.Refused, false))
}
