package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// faultTimeout bounds one kill or stop with all that follows.
const faultTimeout = time.Minute

const failoverFigure = "fail-over: kill -9 of the leader to the next commit"

// failover measures what a hospital sees of a killed and of a stopped leader.
func (b *bench) failover(ctx context.Context) error {
	n, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	for i := range b.transfers {
		b.note("transfer %d of %d", i+1, b.transfers)
		if err := b.loseLeader(ctx, n, "planned transfer: longest wait for a commit", (*demo.Process).Stop); err != nil {
			return fmt.Errorf("transfer %d: %w", i+1, err)
		}
	}
	for i := range b.kills {
		b.note("kill %d of %d", i+1, b.kills)
		if err := b.loseLeader(ctx, n, failoverFigure, (*demo.Process).Kill); err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
	}
	return nil
}

// loseLeader ends the leader's process while one client commits without pause,
// and brings it back. It counts the longest time between two commits: what the
// client sees.
func (b *bench) loseLeader(ctx context.Context, n *network, name string, end func(*demo.Process) error) error {
	ctx, cancel := context.WithTimeout(ctx, faultTimeout)
	defer cancel()
	if err := n.aim(ctx); err != nil {
		return err
	}
	if err := n.connected(ctx, 0); err != nil { // to those brought back before
		return err
	}
	leader := n.process(n.leader())
	p := n.startProbe(ctx)
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
