package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

const (
	nationalCases   = 780_000 // registered by 2023
	benchCases      = nationalCases / 10
	submitters      = 324
	backfillAtOnce  = 3 // groups of hospitals
	backfillFloor   = 100
	backfillTimeout = 2 * time.Hour
)

// backfill has 324 hospitals, whose quota is far too small for it, submit their
// old cases within an allowance that acts grant them. The hospitals are in this
// program, each with its own keys, sessions, intake and outbox; one copy of the
// log, a mirror's, serves them all.
func (b *bench) backfill(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, backfillTimeout)
	defer cancel()
	dir := filepath.Join(b.dir, "backfill")
	policy := act.DefaultPolicy()
	policy.QuotaFloor = backfillFloor
	n, err := foundNetworkWith(policy, dir, b.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, discard(n, dir)) }()
	if err := n.start(ctx); err != nil {
		return err
	}
	if err := n.made.MakeKey(ctx); err != nil {
		return err
	}
	wires, err := n.wired()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cut(wires)) }()
	if err := n.aim(ctx); err != nil {
		return err
	}
	b.note("letting %d hospitals in", submitters)
	all, err := n.admitSubmitters(ctx, b.cases)
	if err != nil {
		return err
	}
	node, err := n.openCopy()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close(context.WithoutCancel(ctx))) }()
	want := n.founded.Envelopes + 2*submitters
	if err := n.awaitEnvelopes(ctx, want); err != nil { // the holders count by what they have applied
		return err
	}
	if _, err := node.WaitCheckpoint(ctx, want); err != nil { // an act is one entry
		return err
	}
	return b.submitAll(ctx, n, node, all, dir)
}

// wired puts wires on the way to the voters for all who join from now on, so that
// each connection has an address of its own.
func (n *network) wired() (wires []*wire, err error) {
	from := sources()
	for i, t := range n.targets() {
		w, err := layWire(t.Addresses[0], 0, from)
		if err != nil {
			return nil, errors.Join(err, cut(wires))
		}
		wires = append(wires, w)
		n.crew.targets[i].Addresses = []string{w.address()}
	}
	return wires, nil
}

// admitSubmitters lets hospitals in and grants each an allowance for its share of
// the cases, today and tomorrow: it may become midnight meanwhile.
func (n *network) admitSubmitters(ctx context.Context, cases int) (all []*submitter, err error) {
	first, share := uint32(len(n.founded.Members)+1), uint64(cases/submitters+1)
	today := pseudonym.QuotaDay(uint64(time.Now().UnixMilli()))
	for i := range submitters {
		number := first + uint32(i)
		c, err := newNewcomer(number)
		if err == nil {
			err = n.admit(ctx, c, n.founded.RosterVersion+uint64(i))
		}
		if err != nil {
			return nil, fmt.Errorf("admit hospital %d: %w", number, err)
		}
		all = append(all, &submitter{newcomer: c, peers: n.peers[len(n.peers)-1]})
	}
	for _, s := range all {
		// Twice its share: a holder that is slow to answer is asked beside another.
		a := act.Allowance{Hospital: s.number, First: today, Last: today + 1, Elements: 2 * share}
		err := n.postApproved(ctx, act.Act{
			Type: act.TypeAllowance, RosterVersion: n.founded.RosterVersion + submitters, Payload: a.Marshal(),
		})
		if err != nil {
			return nil, fmt.Errorf("allowance of hospital %d: %w", s.number, err)
		}
	}
	return all, nil
}

// openCopy opens the spare hospital's mirror in this program.
func (n *network) openCopy() (*consensus.Node, error) {
	cfg, err := config.Load(n.spare.Config())
	if err != nil {
		return nil, err
	}
	keys, _, err := home.LoadKeys(cfg)
	if err != nil {
		return nil, err
	}
	if err := n.join(identity{n.spare.Node, keys.TLS.Ed25519()}); err != nil {
		return nil, err
	}
	return consensus.Open(consensus.Config{
		Self: n.spare.Node, Dir: home.LogDir(cfg), Genesis: n.genesis, Peers: n.peers[len(n.peers)-1],
		Logger: quiet(), Now: time.Now, Fatal: func(err error) { fmt.Fprintln(os.Stderr, "the hospitals' copy:", err) },
	})
}

