package integration

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/admin"
)

// chaosFault is a kind and the node that it happens to.
type chaosFault struct {
	chaosKind
	victim *member
}

// chaosTally counts what was done of a kind.
type chaosTally struct {
	faults int
	ended  int // processes that ended of it
}

// run injects what was planned while every hospital submits.
func (c *campaign) run(steps [][]chaosKind) {
	c.t.Helper()
	c.load.start(c.t)
	c.goesOn("before the first fault")
	for _, kinds := range steps {
		c.step(kinds)
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.stall)
	defer cancel()
	must(c.t, c.load.stop(ctx))
}

// step injects one or two faults, sees the network go on with them, mends them
// and sees every node come back.
func (c *campaign) step(kinds []chaosKind) {
	c.t.Helper()
	began := time.Now()
	leader := c.leader()
	faults := c.choose(kinds, leader)
	var names []string
	for _, f := range faults {
		name := f.name + " at " + f.victim.Node
		if f.victim == leader {
			name += ", which leads"
		}
		names = append(names, name)
		c.must(f.inject(c, f.victim), names)
	}
	c.hold()
	c.goesOn(strings.Join(names, "; "))
	held := time.Since(began)
	for _, f := range faults {
		c.must(f.mend(c, f.victim), names)
	}
	for _, m := range c.members {
		c.must(c.revive(m, faults), names)
	}
	c.must(c.allReady(), names)
	c.t.Logf("%s: for %v, all back %v later", strings.Join(names, "; "),
		held.Round(time.Millisecond), (time.Since(began) - held).Round(time.Millisecond))
}

func (c *campaign) must(err error, while []string) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", strings.Join(while, "; "), err)
	}
}

// hold waits while faults last for a moment that is drawn.
func (c *campaign) hold() {
	timer := time.NewTimer(2*time.Second + time.Duration(c.rng.Int64N(int64(3*time.Second))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
	}
}

// goesOn sees that batches come under a receipt now. There is one more of them
// than hospitals, so that at least one was sent from now on.
func (c *campaign) goesOn(while string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, c.stall)
	defer cancel()
	if err := c.load.await(ctx, chaosHospitals+1); err != nil {
		c.t.Fatalf("%s: %v", while, err)
	}
}

// choose draws whom the faults happen to: different nodes, the leader in one
// case of three.
func (c *campaign) choose(kinds []chaosKind, leader *member) []chaosFault {
	c.t.Helper()
	var faults []chaosFault
	for _, k := range kinds {
		candidates := slices.DeleteFunc(slices.Clone(c.members), func(m *member) bool {
			hit := slices.ContainsFunc(faults, func(f chaosFault) bool { return f.victim == m })
			return hit || m.lost || k.hits != nil && !k.hits(m)
		})
		victim := candidates[c.rng.IntN(len(candidates))]
		if c.rng.IntN(3) == 0 && slices.Contains(candidates, leader) {
			victim = leader
		}
		faults = append(faults, chaosFault{k, victim})
		t := c.tally[k.name]
		if t == nil {
			t = &chaosTally{}
			c.tally[k.name] = t
		}
		t.faults++
	}
	return faults
}

// leader returns the member that leads, as any other says at once.
func (c *campaign) leader() *member {
	c.t.Helper()
	p, err := c.Network.Leader(c.ctx)
	must(c.t, err)
	return c.members[slices.IndexFunc(c.members, func(m *member) bool { return m.Process == p })]
}

// revive starts a node that has ended, as a service manager would. It must have
// ended of the fault that happened to it, or because it asked to be started
// again.
func (c *campaign) revive(m *member, faults []chaosFault) error {
	if m.lost || m.Running() {
		return nil
	}
	code := m.ExitCode()
	i := slices.IndexFunc(faults, func(f chaosFault) bool { return f.victim == m && slices.Contains(f.ends, code) })
	switch {
	case i >= 0:
		c.tally[faults[i].name].ended++
	case code == 1 && asksForStart(m):
		c.restarts++
	default:
		c.t.Errorf("%s ended with exit code %d, which no fault explains", m.Node, code)
	}
	return c.launch(m)
}

// asksForStart reports whether the last words of a node were that a start sets
// it right.
func asksForStart(m *member) bool {
	log, err := os.ReadFile(m.Log())
	return err == nil && bytes.Contains(log[max(0, len(log)-500):], []byte(consensus.ErrRestart.Error()))
}

// report prints what was done and what came of it, and refuses a campaign under
// which the network hardly worked.
func (c *campaign) report(t *testing.T, end admin.Status) {
	took := time.Since(c.load.began)
	promised := len(c.load.promised())
	rate := float64(promised) / took.Seconds()
	total := 0
	for _, k := range append(slices.Clone(mendable), failMirror) {
		if n := c.tally[k.name]; n != nil {
			total += n.faults
			t.Logf("proof: %2d x %s, of which %d ended the process", n.faults, k.name, n.ended)
		}
	}
	t.Logf("proof: %d faults of %d kinds in %v, seed %d; %d starts asked for", total, len(c.tally), took.Round(time.Second), c.seed, c.restarts)
	t.Logf("proof: %d envelopes, %d entries, %d of them promised, %.1f a second, %d receipts; longest time without one %v",
		end.Envelopes, end.Size, promised, rate, len(c.load.receipts()), c.load.longestStall().Round(time.Millisecond))
	t.Logf("proof: %d nodes at the end, root %.16s, %d voter(s) out for good; %d frames carried", len(c.Processes()), end.Root, c.lost(), c.lan.Frames())
	if rate < chaosRate {
		t.Errorf("%.1f entries a second under a receipt, want at least %.1f", rate, chaosRate)
	}
}
