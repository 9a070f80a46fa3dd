package delivery

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/archive"
	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
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

// A batch collects what is sent together, each with what takes its answer.
type batch struct {
	send  Send
	files []admin.File
	takes []func(admin.FileResult)
	bytes int
}

// add puts a file into the batch, and sends the batch if it is full.
func (b *batch) add(ctx context.Context, f admin.File, take func(admin.FileResult)) error {
	b.files, b.takes, b.bytes = append(b.files, f), append(b.takes, take), b.bytes+len(f.Data)
	if len(b.files) < MaxBatchPatients && b.bytes < MaxBatchBytes {
		return nil
	}
	return b.flush(ctx)
}

// refused has the daemon count what was refused here, by the rules that refused it.
func (b *batch) refused(ctx context.Context, source string, findings []rule.Finding) error {
	var codes []string
	for _, f := range findings {
		if f.Severity == rule.E && !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	return b.add(ctx, admin.File{Source: source, Refused: codes}, func(admin.FileResult) {})
}

// Refuse has the daemon count a file that is refused as a whole, before any of it
// could be handed over.
func Refuse(ctx context.Context, send Send, name string, raw []byte, findings []rule.Finding) error {
	b := batch{send: send}
	if err := b.refused(ctx, sourceOf(name, raw), findings); err != nil {
		return err
	}
	return b.flush(ctx)
}

// sourceOf is the format that a file was to be in, as the daemon names it.
func sourceOf(name string, raw []byte) string {
	switch kind := KindOf(name, raw); {
	case kind == Rows && (archive.Is(raw) || strings.EqualFold(filepath.Ext(name), ".xlsx")):
		return string(table.XLSX)
	case kind == Rows:
		return string(table.CSV)
	case fhir.Is(raw) || strings.EqualFold(filepath.Ext(name), ".ndjson"):
		return "fhir"
	}
	return "" // a phenopacket, or an archive of them
}

// flush sends the batch and gives each file its answer.
func (b *batch) flush(ctx context.Context) error {
	if len(b.files) == 0 {
		return nil
	}
	answers, err := b.send(ctx, b.files)
	if err != nil {
		return err
	}
	if len(answers) != len(b.files) {
		return fmt.Errorf("the daemon answered for %d of %d patients", len(answers), len(b.files))
	}
	for i, take := range b.takes {
		take(answers[i])
	}
	b.files, b.takes, b.bytes = nil, nil, 0
	return nil
}

// identified gives a patient's document to the daemon; a patient without one is
// known by its subject id.
func identified(subject string, d identity.Document) map[string]admin.Document {
	if d.Value == "" {
		return nil
	}
	return map[string]admin.Document{subject: {Type: string(d.Type), Issuer: d.Issuer, Value: d.Value}}
}
