package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// scale measures a network with many entries: what it takes, how soon its
// nodes are ready again, and what one fetches that was away.
func (b *bench) scale(ctx context.Context) error {
	n, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	b.results.Envelopes, b.results.Entries = n.committed.Load(), n.committed.Load()*entriesPerEnvelope
	if err := b.footprint(n); err != nil {
		return err
	}
	if err := b.restarts(ctx, n); err != nil {
		return err
	}
	// One that missed a hundredth finds it in the others' Raft log, one that
	// missed a tenth does not any more.
	for _, share := range []int{100, 10} {
		if err := b.missed(ctx, n, share); err != nil {
			return err
		}
	}
	return nil
}

// footprint measures memory and disk after the load, whose last snapshot is
// less than 32 MiB of envelopes ago.
func (b *bench) footprint(n *network) error {
	for _, p := range n.procs {
		if err := b.memory("anonymous memory of a voter after the load", p); err != nil {
			return err
		}
		disk, err := diskBytes(filepath.Join(p.Dir, "node"))
		if err != nil {
			return err
		}
		b.results.add("disk of a voter, by the envelopes' bytes", "x", float64(disk)/float64(n.bytes.Load()))
	}
	return nil
}

func (b *bench) memory(name string, p *demo.Process) error {
	bytes, err := anonymousBytes(p.PID())
	if err == nil {
		b.results.add(name, "MB", bytes/1e6)
	}
	return err
}

// restarts measures from the start of a process to its being ready.
func (b *bench) restarts(ctx context.Context, n *network) error {
	ctx, cancel := context.WithTimeout(ctx, 5*faultTimeout)
	defer cancel()
	for _, how := range []struct {
		name string
		end  func(*demo.Process) error
	}{
		{"restart of one follower to ready, clean", (*demo.Process).Stop},
		{"restart of one follower to ready, kill -9", (*demo.Process).Kill},
	} {
		for range b.restart {
			p, err := n.follower(ctx)
			if err != nil {
				return err
			}
			took, err := restart(ctx, how.end, p)
			if err != nil {
				return fmt.Errorf("%s: %w", how.name, err)
			}
			b.results.add(how.name, "ms", ms(took))
			if err := b.memory("anonymous memory of a voter after a restart", p); err != nil {
				return err
			}
		}
	}
	for range b.restart {
		took, err := restart(ctx, (*demo.Process).Kill, n.procs...)
		if err != nil {
			return fmt.Errorf("restart of all: %w", err)
		}
		b.results.add("restart of all to ready, kill -9", "ms", ms(took))
	}
	return nil
}

// restart ends processes, starts them, and returns how long the last took from
// there to be ready.
func restart(ctx context.Context, end func(*demo.Process) error, procs ...*demo.Process) (time.Duration, error) {
	for _, p := range procs {
		if err := end(p); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	for _, p := range procs {
		if err := p.Start(); err != nil {
			return 0, err
		}
	}
	for _, p := range procs {
		if _, err := awaitStatus(ctx, p, func(s admin.Status) bool { return s.Ready }); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// missed stops a follower while one share of the log grows on, and measures
// what it reads until it is ready again beyond what a start reads by itself:
// that comes over the network, TLS included.
func (b *bench) missed(ctx context.Context, n *network, share int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*faultTimeout)
	defer cancel()
	p, err := n.follower(ctx)
	if err != nil {
		return err
	}
	if err := p.Stop(); err != nil {
		return err
	}
	if err := set(p.Config(), "scrub_kib_per_second", 1024, 1); err != nil { // or it reads on meanwhile
		return err
	}
	if _, err := restart(ctx, (*demo.Process).Stop, p); err != nil {
		return err
	}
	before, err := readBytes(p.PID())
	if err != nil {
		return err
	}
	if err := p.Stop(); err != nil {
		return err
	}
	bytes := n.bytes.Load()
	if err := n.load(ctx, max(int(n.committed.Load())/share, hospitals)); err != nil {
		return err
	}
	bytes = n.bytes.Load() - bytes
	size, err := n.size(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := p.Start(); err != nil {
		return err
	}
	if _, err := awaitStatus(ctx, p, func(s admin.Status) bool { return s.Ready && s.Size >= size }); err != nil {
		return err
	}
	b.results.add(fmt.Sprintf("a voter that missed 1/%d: back to ready", share), "ms", ms(time.Since(began)))
	after, err := readBytes(p.PID())
	if err != nil {
		return err
	}
	b.results.add(fmt.Sprintf("a voter that missed 1/%d: fetched, by what it missed", share), "x", (after-before)/float64(bytes))
	return set(p.Config(), "scrub_kib_per_second", 1, 1024)
}
