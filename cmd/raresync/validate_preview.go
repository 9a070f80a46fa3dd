package main

import (
	"context"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
)

// preview has the daemon say what would become of a file, in words, and counts it.
func (v *validator) preview(ctx context.Context, path string, raw []byte) ([]delivery.Finding, error) {
	f := delivery.File{
		Name: path, Raw: raw, Profile: v.tables.profile, Language: v.lang, WithIDs: v.tables.withIDs, Documents: v.documents.Of, Preview: true,
	}
	r, rejects, err := f.Deliver(ctx, func(ctx context.Context, files []admin.File) ([]admin.FileResult, error) {
		answer, err := v.node.Submit(ctx, admin.Submission{Files: files, Profile: v.asProfile, Preview: true})
		return answer.Files, err
	})
	if err != nil {
		return nil, err
	}
	if n := r.Foreseen; n != nil {
		v.foreseen.Added += n.Added
		v.foreseen.Changed += n.Changed
		v.foreseen.Linked += n.Linked
		v.foreseen.Known += n.Known
	}
	if r.Rows == nil {
		v.count(r.Outcome == delivery.Refused)
		return r.Findings, nil
	}
	v.accepted += r.Rows.Accepted + r.Rows.Known
	v.refused += r.Rows.Refused
	v.screen.Note(r.About)
	return r.Findings, v.tables.keepRejects(path, r.Rows.Refused, rejects, v.screen)
}
