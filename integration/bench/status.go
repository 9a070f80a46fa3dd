package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
)

// statusPause is how often a process is asked for its status.
const statusPause = 5 * time.Millisecond

// aim finds the leader.
func (n *network) aim(ctx context.Context) error {
	for {
		for _, p := range n.procs {
			if s, err := p.Client.Status(ctx); err == nil && s.Leader == p.Node {
				n.crew.aim(p.Node)
				return nil
			}
		}
		if !pause(ctx, statusPause) {
			return ctx.Err()
		}
	}
}

// process returns a voter's process.
func (n *network) process(node string) *demo.Process {
	return n.procs[slices.IndexFunc(n.procs, func(p *demo.Process) bool { return p.Node == node })]
}

// follower returns a voter that does not lead.
func (n *network) follower(ctx context.Context) (*demo.Process, error) {
	if err := n.aim(ctx); err != nil {
		return nil, err
	}
	return n.procs[(n.aimed.Load()+1)%voters], nil
}

// awaitStatus waits until a process says what cond wants.
func awaitStatus(ctx context.Context, p *demo.Process, cond func(admin.Status) bool) (admin.Status, error) {
	for {
		s, err := p.Client.Status(ctx)
		if err == nil && cond(s) {
			return s, nil
		}
		if !p.Running() {
			return s, fmt.Errorf("%s has ended: see %s", p.Node, p.Log())
		}
		if !pause(ctx, statusPause) {
			return s, fmt.Errorf("wait for %s: %w (it says: %s)", p.Node, ctx.Err(), s.Why)
		}
	}
}

// size returns the largest tree that a voter has applied, of those that run.
func (n *network) size(ctx context.Context) (uint64, error) {
	size := uint64(0)
	for _, p := range n.procs {
		if !p.Running() {
			continue
		}
		s, err := p.Client.Status(ctx)
		if err != nil {
			return 0, err
		}
		size = max(size, s.Size)
	}
	return size, nil
}

// cosigned waits for a checkpoint of at least size and verifies it.
func (n *network) cosigned(ctx context.Context, size uint64) (tlog.SignedCheckpoint, error) {
	note, err := n.client(0).Checkpoint(ctx, n.leader(), size-1)
	if err != nil {
		return tlog.SignedCheckpoint{}, err
	}
	c, err := tlog.ParseSignedCheckpoint(note)
	if err != nil {
		return c, err
	}
	if c.Size < size {
		return c, fmt.Errorf("checkpoint of %d entries, want %d", c.Size, size)
	}
	_, err = n.policy.Verify(c)
	return c, err
}

// awaitReceipt waits until a verified checkpoint covers size.
func (n *network) awaitReceipt(ctx context.Context, size uint64) error {
	_, err := n.cosigned(ctx, size)
	return err
}

// receiptLag returns how long after the last commit everything committed was
// under a receipt.
func (n *network) receiptLag(ctx context.Context, last time.Time) (time.Duration, error) {
	size, err := n.size(ctx)
	if err != nil {
		return 0, err
	}
	err = n.awaitReceipt(ctx, size)
	return time.Since(last), err
}
