package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/raresync/raresync/integration/chaos"
)

// exitStorage is the exit code of a node whose disk failed, and byKernel what
// stands for one that a signal ended.
const (
	exitStorage = 74
	byKernel    = -1
)

// chaosKind is a way to break the world of one node, and to mend it.
type chaosKind struct {
	name   string
	inject func(*campaign, *member) error
	mend   func(*campaign, *member) error
	ends   []int              // exit codes with which the process may end of it
	hits   func(*member) bool // whom; nil: anybody
}

// mendable lists what can happen to any node.
var mendable = []chaosKind{
	{name: "kill", inject: (*campaign).kill, mend: (*campaign).nothing, ends: []int{byKernel}},
	{name: "stop", inject: (*campaign).freeze, mend: (*campaign).thaw},
	{name: "full partition", inject: (*campaign).isolate, mend: (*campaign).rejoin},
	{name: "one-way partition", inject: (*campaign).isolateOneWay, mend: (*campaign).rejoin},
	{name: "loss", inject: (*campaign).lose, mend: (*campaign).rejoin},
	{name: "reset", inject: (*campaign).reset, mend: (*campaign).endReset},
	{name: "delay", inject: (*campaign).delay, mend: (*campaign).rejoin},
	{name: "disk full", inject: (*campaign).fillDisk, mend: (*campaign).freeDisk},
	{name: "disk full at once", inject: (*campaign).brimDisk, mend: (*campaign).freeDisk, ends: []int{exitStorage}},
	{name: "slow fsync", inject: (*campaign).slowFsync, mend: (*campaign).releaseFsync},
	{name: "memory limit", inject: (*campaign).squeeze, mend: (*campaign).relax, ends: []int{byKernel}},
}

const eio = "EIO on fsync"

// A disk that fails costs a node its copy: a mirror's is made anew by the
// network, a voter stays out for good.
var (
	failMirror = chaosKind{
		name: eio, inject: (*campaign).failFsync, mend: (*campaign).makeAnew, ends: []int{exitStorage},
		hits: func(m *member) bool { return m.place == chaosVoters },
	}
	failVoter = chaosKind{
		name: eio, inject: (*campaign).failFsync, mend: (*campaign).stayOut, ends: []int{exitStorage},
		hits: func(m *member) bool { return m.votes },
	}
)

func (c *campaign) kill(m *member) error  { return m.Kill() }
func (c *campaign) nothing(*member) error { return nil } // the process is started again by revive

func (c *campaign) freeze(m *member) error { return syscall.Kill(m.PID(), syscall.SIGSTOP) }
func (c *campaign) thaw(m *member) error   { return syscall.Kill(m.PID(), syscall.SIGCONT) }

// links replaces all links from and to a node.
func (c *campaign) links(m *member, from, to chaos.Link) error {
	for _, peer := range c.members {
		c.lan.Link(m.place, peer.place, from)
		c.lan.Link(peer.place, m.place, to)
	}
	return nil
}

func (c *campaign) rejoin(m *member) error { return c.links(m, chaos.Link{}, chaos.Link{}) }

func (c *campaign) isolate(m *member) error {
	return c.links(m, chaos.Link{Cut: true}, chaos.Link{Cut: true})
}

// isolateOneWay lets a node only speak, or only hear.
func (c *campaign) isolateOneWay(m *member) error {
	deaf := c.rng.IntN(2) == 0
	return c.links(m, chaos.Link{Cut: !deaf}, chaos.Link{Cut: deaf})
}

func (c *campaign) lose(m *member) error {
	l := chaos.Link{Loss: 0.05 + 0.25*c.rng.Float64()}
	return c.links(m, l, l)
}

// delay adds a round trip of up to 200 ms, and lets frames overtake each other.
func (c *campaign) delay(m *member) error {
	l := chaos.Link{Delay: time.Duration(10+c.rng.IntN(60)) * time.Millisecond, Jitter: 30 * time.Millisecond}
	return c.links(m, l, l)
}

func (c *campaign) reset(m *member) error    { return c.lan.Reset(m.place) }
func (c *campaign) endReset(m *member) error { return c.lan.Mend(m.place) }

// fillDisk leaves less than the share at which a node stores nothing more. It
// may not end of that.
func (c *campaign) fillDisk(m *member) error { return m.disk.Fill(chaosDisk / 200) }

// brimDisk leaves nothing before the node has looked: what it writes in that
// moment fails. It may end, and is started again when there is room.
func (c *campaign) brimDisk(m *member) error { return m.disk.Fill(0) }
func (c *campaign) freeDisk(m *member) error { return m.disk.Free() }

func (c *campaign) squeeze(m *member) error { return m.memory.Squeeze() }
func (c *campaign) relax(m *member) error   { return m.memory.Limit(-1) }

func (c *campaign) slowFsync(m *member) (err error) {
	m.fsync, err = chaos.SlowFsync(c.ctx, m.PID(), time.Duration(100+c.rng.IntN(400))*time.Millisecond)
	return err
}

func (c *campaign) releaseFsync(m *member) error { return m.fsync.Release() }

// failFsync sees the node end at the first error, and end again when it is
// started once more: what its disk holds then is not what it reads.
func (c *campaign) failFsync(m *member) (err error) {
	if m.fsync, err = chaos.FailFsync(c.ctx, m.PID()); err != nil {
		return err
	}
	if err := c.endsForGood(m); err != nil {
		return err
	}
	if err := c.launch(m); err != nil {
		return err
	}
	if err := c.endsForGood(m); err != nil {
		return fmt.Errorf("started again: %w", err)
	}
	return nil
}

func (c *campaign) endsForGood(m *member) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.stall)
	defer cancel()
	err := poll(ctx, func() error {
		if m.Running() {
			return fmt.Errorf("%s goes on after a failed fsync", m.Node)
		}
		return nil
	})
	if err == nil && m.ExitCode() != exitStorage {
		err = fmt.Errorf("%s ended with exit code %d, want %d", m.Node, m.ExitCode(), exitStorage)
	}
	return err
}

// makeAnew does what an operator does for a mirror: what the network has, it
// gives back.
func (c *campaign) makeAnew(m *member) error {
	for _, name := range []string{"node", "outbox"} {
		if err := os.RemoveAll(filepath.Join(m.Dir, name)); err != nil {
			return err
		}
	}
	return m.fsync.Release()
}

func (c *campaign) stayOut(m *member) error {
	m.lost = true
	c.tally[eio].ended++
	m.dismiss()
	return m.fsync.Release()
}

// plan draws the faults: a fifth of the kinds, or each six times for the full
// proof, one or two at a time. Nodes whose disk fails have a step of their own,
// and the voters among them come last.
func (c *campaign) plan(full bool) [][]chaosKind {
	times, mirrors, voters := 1, 1, 1
	if full {
		times, mirrors, voters = 6, 4, 2
	}
	drawn := slices.Repeat(mendable, times)
	shuffle(c.rng, drawn)
	if !full {
		drawn = drawn[:(len(drawn)+4)/5]
	}
	steps := slices.Repeat([][]chaosKind{{failMirror}}, mirrors)
	for len(drawn) > 0 {
		n := min(1+c.rng.IntN(2), len(drawn))
		steps, drawn = append(steps, drawn[:n]), drawn[n:]
	}
	shuffle(c.rng, steps)
	return append(steps, slices.Repeat([][]chaosKind{{failVoter}}, voters)...)
}

func shuffle[T any](rng *rand.Rand, list []T) {
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}
