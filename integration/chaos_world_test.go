package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/integration/chaos"
)

const (
	chaosVoters    = 5
	chaosHospitals = chaosVoters + 1 // one of them has a mirror
	chaosDisk      = 1 << 30         // bytes of a node's file system
	chaosPort      = "8470"

	// chaosStall is how long no hospital may get a receipt while a majority of
	// the voters is well: many elections, on a machine that others use too.
	chaosStall = 2 * time.Minute
	// chaosRate is the least number of entries promised in a second, the faults'
	// time included.
	chaosRate = 5.0
)

// campaign is a network whose world breaks.
type campaign struct {
	*network
	lan     *chaos.LAN
	seed    uint64
	rng     *rand.Rand
	stall   time.Duration // how long the network may stand still; chaosStall
	members []*member     // the hospitals, voters first, then the coordinator
	load    *chaosLoad

	tally    map[string]*chaosTally // by kind
	restarts int                    // that nodes asked for
}

// member is a node with the world around it.
type member struct {
	*demo.Process
	place  int // in the LAN
	votes  bool
	disk   *chaos.Disk
	memory *chaos.Memory
	fsync  *chaos.Fsync
	lost   bool // its disk failed: rule 12 keeps it out

	working context.Context // ends when the node is lost
	dismiss context.CancelFunc
}

func newCampaign(t *testing.T) *campaign {
	t.Helper()
	c := &campaign{seed: chaosSeed(t), stall: chaosStall, tally: map[string]*chaosTally{}}
	c.rng = rand.New(rand.NewPCG(c.seed, 3))
	t.Logf("CHAOS_SEED=%d", c.seed)
	path, err := program()
	must(t, err)
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	for i := range chaosHospitals {
		c.addMember(t, dir, fmt.Sprintf("h%d", i+1))
	}
	c.addMember(t, dir, demo.Coordinator)
	founded, err := demo.Found(dir, path, chaosHospitals, chaosVoters)
	must(t, err)
	c.network = &network{Network: founded, t: t}
	var cancel context.CancelFunc
	c.ctx, cancel = context.WithCancel(t.Context())
	t.Cleanup(cancel)
	t.Cleanup(c.end)
	c.lan, err = chaos.NewLAN(len(c.members))
	must(t, err)
	t.Cleanup(func() { must(t, c.lan.Close()) })
	for i, p := range founded.Processes() {
		c.members[i].Process = p
		c.members[i].working, c.members[i].dismiss = context.WithCancel(c.ctx)
		c.move(c.members[i])
	}
	for _, m := range c.members {
		must(t, c.launch(m))
	}
	must(t, c.allReady())
	must(t, founded.MakeKey(c.ctx))
	c.load = newChaosLoad(c)
	return c
}

func chaosSeed(t *testing.T) uint64 {
	text := os.Getenv("CHAOS_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	must(t, err)
	return seed
}

func (c *campaign) addMember(t *testing.T, dir, node string) {
	t.Helper()
	disk, err := chaos.NewDisk(filepath.Join(dir, node+".img"), filepath.Join(dir, node), chaosDisk)
	must(t, err)
	memory, err := chaos.NewMemory(filepath.Join(chaos.Inside(), node))
	must(t, err)
	place := len(c.members)
	c.members = append(c.members, &member{place: place, votes: place < chaosVoters, disk: disk, memory: memory})
}

// move gives a node its address in the LAN, and tells it those of the voters.
func (c *campaign) move(m *member) {
	c.t.Helper()
	raw, err := os.ReadFile(m.Config())
	must(c.t, err)
	var text strings.Builder
	for line := range strings.Lines(string(raw)) {
		if m.votes && strings.HasPrefix(line, "node = ") {
			line = fmt.Sprintf("node = \"%s:%s\"\n", c.lan.Address(m.place), chaosPort)
		}
		text.WriteString(line)
	}
	for _, v := range c.members[:chaosVoters] {
		fmt.Fprintf(&text, "h%d = [\"%s:%s\"]\n", v.place+1, c.lan.Address(v.place), chaosPort)
	}
	must(c.t, os.WriteFile(m.Config(), []byte(text.String()), 0o600))
}

// launch starts a node's process in its namespace and control group.
func (c *campaign) launch(m *member) error {
	if err := c.lan.In(m.place, m.Start); err != nil {
		return err
	}
	if pid := m.PID(); pid != 0 {
		return m.memory.Add(pid)
	}
	return nil
}

// allReady waits until every node that is not lost is ready.
func (c *campaign) allReady() error {
	ctx, cancel := context.WithTimeout(c.ctx, c.stall)
	defer cancel()
	for _, m := range c.members {
		if m.lost {
			continue
		}
		if err := m.WaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lost counts the voters that are out for good.
func (c *campaign) lost() (n int) {
	for _, m := range c.members {
		if m.lost {
			n++
		}
	}
	return n
}
