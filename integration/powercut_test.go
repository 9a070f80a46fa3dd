package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
)

// TestPowerCutsLoseNoReceiptedEntry cuts the power of nodes under load, each on
// a file system of its own that then lacks what was not fsynced. After each cut
// a witness outside looks for every entry that a hospital has a receipt for, on
// every node. PROVE=1 makes a hundred cuts of a few.
func TestPowerCutsLoseNoReceiptedEntry(t *testing.T) {
	t.Parallel()
	if !withOwnMounts(t) {
		return
	}
	count, patients, within := 4, 1400, patience
	if os.Getenv("PROVE") == "1" {
		count, patients, within = 100, 40_000, 2*time.Hour
	}
	c := newPowerCuts(t, foundNetwork(t, 3, 3), patients)
	c.n.startWithin(within)
	c.learn()
	stop := c.l.start()
	began := time.Now()
	for i := range count {
		what, who := c.choose(i)
		c.l.wait(6 + c.rng.IntN(10))
		c.pause(time.Duration(c.rng.IntN(200)) * time.Millisecond) // anywhere in the next batch
		c.handIn()
		at := time.Now()
		err := c.cut(who)
		back := time.Since(at)
		if err == nil {
			err = c.look(who)
		}
		if err != nil {
			t.Fatalf("cut %d, %s: %v", i+1, what, err)
		}
		t.Logf("cut %d, %s: back after %v, %d entries, %d promised", i+1, what, back.Round(time.Millisecond), len(c.leaves), len(c.l.given()))
	}
	c.l.wait(6)
	stop()
	c.final(t)
	t.Logf("proof: %d power cuts (%s) in %v: %d entries promised to hospitals, %d of them without a receipt right before a cut, each once on 4 nodes; %d receipts verified",
		count, c.kinds(), time.Since(began).Round(time.Second), len(c.l.promised), c.taken, c.verified)
}

// powerCuts is a network on file systems whose power can be cut, with the
// witness's books.
type powerCuts struct {
	n        *network
	l        *load
	rng      *rand.Rand
	volumes  map[*demo.Process]*volume
	patience time.Duration  // with a node that lacks something
	made     map[string]int // cuts by kind
	spare    [][]*visit     // by hospital, for handIn
	taken    int            // entries that handIn was promised

	policyFile string
	policy     *tlog.Policy
	leaves     []admin.Leaf  // as every node has shown them
	entries    []admin.Entry // as the coordinator has opened them
	verified   int           // of the load's receipts
}

