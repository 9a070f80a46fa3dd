package consensus

import (
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

// tellTale is a meter that counts what it is told.
type tellTale struct {
	mu                                         sync.Mutex
	committed, applied, synced, leaders, roots int
	refused                                    map[string]int
}

func (m *tellTale) add(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *tellTale) Committed(time.Duration)        { m.add(func() { m.committed++ }) }
func (m *tellTale) Applied(n int, _ time.Duration) { m.add(func() { m.applied += n }) }
func (m *tellTale) Refused(code string)            { m.add(func() { m.refused[code]++ }) }
func (m *tellTale) Synced(time.Duration)           { m.add(func() { m.synced++ }) }
func (m *tellTale) LeaderChanged()                 { m.add(func() { m.leaders++ }) }
func (m *tellTale) RootDiffered()                  { m.add(func() { m.roots++ }) }

func TestAMeterIsToldOfWhatHappens(t *testing.T) {
	c := newCluster(t, 3)
	all := map[string]*tellTale{}
	c.meters = map[string]Meter{}
	for _, id := range c.ids {
		all[id] = &tellTale{refused: map[string]int{}}
		c.meters[id] = all[id]
	}
	c.open(c.ids...)
	leader, follower, mirror := c.leader(), c.follower(), c.ids[len(c.ids)-1]
	h := c.chain(1)
	if err := h.run(3, 2, leader); err != nil {
		t.Fatal(err)
	}
	c.converged(1 + 3*2)
	if _, err := c.node(leader).Submit(c.ctx, []byte("no envelope")); err != nil {
		t.Fatal(err)
	}
	n := c.node(follower)
	wrong := tlog.Checkpoint{Origin: Origin(n.View()), Size: 7, Root: n.View().Tree.Root()}
	wrong.Root[0] ^= 1
	if _, err := n.HandleCosign(c.ctx, Proposal{Checkpoint: wrong}); err == nil {
		t.Fatal("a wrong root was cosigned")
	}
	if _, err := c.node(mirror).Wait(c.ctx, func(s *state.State) bool { return s.Tree.Size() == 7 }); err != nil {
		t.Fatal(err)
	}
	for id, m := range all {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.applied != 3 {
			t.Errorf("%s has told of %d envelopes applied, want 3", id, m.applied)
		}
		if votes := id != mirror; votes && (m.synced == 0 || m.leaders == 0) || !votes && m.leaders != 0 {
			t.Errorf("%s has told of %d writes and %d leaders", id, m.synced, m.leaders)
		}
		want := map[string]int{follower: 1}[id]
		if m.roots != want {
			t.Errorf("%s has told of %d roots, want %d", id, m.roots, want)
		}
	}
	if m := all[leader]; m.committed != 3 || m.refused[string(state.CodeEncoding)] != 1 {
		t.Errorf("the leader has told of %d commits and refusals %v", m.committed, m.refused)
	}
	p := c.node(leader).Progress()
	if p.AppliedIndex == 0 || p.CommitIndex < p.AppliedIndex || p.LastContact != 0 || p.Unsaved == 0 || p.Behind != 0 {
		t.Errorf("the leader has come to %+v", p)
	}
	if p := c.node(mirror).Progress(); p.CommitIndex != 0 || p.LastContact >= 0 || p.Behind != 0 {
		t.Errorf("the mirror has come to %+v", p)
	}
}
