package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

const (
	mirrorFew      = 32
	mirrorEntries  = 10 // in an envelope: there are as many copies of it as mirrors
	mirrorBurst    = 32 // envelopes that are sent at once
	mirrorBatch    = 8  // processes that start side by side
	mirrorSettling = 20 * time.Second
	mirrorLimit    = "GOMEMLIMIT=48MiB"
	mirrorsTimeout = 40 * time.Minute
	lookPause      = 100 * time.Millisecond // between two questions to one mirror of hundreds
)

// mirrors measures what the leader of three voters spends on an envelope while
// nobody, a few, or hundreds of mirrors follow the log, each a process. All three
// loads are the same and come in the same time, so what the leader spends at rest
// is a part of each. With none it is measured before and after.
func (b *bench) mirrors(ctx context.Context) error {
	dir := filepath.Join(b.dir, "mirrors")
	n, err := foundNetwork(dir, b.binary)
	if err != nil {
		return err
	}
	err = b.watchMirrors(ctx, n, dir)
	return errors.Join(err, discard(n, dir))
}

func (b *bench) watchMirrors(ctx context.Context, n *network, dir string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, mirrorsTimeout)
	defer cancel()
	if err := n.start(ctx); err != nil {
		return err
	}
	if err := n.aim(ctx); err != nil {
		return err
	}
	b.note("letting %d hospitals in", b.count)
	all, err := n.admitMirrors(ctx, dir, b.binary, b.count)
	if err != nil {
		return err
	}
	wires, err := n.wireUp(all)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endMirrors(all), cut(wires)) }()
	if err := n.copyFirst(ctx, all); err != nil {
		return err
	}
	for _, count := range []int{0, min(mirrorFew, b.count), b.count} {
		if err := b.withMirrors(ctx, n, all[:count]); err != nil {
			return fmt.Errorf("%d mirrors: %w", count, err)
		}
	}
	b.note("stopping the mirrors")
	if err := endMirrors(all); err != nil {
		return err
	}
	return b.withMirrors(ctx, n, nil)
}

// admitMirrors lets hospitals in, each with a node that is to be a process of
// its own, and makes their directories.
func (n *network) admitMirrors(ctx context.Context, dir, binary string, count int) ([]*demo.Process, error) {
	var out []*demo.Process
	for i := range count {
		number := uint32(len(n.founded.Members) + 1 + i)
		p, card, err := n.newMirror(dir, binary, number)
		if err == nil {
			err = n.postAdmission(ctx, card, n.founded.RosterVersion+uint64(i))
		}
		if err != nil {
			return nil, fmt.Errorf("admit hospital %d: %w", number, err)
		}
		out = append(out, p)
	}
	return out, n.awaitEnvelopes(ctx, n.founded.Envelopes+uint64(count))
}

// newMirror makes a hospital's directory and the card by which it is admitted.
func (n *network) newMirror(dir, binary string, number uint32) (p *demo.Process, card act.Admission, err error) {
	id := fmt.Sprintf("m%d", number)
	path := filepath.Join(dir, id)
	err = home.Init(home.InitOptions{Dir: path, NodeID: id, Kind: act.Mirror, Institution: act.Institution{
		Role: act.RoleHospital, Entity: "bench-" + id, Province: "11", NameEN: "Hospital " + id, NameZH: "医院" + id,
	}})
	if err != nil {
		return nil, card, err
	}
	made, err := home.Card(path)
	if err != nil {
		return nil, card, err
	}
	card = act.Admission{Institution: made.Institution, Nodes: slices.Clone(made.Nodes)}
	for i := range card.Nodes {
		card.Nodes[i].Institution = number
	}
	if p, err = demo.Open(binary, id, path); err != nil {
		return nil, card, err
	}
	p.Number = number
	p.Env = append(p.Env, mirrorLimit) // hundreds of them share one memory, and the voters need the files that it caches
	cfg, err := config.Load(p.Config())
	if err != nil {
		return nil, card, err
	}
	if err := home.WriteGenesis(cfg, n.genesis); err != nil {
		return nil, card, err
	}
	return p, card, set(p.Config(), "reserve_mib", 64, 0) // hundreds of them are on one disk
}

