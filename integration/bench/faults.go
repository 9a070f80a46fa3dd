package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// faultTimeout bounds one kill or stop with all that follows.
const faultTimeout = time.Minute

// faults measures what a hospital sees of a killed and of a stopped leader,
// and how soon nodes are ready again.
func (b *bench) faults(ctx context.Context) error {
	for i := range b.kills {
		b.note("kill %d of %d", i+1, b.kills)
		if err := b.loseLeader(ctx, "fail-over: kill -9 of the leader to the next commit", (*demo.Process).Kill); err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
	}
	for i := range b.transfers {
		b.note("transfer %d of %d", i+1, b.transfers)
		if err := b.loseLeader(ctx, "planned transfer: longest wait for a commit", (*demo.Process).Stop); err != nil {
			return fmt.Errorf("transfer %d: %w", i+1, err)
		}
	}
	return b.restarts(ctx)
}

// loseLeader ends the leader's process while one client commits without pause,
// and brings it back. It counts the longest time between two commits: what the
// client sees.
func (b *bench) loseLeader(ctx context.Context, name string, end func(*demo.Process) error) error {
	ctx, cancel := context.WithTimeout(ctx, faultTimeout)
	defer cancel()
	if err := b.raresync.aim(ctx); err != nil {
		return err
	}
	if err := b.raresync.connected(ctx, 0); err != nil { // to those brought back before
		return err
	}
	leader := b.raresync.process(b.raresync.leader())
	p := b.raresync.startProbe(ctx)
	err := p.await(ctx, time.Now())
	if err == nil {
		err = end(leader)
	}
	if err == nil {
		err = p.await(ctx, time.Now())
	}
	longest, failed := p.stop()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	b.results.add(name, "ms", ms(longest))
	if err := leader.Start(); err != nil {
		return err
	}
	_, err = awaitStatus(ctx, leader, func(s admin.Status) bool { return s.Ready })
	return err
}

// restarts measures from the start of a process to its being ready.
func (b *bench) restarts(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*faultTimeout)
	defer cancel()
	for _, how := range []struct {
		name string
		end  func(*demo.Process) error
	}{
		{"restart of one follower to ready, clean", (*demo.Process).Stop},
		{"restart of one follower to ready, kill -9", (*demo.Process).Kill},
	} {
		for range 3 {
			if err := b.raresync.aim(ctx); err != nil {
				return err
			}
			p := b.raresync.procs[(b.raresync.aimed.Load()+1)%voters]
			if err := b.restart(ctx, how.name, how.end, p); err != nil {
				return err
			}
		}
	}
	for range 2 {
		if err := b.restart(ctx, "restart of all to ready, kill -9", (*demo.Process).Kill, b.raresync.procs...); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) restart(ctx context.Context, name string, end func(*demo.Process) error, procs ...*demo.Process) error {
	for _, p := range procs {
		if err := end(p); err != nil {
			return err
		}
	}
	began := time.Now()
	for _, p := range procs {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for _, p := range procs {
		if _, err := awaitStatus(ctx, p, func(s admin.Status) bool { return s.Ready }); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	b.results.add(name, "ms", ms(time.Since(began)))
	return nil
}

// footprint measures memory and disk after the load.
func (b *bench) footprint() error {
	for _, p := range b.raresync.procs {
		mib, err := anonymousMiB(p.PID())
		if err != nil {
			return err
		}
		b.results.add("anonymous memory of a voter after the load", "MiB", mib)
		disk, err := diskBytes(filepath.Join(p.Dir, "node"))
		if err != nil {
			return err
		}
		b.results.add("disk of a voter, by the envelopes' bytes", "x", float64(disk)/float64(b.raresync.bytes))
	}
	b.results.Envelopes, b.results.Entries = b.raresync.envelopes, b.raresync.envelopes*entriesPerEnvelope
	return nil
}

// process returns a voter's process.
func (n *network) process(node string) *demo.Process {
	return n.procs[slices.IndexFunc(n.procs, func(p *demo.Process) bool { return p.Node == node })]
}