// newPowerCuts moves the nodes of a founded network to ext4 and XFS in turn.
func newPowerCuts(t *testing.T, n *network, patients int) *powerCuts {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("POWERCUT_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	t.Logf("POWERCUT_SEED=%d", seed)
	c := &powerCuts{
		n: n, rng: rand.New(rand.NewPCG(seed, 0)), volumes: map[*demo.Process]*volume{}, made: map[string]int{},
		patience: time.Minute,
	}
	for i, p := range n.Processes() {
		kind := []fileSystem{ext4, xfs}[i%2]
		kind.mib = 4096 // a hundred cuts' log, and no want of room; sparse
		c.volumes[p] = onVolume(t, p, kind)
	}
	c.l = newLoadOf(n, patients)
	for h, queue := range c.l.queues {
		load := len(queue) - min(len(queue)/2, 128)
		c.l.queues[h], c.spare = queue[:load], append(c.spare, queue[load:])
	}
	return c
}

// handIn hands in a file at every hospital, whose word counts from its answer
// on, without a receipt.
func (c *powerCuts) handIn() {
	answers := make([]admin.SubmissionResult, len(c.spare))
	var hospitals sync.WaitGroup
	for h, queue := range c.spare {
		c.spare[h] = queue[1:]
		hospitals.Go(func() {
			r, err := c.n.Hospitals[h].Client.Submit(c.n.ctx, admin.Submission{Files: []admin.File{queue[0].file}})
			if err == nil { // otherwise nothing was promised
				answers[h] = r
			}
		})
	}
	hospitals.Wait()
	for _, r := range answers {
		for _, f := range r.Files {
			c.l.promise(f.Entries)
			c.taken += len(f.Entries)
		}
	}
}

// learn takes the policy of the running network, by which receipts and copies
// are verified.
func (c *powerCuts) learn() {
	c.n.t.Helper()
	c.policyFile = c.n.policy()
	raw, err := os.ReadFile(c.policyFile)
	must(c.n.t, err)
	c.policy, err = tlog.ParsePolicy(raw)
	must(c.n.t, err)
}

// choose takes the kinds of cuts in turn.
func (c *powerCuts) choose(i int) (what string, who []*demo.Process) {
	n := c.n
	one := func(list []*demo.Process) []*demo.Process { at := c.rng.IntN(len(list)); return list[at : at+1] }
	switch i % 6 {
	case 0:
		what, who = "the leader", []*demo.Process{n.leader()}
	case 1, 4:
		what, who = "every node at once", n.Processes()
	case 2:
		what, who = "a follower", one(n.followers())
	case 3:
		what, who = "the leader and a follower", append(one(n.followers()), n.leader())
	case 5:
		what, who = "the coordinator", []*demo.Process{n.Reader}
	}
	c.made[what]++
	return what, who
}

func (c *powerCuts) kinds() string {
	var list []string
	for _, what := range slices.Sorted(maps.Keys(c.made)) {
		list = append(list, fmt.Sprintf("%d of %s", c.made[what], what))
	}
	return strings.Join(list, ", ")
}

func (c *powerCuts) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.n.ctx.Done():
	}
}

// cut takes the power from nodes, all at once, gives it back, and waits until
// they are ready.
func (c *powerCuts) cut(who []*demo.Process) error {
	problems := make([]error, len(who))
	var down sync.WaitGroup
	for i, p := range who {
		down.Go(func() { problems[i] = errors.Join(c.volumes[p].cut(), p.Kill(), c.volumes[p].back()) })
	}
	down.Wait()
	if err := errors.Join(problems...); err != nil {
		return err
	}
	for _, p := range who {
		if err := p.Start(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(c.n.ctx, time.Minute)
	defer cancel()
	for _, p := range who {
		if err := p.WaitReady(ctx); err != nil {
			return fmt.Errorf("%s does not come back: %w: %s", p.Node, err, lastWords(p.Log()))
		}
	}
	return nil
}

// lastWords returns how a daemon's log ends: its error and the hint.
func lastWords(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-2):], "; ")
}

// given returns a copy of what was promised so far.
func (l *load) given() map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.promised)
}

// look compares what the nodes have with the promises, and one of the nodes
// that lost power by its files.
func (c *powerCuts) look(who []*demo.Process) error {
	promised := c.l.given()
	maps.DeleteFunc(promised, func(_ string, index uint64) bool { return index == unknownIndex }) // perhaps not sent yet
	size, err := c.common(promised)
	if err != nil {
		return err
	}
	if err := c.compareLeaves(size); err != nil {
		return err
	}
	if err := c.openEntries(size); err != nil {
		return err
	}
	if faults := broken(promised, c.entries); len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	if err := c.verifyReceipts(); err != nil {
		return err
	}
	p := who[c.rng.IntN(len(who))]
	if _, errs, code := c.n.run("log", "verify", "--policy", c.policyFile, p.Dir); code != 0 {
		return fmt.Errorf("the files of %s: exit %d: %s", p.Node, code, errs)
	}
	return nil
}

// common waits until every node has every promised entry, and returns how many
// entries all of them have.
func (c *powerCuts) common(promised map[string]uint64) (size uint64, err error) {
	need := uint64(0)
	for _, index := range promised {
		need = max(need, index+1)
	}
	ctx, cancel := context.WithTimeout(c.n.ctx, c.patience)
	defer cancel()
	err = poll(ctx, func() error {
		size = 0
		for _, p := range c.n.Processes() {
			s, err := p.Client.Status(c.n.ctx)
			if err != nil {
				return err
			}
			if s.Size < need {
				return fmt.Errorf("%s has %d entries, %d were promised", p.Node, s.Size, need)
			}
			if size == 0 || s.Size < size {
				size = s.Size
			}
		}
		return nil
	})
	return size, err
}

