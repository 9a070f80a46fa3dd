package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// largeEnvelope is how many of the smallest entries fit an envelope.
const largeEnvelope = 430

// large measures restart and memory with ten times the entries.
func (b *bench) large(ctx context.Context) error {
	b.note("a log of %d entries", b.leaves)
	dir := filepath.Join(b.dir, "large")
	n, err := b.stocked(ctx, dir, b.leaves/largeEnvelope, largeEnvelope)
	if err != nil {
		return err
	}
	b.note("restarts")
	return errors.Join(b.largeRestarts(ctx, n), discard(n, dir))
}

func (b *bench) largeRestarts(ctx context.Context, n *network) error {
	ctx, cancel := context.WithTimeout(ctx, 2*faultTimeout)
	defer cancel()
	for range b.restart {
		p, err := n.follower(ctx)
		if err != nil {
			return err
		}
		took, err := restart(ctx, (*demo.Process).Kill, p)
		if err != nil {
			return err
		}
		b.results.add("ten million leaves: restart of one follower to ready, kill -9", "ms", ms(took))
		if err := b.memory("ten million leaves: anonymous memory of a voter after a restart", p); err != nil {
			return err
		}
	}
	return nil
}
