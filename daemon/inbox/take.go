package inbox

import (
	"context"
	"io"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/daemon/delivery"
)

// take takes one file of work to the daemon, writes what became of it, and moves
// it on. An error is the system's or the network's: the file stays.
func (b *Box) take(ctx context.Context, name string) error {
	raw, err := b.read(name)
	if err != nil {
		return err
	}
	f := delivery.File{
		Name: ownName(name), Raw: raw, Profile: b.cfg.Profile, Language: b.cfg.Language, WithIDs: b.cfg.WithIDs,
	}
	r, rejects, err := f.Deliver(ctx, b.cfg.Send)
	if err != nil {
		return err
	}
	fault.At(fault.InboxSent)
	return b.file(ctx, name, Report{File: f.Name, Taken: stampOf(name), Report: r}, rejects)
}

// read reads a file of work, no more of it than shows that it is too large.
func (b *Box) read(name string) ([]byte, error) {
	f, err := b.root.Open(inDir(workDir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, delivery.MaxFileBytes+1))
}
