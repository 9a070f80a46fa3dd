package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/space"
)

const diskBytes = 1000 << 20 // of a node's disk in these tests, which has a reserve of one MiB

// openOnDisks opens nodes each on a disk of its own, and returns what fills
// them: free is all that is left, with the reserve in place.
func (c *cluster) openOnDisks(ids ...string) (fill func(id string, freeMiB uint64)) {
	c.t.Helper()
	left := map[string]*atomic.Uint64{}
	for _, id := range ids {
		free := new(atomic.Uint64)
		free.Store(diskBytes)
		left[id] = free
		cfg := c.config(id)
		probe := func() (uint64, uint64, error) {
			bytes := free.Load()
			if _, err := os.Stat(filepath.Join(cfg.Dir, "reserve")); err != nil {
				bytes += 1 << 20 // given up
			}
			return bytes, diskBytes, nil
		}
		cfg.Space = space.New(space.Config{Dir: cfg.Dir, Probe: probe, ReserveBytes: 1 << 20})
		n, err := Open(cfg)
		if err != nil {
			c.t.Fatalf("open %s: %v", id, err)
		}
		c.mu.Lock()
		c.nodes[id] = n
		c.mu.Unlock()
		c.net.started(id, n)
	}
	return func(id string, freeMiB uint64) { left[id].Store(freeMiB << 20) }
}

// inBubble runs a test of a network in false time.
func inBubble(t *testing.T, voters int, f func(*cluster)) {
	found(t, voters) // its keys are made outside of the bubble
	synctest.Test(t, func(t *testing.T) { f(newCluster(t, voters)) })
}

func (c *cluster) warned(id, text string) bool {
	return slices.ContainsFunc(c.node(id).Status().Warnings, func(w Warning) bool { return strings.Contains(w.EN, text) && w.ZH != "" })
}

func TestANodeShortOfRoomWarnsRefusesItsHospitalAndGoesOnByItself(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		fill := c.openOnDisks(c.ids...)
		id := c.follower()
		for _, step := range []struct {
			freeMiB uint64
			warning string
			refused bool
		}{
			{140, "140 MiB left of 1000 MiB: make room", false},
			{90, "files are refused", true},
			{110, "110 MiB left of 1000 MiB: this hospital's new files are refused", true}, // at the edge
			{130, "make room", false},
			{500, "", false},
		} {
			fill(id, step.freeMiB)
			c.until(fmt.Sprintf("at %d MiB the warning %q", step.freeMiB, step.warning), func() bool {
				w := c.node(id).roomWarning().EN
				return strings.Contains(w, step.warning) && (w == "") == (step.warning == "")
			})
			if err := c.node(id).Room(); errors.Is(err, ErrNoRoom) != step.refused {
				t.Errorf("at %d MiB: a new file: %v, refused %v is wanted", step.freeMiB, err, step.refused)
			}
			for _, other := range c.others(id) {
				if err := c.node(other).Room(); err != nil {
					t.Errorf("at %d MiB of %s: %s refuses: %v", step.freeMiB, id, other, err)
				}
			}
		}
	})
}

func TestALeaderShortOfRoomHandsOver(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		fill := c.openOnDisks(c.ids...)
		leader := c.leader()
		fill(leader, 40)
		c.until("another leader", func() bool { return !c.node(leader).Leading() && c.leader() != leader })
		if !c.warned(leader, "does not lead") {
			t.Errorf("it warns of %q", c.node(leader).Status().Warnings)
		}
		chains := c.load(4, 1, c.ids...) // it still stores what the new leader sends
		c.converged(1 + 4*3)
		c.verify(chains)
	})
}

// TestAVoterWhoseDiskIsFullDoesNotStand: elected, it could not store the first
// record of its term, and would set everybody back by an election.
func TestAVoterWhoseDiskIsFullDoesNotStand(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		fill := c.openOnDisks(c.ids...)
		id := c.follower()
		other := raft.ServerID(c.leader())
		stand := func() error {
			tr, header := c.node(id).transport, raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(id), Addr: []byte(id)}
			return errors.Join( // in term 0: nobody votes
				tr.RequestPreVote(other, raft.ServerAddress(other), &raft.RequestPreVoteRequest{RPCHeader: header}, &raft.RequestPreVoteResponse{}),
				tr.RequestVote(other, raft.ServerAddress(other), &raft.RequestVoteRequest{RPCHeader: header}, &raft.RequestVoteResponse{}))
		}
		if err := stand(); err != nil {
			t.Errorf("with room: %v", err)
		}
		fill(id, 5)
		c.until("a full disk to keep it from standing", func() bool { return errors.Is(stand(), ErrNoRoom) })
		fill(id, 500)
		c.until("it to stand again", func() bool { return stand() == nil })
	})
}

func TestVotersThatAreAllShortOfRoomStillHaveALeader(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		fill := c.openOnDisks(c.ids...)
		c.leader()
		for _, id := range c.voters() {
			fill(id, 40)
		}
		for _, id := range c.voters() {
			c.until("a warning of each", func() bool { return c.warned(id, "does not lead") })
		}
		chains := c.load(4, 1, c.ids...)
		c.converged(1 + 4*3)
		c.verify(chains)
	})
}

func TestANetworkWhoseDisksAreAllFullGoesOnWhenThereIsRoom(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		fill := c.openOnDisks(c.ids...)
		leader := c.leader()
		for _, id := range c.voters() {
			fill(id, 5)
		}
		h := c.chain(0)
		raw := h.build(h.sequence+1, h.previous, 1).Marshal()
		ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
		defer cancel()
		if out, err := c.node(leader).Submit(ctx, raw); err == nil {
			t.Errorf("an envelope was taken with no room for it anywhere: %+v", out)
		}
		for _, id := range c.voters() {
			fill(id, 500)
		}
		out, err := c.send(func() string { return leader }, raw)
		if err != nil || out.Refusal != nil {
			t.Fatalf("with room: %+v, %v", out, err)
		}
		c.converged(2)
	})
}

func TestAVoterAndAMirrorWhoseDisksAreFullStoreNothingAndCatchUp(t *testing.T) {
	inBubble(t, 3, func(c *cluster) {
		fill := c.openOnDisks(c.ids...)
		id, mirror := c.follower(), c.ids[len(c.ids)-1]
		rest := slices.DeleteFunc(slices.Clone(c.ids), func(other string) bool { return other == id || other == mirror })
		for _, full := range []string{id, mirror} {
			fill(full, 5)
			c.until("a warning", func() bool { return c.warned(full, "nothing new is stored") })
			if _, err := os.Stat(filepath.Join(c.dirs[full], "reserve")); err == nil {
				t.Errorf("%s keeps its reserve", full)
			}
		}
		if s := c.node(id).Status(); s.Ready || !strings.Contains(s.Why, "nothing new is stored") {
			t.Errorf("on a full disk: ready %v, %q", s.Ready, s.Why)
		}
		before := c.node(id).Status().Size
		chains := c.load(8, 1, rest...)
		c.until("a checkpoint without them", func() bool { return c.node(rest[0]).Status().Checkpoint.Size == 1+8*3 })
		for _, full := range []string{id, mirror} {
			if size := c.node(full).Status().Size; size != before {
				t.Errorf("%s went from %d to %d entries on a full disk", full, before, size)
			}
			fill(full, 500)
		}
		c.converged(1 + 8*3)
		c.verify(chains)
		for _, n := range c.running() {
			if w := n.Status().Warnings; len(w) > 0 {
				t.Errorf("%s still warns: %q", n.cfg.Self, w)
			}
		}
	})
}
