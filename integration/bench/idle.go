package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

const (
	idleEnvelopes = 64               // of the small network's log
	idleSettling  = 30 * time.Second // for a mirror that has just caught up
	idleRounds    = 3
)

// idle measures what a mirror costs its hospital while nobody sends anything: its
// memory, its processor, its line and its disk. Nothing is asked of it meanwhile.
func (b *bench) idle(ctx context.Context) error {
	dir := filepath.Join(b.dir, "idle")
	n, err := startNetwork(ctx, dir, b.binary)
	if err != nil {
		return err
	}
	err = b.watchIdle(ctx, n)
	return errors.Join(err, discard(n, dir))
}

func (b *bench) watchIdle(ctx context.Context, n *network) error {
	if err := n.aim(ctx); err != nil {
		return err
	}
	if err := n.load(ctx, idleEnvelopes); err != nil {
		return err
	}
	size, err := n.size(ctx)
	if err == nil {
		err = n.awaitReceipt(ctx, size)
	}
	if err == nil {
		err = n.spare.Start()
	}
	if err == nil {
		_, err = awaitStatus(ctx, n.spare, func(s admin.Status) bool { return s.Ready && s.Size >= size })
	}
	if err != nil {
		return err
	}
	if !pause(ctx, idleSettling) {
		return ctx.Err()
	}
	for range idleRounds {
		if err := b.idleRound(ctx, n.spare); err != nil {
			return fmt.Errorf("idle mirror: %w", err)
		}
	}
	return nil
}

// spent is what a process has used so far.
type spent struct {
	cpu          time.Duration
	moved, peers float64 // bytes, of files and the network, and with other nodes
}

func spentBy(ctx context.Context, p *demo.Process) (s spent, err error) {
	if s.cpu, err = cpuTime([]int{p.PID()}); err != nil {
		return s, err
	}
	if s.moved, err = movedBytes(p.PID()); err != nil {
		return s, err
	}
	s.peers, err = peerBytes(ctx, p)
	return s, err
}

// idleRound measures for as long as the options say.
func (b *bench) idleRound(ctx context.Context, p *demo.Process) error {
	before, err := spentBy(ctx, p)
	if err != nil {
		return err
	}
	began := time.Now()
	if !pause(ctx, b.still) {
		return ctx.Err()
	}
	took := time.Since(began).Seconds()
	after, err := spentBy(ctx, p)
	if err != nil {
		return err
	}
	memory, err := anonymousBytes(p.PID())
	if err != nil {
		return err
	}
	network := after.peers - before.peers
	b.results.add("an idle mirror: anonymous memory", "MB", memory/1e6)
	b.results.add("an idle mirror: processor, of a core", "%", 100*(after.cpu-before.cpu).Seconds()/took)
	b.results.add("an idle mirror: network, both ways", "KB/s", network/1000/took)
	b.results.add("an idle mirror: files read and written", "KB/s", (after.moved-before.moved-network)/1000/took)
	return nil
}

// movedBytes returns what a process has read and written so far, in files and on
// the network.
func movedBytes(pid int) (float64, error) {
	read, err := procField(pid, "io", "rchar")
	if err != nil {
		return 0, err
	}
	written, err := procField(pid, "io", "wchar")
	return read + written, err
}

// peerBytes returns what a daemon has received from other nodes and sent to them.
func peerBytes(ctx context.Context, p *demo.Process) (total float64, err error) {
	text, err := p.Client.Metrics(ctx)
	if err != nil {
		return 0, err
	}
	for _, direction := range []string{"received", "sent"} {
		bytes, err := parsePeerBytes(text, direction)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", p.Node, err)
		}
		total += bytes
	}
	return total, nil
}

// parsePeerBytes finds the bytes of one direction in a daemon's metrics.
func parsePeerBytes(metrics []byte, direction string) (float64, error) {
	name := fmt.Sprintf("raresync_peer_bytes_total{direction=%q} ", direction)
	for line := range strings.Lines(string(metrics)) {
		if value, is := strings.CutPrefix(line, name); is {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no bytes are counted as %s", direction)
}