// compareLeaves reads every node's leaves up to size. What was seen before is
// read again now and then, and in the end.
func (c *powerCuts) compareLeaves(size uint64) error {
	from := uint64(len(c.leaves))
	if c.rng.IntN(10) == 0 {
		from = 0
	}
	var first []admin.Leaf
	for _, p := range c.n.Processes() {
		var got []admin.Leaf
		for leaf, err := range p.Client.Leaves(c.n.ctx, from, int(size-from), false) {
			if err != nil {
				return fmt.Errorf("leaves of %s: %w", p.Node, err)
			}
			got = append(got, leaf)
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(got, first) {
			return fmt.Errorf("%s has other leaves from %d to %d than %s", p.Node, from, size, c.n.Processes()[0].Node)
		}
	}
	if before := c.leaves[from:]; !slices.Equal(first[:len(before)], before) {
		return fmt.Errorf("leaves from %d to %d were others before", from, len(c.leaves))
	}
	c.leaves = append(c.leaves[:from], first...)
	return nil
}

// openEntries opens the coordinator's entries up to size.
func (c *powerCuts) openEntries(size uint64) error {
	from := uint64(0)
	if n := len(c.entries); n > 0 {
		from = c.entries[n-1].Index + 1
	}
	for e, err := range c.n.Reader.Client.Entries(c.n.ctx, from, 0) {
		if err != nil {
			return fmt.Errorf("entries of the coordinator: %w", err)
		}
		if e.Index >= size {
			break
		}
		c.entries = append(c.entries, e)
	}
	return nil
}

// verifyReceipts verifies the receipts that came since the last look, without
// the network, and compares what they prove with the log.
func (c *powerCuts) verifyReceipts() error {
	c.l.mu.Lock()
	receipts := slices.Clone(c.l.receipts)
	c.l.mu.Unlock()
	for _, r := range receipts[c.verified:] {
		if r.index >= uint64(len(c.leaves)) {
			return nil // looked at next time
		}
		proven, err := audit.Receipt(nil, []byte(r.proof), c.policy)
		if err != nil {
			return fmt.Errorf("receipt of entry %d: %w", r.index, err)
		}
		leaf := c.leaves[r.index]
		if proven.Index != r.index || proven.Commitment != leaf.Commitment || proven.Envelope != leaf.Envelope {
			return fmt.Errorf("receipt of entry %d proves %+v, the log has %+v", r.index, proven, leaf)
		}
		c.verified++
	}
	return nil
}

// final compares everything once more when nothing is under way, and every
// node's files when it is stopped.
func (c *powerCuts) final(t *testing.T) {
	t.Helper()
	n := c.n
	if t.Failed() {
		return
	}
	s := n.converge()
	must(t, c.look(n.Processes()))
	if size := uint64(len(c.leaves)); size != s.Size {
		t.Errorf("%d leaves were compared, the log has %d", size, s.Size)
	}
	if c.verified != len(c.l.receipts) {
		t.Errorf("%d of %d receipts were verified", c.verified, len(c.l.receipts))
	}
	t.Run("every node has the same log under a valid checkpoint", n.sameLog)
	t.Run("every promised entry is in the log exactly once", func(t *testing.T) { n.promisesAreKept(t, c.l) })
	must(t, n.Stop())
	t.Run("every node's copy verifies offline", func(t *testing.T) {
		n := n.with(t)
		for _, p := range n.Processes() {
			if _, errs, code := n.run("log", "verify", "--policy", c.policyFile, p.Dir); code != 0 {
				t.Errorf("%s: exit %d: %s", p.Node, code, errs)
			}
		}
	})
}