// wireUp has every mirror reach the voters from addresses of its own, as hospitals
// do: a voter takes only so many connections of one.
func (n *network) wireUp(mirrors []*demo.Process) (wires []*wire, err error) {
	from, addresses := sources(), map[string]string{}
	for _, t := range n.targets() {
		w, err := layWire(t.Addresses[0], 0, from)
		if err != nil {
			return nil, errors.Join(err, cut(wires))
		}
		wires = append(wires, w)
		addresses[t.Node] = w.address()
	}
	for _, p := range mirrors {
		if err := reroute(p.Config(), addresses); err != nil {
			return nil, errors.Join(err, cut(wires))
		}
	}
	return wires, nil
}

// cut ends wires.
func cut(wires []*wire) error {
	var problems []error
	for _, w := range wires {
		problems = append(problems, w.close())
	}
	return errors.Join(problems...)
}

// copyFirst has the first mirror take the log of the admissions, and gives the
// others copies of its files, as from a backup: that each of them verifies
// hundreds of acts again before it begins is not what is measured.
func (n *network) copyFirst(ctx context.Context, all []*demo.Process) error {
	first := all[0]
	if err := first.Start(); err != nil {
		return err
	}
	size, err := n.size(ctx)
	if err == nil {
		err = n.awaitMirrors(ctx, all[:1], size)
	}
	if err := errors.Join(err, first.Stop()); err != nil {
		return err
	}
	for _, p := range all[1:] {
		if err := os.CopyFS(filepath.Join(p.Dir, "node"), os.DirFS(filepath.Join(first.Dir, "node"))); err != nil {
			return err
		}
	}
	return nil
}

