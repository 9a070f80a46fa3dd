package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/daemon/admin"
)

// mirror measures how fast a fresh mirror verifies and stores a log, once of
// full envelopes and once of envelopes with a single entry.
func (b *bench) mirror(ctx context.Context) error {
	full, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	if err := b.follow(ctx, full, "a fresh mirror, full envelopes", "entries/s", func(s admin.Status) float64 { return float64(s.Size) }); err != nil {
		return err
	}
	b.note("a log of %d envelopes of one entry", b.singles)
	dir := filepath.Join(b.dir, "singles")
	n, err := b.stocked(ctx, dir, b.singles, 1)
	if err != nil {
		return err
	}
	err = b.follow(ctx, n, "a fresh mirror, single entries", "envelopes/s", func(s admin.Status) float64 { return float64(s.Envelopes) })
	return errors.Join(err, discard(n, dir))
}

// follow starts a network's spare node on an empty directory and measures from
// its start until it holds the log up to the newest checkpoint.
func (b *bench) follow(ctx context.Context, n *network, name, unit string, count func(admin.Status) float64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*faultTimeout)
	defer cancel()
	size, err := n.size(ctx)
	if err == nil {
		err = n.aim(ctx)
	}
	if err == nil {
		err = n.awaitReceipt(ctx, size)
	}
	if err != nil {
		return err
	}
	began := time.Now()
	if err := n.spare.Start(); err != nil {
		return err
	}
	s, err := awaitStatus(ctx, n.spare, func(s admin.Status) bool { return s.Ready && s.Size >= size })
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.results.add(name, unit, count(s)/time.Since(began).Seconds())
	if err := b.memory("anonymous memory of a mirror that has caught up", n.spare); err != nil {
		return err
	}
	return n.spare.Stop()
}
