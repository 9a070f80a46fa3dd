package inbox

import (
	"context"
	"fmt"
	"io"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// take takes one file of work to the daemon, writes what became of it, and moves
// it on. An error is the system's or the network's: the file stays.
func (b *Box) take(ctx context.Context, name string) error {
	raw, err := b.read(name)
	report := Report{File: ownName(name), Taken: stampOf(name)}
	var rejects []delivery.RejectFile
	if findings, ok := delivery.RefusalsOf(err); ok {
		report.refuse(findings, b.cfg.Language)
	} else if err != nil {
		return err
	} else if rejects, err = b.send(ctx, &report, raw); err != nil {
		return err
	}
	fault.At(fault.InboxSent)
	return b.file(name, report, rejects)
}

// read reads a file of work, no more of it than a reader takes.
func (b *Box) read(name string) ([]byte, error) {
	f, err := b.root.Open(inDir(workDir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, table.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	most := phenopacket.DefaultMaxBytes
	if delivery.Tabular(name, raw[:min(len(raw), 1<<10)]) {
		most = table.MaxBytes
	}
	if len(raw) > most {
		return nil, rule.Refuse("FM005", "", fmt.Sprintf("file larger than %d bytes", most))
	}
	return raw, nil
}

// send hands a file to the daemon, a table row by row.
func (b *Box) send(ctx context.Context, report *Report, raw []byte) ([]delivery.RejectFile, error) {
	if !delivery.Tabular(report.File, raw[:min(len(raw), 1<<10)]) {
		return nil, b.packets(ctx, report, raw)
	}
	t, err := delivery.Open(report.File, raw, b.cfg.Profile, b.cfg.Language)
	if findings, ok := delivery.RefusalsOf(err); ok {
		report.refuse(findings, b.cfg.Language)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := t.Submit(ctx, b.cfg.Send)
	if err != nil {
		return nil, err
	}
	report.table(t, r, b.cfg.Language)
	return r.Rejects.Files(b.cfg.Language, b.cfg.WithIDs)
}

// packets hands a file of phenopackets to the daemon.
func (b *Box) packets(ctx context.Context, report *Report, raw []byte) error {
	answers, err := b.cfg.Send(ctx, []admin.File{{Name: report.File, Data: raw}})
	if err != nil {
		return err
	}
	if len(answers) != 1 {
		return fmt.Errorf("the daemon answered for %d of 1 file", len(answers))
	}
	report.Outcome, report.Entries = answers[0].Outcome, answers[0].Entries
	report.Findings = delivery.Explain(report.File, delivery.Received(answers[0].Findings), b.cfg.Language)
	return nil
}