// submitAll has every hospital submit its cases, some groups of hospitals at once,
// and measures from the first file to the last receipt.
func (b *bench) submitAll(ctx context.Context, n *network, node *consensus.Node, all []*submitter, dir string) error {
	b.note("%d cases", b.cases)
	pids := n.pids()
	before, err := cpuTime(pids)
	if err != nil {
		return err
	}
	own, err := cpuTime([]int{os.Getpid()})
	if err != nil {
		return err
	}
	data := filepath.Join(n.procs[0].Dir, "node")
	diskBefore, err := diskBytes(data)
	if err != nil {
		return err
	}
	sizeBefore, err := n.size(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.submitGroups(ctx, node, groupsOf(all, b.cases), filepath.Join(dir, "hospitals")); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := cpuTime(pids)
	if err != nil {
		return err
	}
	ownAfter, err := cpuTime([]int{os.Getpid()})
	if err != nil {
		return err
	}
	size, problem := n.size(ctx)
	disk, err := diskBytes(data)
	outboxes, err2 := diskBytes(filepath.Join(dir, "hospitals"))
	if err := errors.Join(problem, err, err2); err != nil {
		return err
	}
	b.backfilled(filled{b.cases, size - sizeBefore, took, after - before, ownAfter - own, disk - diskBefore, outboxes})
	return nil
}

// filled is what a backfill came to.
type filled struct {
	cases          int
	entries        uint64
	took           time.Duration
	voters, own    time.Duration // CPU of the three voters, and of all hospitals
	disk, outboxes int64         // bytes that came, at one voter and at all hospitals
}

// backfillFigure is only of a run with all cases.
const backfillFigure = "backfill of 780,000 cases: time to the last receipt"

// backfilled notes what was measured and, if it was with fewer cases, what all of
// them would take by that.
func (b *bench) backfilled(f filled) {
	cases := float64(f.cases)
	b.results.add("backfill: cases measured", "cases", cases)
	b.results.add("backfill: entries of them", "entries", float64(f.entries))
	b.results.add("backfill: rate to the last receipt", "cases/s", cases/f.took.Seconds())
	b.results.add("backfill: CPU of the hospitals per case, making the case included", "us", micros(f.own)/cases)
	b.results.add("backfill: CPU of three voters per case", "us", micros(f.voters)/cases)
	share := nationalCases / cases
	name, time, kind := backfillFigure, f.took.Seconds(), "backfill of 780,000 cases"
	if f.cases != nationalCases {
		kind = fmt.Sprintf("backfill of 780,000 cases, extrapolated from %d", f.cases)
		name, time = kind+": time to the last receipt", time*share
		b.results.add("backfill: time to the last receipt, of the cases measured", "s", f.took.Seconds())
	}
	b.results.add(name, "s", time)
	b.results.add(kind+": CPU of all together", "s", (f.own+f.voters).Seconds()*share)
	b.results.add(kind+": disk of a voter", "MB", float64(f.disk)/1e6*share)
	b.results.add(kind+": disk of all hospitals' outboxes", "MB", float64(f.outboxes)/1e6*share)
}

// submitGroups works through groups of hospitals.
func (b *bench) submitGroups(ctx context.Context, node *consensus.Node, groups []group, dir string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan group)
	var workers sync.WaitGroup
	for range backfillAtOnce {
		workers.Go(func() {
			for g := range queue {
				if err := g.submit(ctx, node, dir); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i, g := range groups {
		if i%9 == 0 {
			b.note("group %d of %d", i+1, len(groups))
		}
		queue <- g
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}
