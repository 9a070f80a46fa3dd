package delivery

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/identity"
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