// withMirrors starts those that do not run yet, and measures.
func (b *bench) withMirrors(ctx context.Context, n *network, mirrors []*demo.Process) error {
	b.note("%d mirrors", len(mirrors))
	size, err := n.size(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(mirrors, mirrorBatch) {
		for _, p := range some {
			if err := p.Start(); err != nil {
				return err
			}
			if err := giveWay(p.PID()); err != nil {
				return err
			}
		}
		if err := n.awaitMirrors(ctx, some, size); err != nil {
			return err
		}
	}
	if !pause(ctx, mirrorSettling) {
		return ctx.Err()
	}
	for round := range b.rounds {
		b.note("round %d of %d", round+1, b.rounds)
		if err := b.mirrorsRound(ctx, n, mirrors); err != nil {
			return err
		}
	}
	return b.mirrorMemory(mirrors)
}

// giveWay lets a process run when no voter wants to: mirrors have machines of their own,
// and hundreds of them here would take the leader's cores until another leads. It is
// the leader of a group of processes, so that all its threads are meant.
func giveWay(pid int) error {
	const last = 19
	if err := syscall.Setpriority(syscall.PRIO_PGRP, pid, last); err != nil {
		return fmt.Errorf("let process %d give way: %w", pid, err)
	}
	return nil
}

// leaderSpent is what the leader has used and sent to other nodes so far.
type leaderSpent struct {
	cpu  time.Duration
	sent float64 // bytes
}

func spentByLeader(ctx context.Context, p *demo.Process) (s leaderSpent, err error) {
	if s.cpu, err = cpuTime([]int{p.PID()}); err != nil {
		return s, err
	}
	text, err := p.Client.Metrics(ctx)
	if err == nil {
		s.sent, err = parsePeerBytes(text, "sent")
	}
	return s, err
}

// mirrorsRound sends bursts of envelopes, waits until every mirror has the
// checkpoint that covers them, and notes what each envelope cost the leader.
func (b *bench) mirrorsRound(ctx context.Context, n *network, mirrors []*demo.Process) error {
	if err := n.aim(ctx); err != nil {
		return err
	}
	leader := n.process(n.leader())
	work, err := n.sealBursts(b.bursts)
	if err != nil {
		return err
	}
	before, err := spentByLeader(ctx, leader)
	if err != nil {
		return err
	}
	began := time.Now()
	for i, burst := range work {
		if !pause(ctx, time.Until(began.Add(time.Duration(i)*b.every))) {
			return ctx.Err()
		}
		if _, err := n.window(ctx, burst, 0); err != nil {
			return err
		}
	}
	last := time.Now()
	size, err := n.size(ctx)
	if err == nil {
		err = n.awaitMirrors(ctx, mirrors, size)
	}
	if err != nil {
		return err
	}
	took := time.Since(last)
	if !pause(ctx, time.Until(began.Add(time.Duration(b.bursts)*b.every))) {
		return ctx.Err()
	}
	after, err := spentByLeader(ctx, leader)
	if err != nil {
		return err
	}
	if err := n.aim(ctx); err != nil {
		return err
	}
	if n.leader() != leader.Node {
		return fmt.Errorf("%s led at first, %s at the end: measure again", leader.Node, n.leader())
	}
	name, envelopes := mirrorsName(len(mirrors)), float64(b.bursts*mirrorBurst)
	b.results.add(name+": leader's CPU per envelope", "us", micros(after.cpu-before.cpu)/envelopes)
	b.results.add(name+": leader's egress per envelope", "KB", (after.sent-before.sent)/1000/envelopes)
	if len(mirrors) > 0 {
		b.results.add(name+": last commit to the last mirror's verified copy", "ms", ms(took))
	}
	return nil
}

// mirrorsAll is what the figures with all mirrors are called by.
const (
	mirrorsAll          = "all mirrors"
	mirrorsCPUFigure    = "the leader with all mirrors by with none: CPU per envelope"
	mirrorsEgressFigure = "the leader with all mirrors by with none: egress per envelope"
)

func mirrorsName(count int) string {
	switch count {
	case 0:
		return "no mirrors"
	case mirrorFew:
		return "a few mirrors"
	}
	return mirrorsAll
}

// sealBursts makes so many bursts, each spread over the hospitals without a
// process.
func (n *network) sealBursts(bursts int) ([][][][]byte, error) {
	out := make([][][][]byte, bursts)
	for i := range out {
		work, err := n.sealWith(mirrorBurst, mirrorEntries)
		if err != nil {
			return nil, err
		}
		out[i] = work
	}
	return out, nil
}

// awaitMirrors waits until every mirror has a checkpoint of at least size that it
// has verified, and compares its root with the one that the voters cosigned.
func (n *network) awaitMirrors(ctx context.Context, mirrors []*demo.Process, size uint64) error {
	want, err := n.cosigned(ctx, size)
	if err != nil {
		return err
	}
	for _, p := range mirrors {
		s, err := p.Client.Status(ctx)
		for err != nil || !s.Ready || s.Checkpoint < want.Size || s.Size != s.Checkpoint {
			if !p.Running() {
				return fmt.Errorf("%s has ended: see %s", p.Node, p.Log())
			}
			if !pause(ctx, lookPause) {
				return fmt.Errorf("wait for %s: %w (it says: %s)", p.Node, ctx.Err(), s.Why)
			}
			s, err = p.Client.Status(ctx)
		}
		if s.Checkpoint > want.Size { // the network has gone on
			if want, err = n.cosigned(ctx, s.Checkpoint); err != nil {
				return err
			}
		}
		if problem := differs(s, want.Size, hex.EncodeToString(want.Root[:])); problem != nil {
			return problem
		}
	}
	return nil
}

// differs says how a node's copy is not that of a checkpoint.
func differs(s admin.Status, size uint64, root string) error {
	if s.Size == size && s.Root == root {
		return nil
	}
	return fmt.Errorf("%s has %d entries with root %s, the voters cosigned %d with root %s", s.Node, s.Size, s.Root, size, root)
}

// mirrorMemory notes the memory of each mirror.
func (b *bench) mirrorMemory(mirrors []*demo.Process) error {
	for _, p := range mirrors {
		if err := b.memory(mirrorsName(len(mirrors))+": anonymous memory of each", p); err != nil {
			return err
		}
	}
	return nil
}

// endMirrors ends processes, some at a time.
func endMirrors(all []*demo.Process) error {
	problems := make(chan error, len(all))
	for some := range slices.Chunk(all, mirrorBatch) {
		for _, p := range some {
			go func() { problems <- p.Stop() }()
		}
		for range some {
			if err := <-problems; err != nil {
				return err
			}
		}
	}
	return nil
}
