package consensus

import (
	"slices"
	"sync"
	"testing"
)

// meter counts what a node is sent when it pulls, and lets peers stop.
type meter struct {
	mu    sync.Mutex
	froms []uint64          // envelope numbers asked for and answered
	sent  uint64            // bytes, of a question asked again once
	end   map[string]uint64 // the number before which a peer stops; none: it sends all
	most  int               // envelopes in one answer; 0: as many as there are
}

func (c *cluster) meter(end map[string]uint64) *meter {
	m := &meter{end: end}
	for _, id := range c.voters() {
		c.net.lie(id, &liar{envelopes: func(from uint64, p []Pulled) []Pulled { return m.answer(id, from, p) }})
	}
	return m
}

func (m *meter) answer(id string, from uint64, p []Pulled) []Pulled {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.most > 0 {
		p = p[:min(m.most, len(p))]
	}
	if end, stops := m.end[id]; stops {
		p = p[:min(max(end, from)-from, uint64(len(p)))]
	}
	again := len(m.froms) > 0 && m.froms[len(m.froms)-1] == from // an answer was lost
	if len(p) > 0 && !again {
		m.froms = append(m.froms, from)
		m.sent += pulledBytes(p)
	}
	return p
}

// free lets every peer send again.
func (m *meter) free() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end = nil
}

func (m *meter) seen() ([]uint64, uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.froms), m.sent
}

// leftBehind returns a cluster of three voters of which one, still cut off,
// lacks the last of many envelopes and will have a gap.
func leftBehind(t *testing.T) (c *cluster, chains []*chain, left string) {
	c = newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
	c.open(c.voters()...)
	leader := c.leader()
	left = c.follower()
	chains = c.load(16, 2, leader)
	c.converged(1 + 3*16*2)
	c.net.setCut(true, left, c.others(left)...)
	c.continueLoad(chains, 8, 2, c.without(left)...)
	c.logsLeaveBehind(left, c.lastIndex(left))
	return c, chains, left
}

// allBytes is the size of all envelopes in the log.
func (c *cluster) allBytes(from uint64) (bytes uint64) {
	n := c.running()[0]
	for ; from < n.View().Envelopes; from++ {
		p, err := n.Envelope(from)
		if err != nil {
			c.t.Fatal(err)
		}
		bytes += uint64(len(p.Envelope))
	}
	return bytes
}

func TestGapGoesOnWhereAPeerStoppedAndFetchesWhatWasMissed(t *testing.T) {
	c, chains, left := leftBehind(t)
	const edge, first = 1 + 3*16, 5
	peers := c.node(left).peersInTurn()
	m := c.meter(map[string]uint64{peers[0]: edge + first, peers[1]: 0})
	c.net.setCut(false, left, c.others(left)...)
	n := c.node(left)
	c.until("what the first peer sent", func() bool { from, _, _ := n.gapNow(); return from == edge+first })
	c.servesNothing(n)
	c.close(t.Context(), left)
	c.open(left)
	m.free()
	c.converged(1 + 3*24*2)
	c.verify(chains)
	froms, sent := m.seen()
	for i, want := range []uint64{edge, edge + first} {
		if i >= len(froms) || froms[i] != want {
			t.Fatalf("pulled from %d on, want %d and then %d", froms, edge, edge+first)
		}
	}
	missed := c.allBytes(edge)
	t.Logf("missed %d of %d bytes, fetched %d", missed, c.allBytes(0), sent)
	if sent > missed {
		t.Errorf("fetched %d bytes to fill a gap of %d", sent, missed)
	}
}

func TestGapIsFilledFromOnePeerAfterALie(t *testing.T) {
	c, chains, left := leftBehind(t)
	peers := c.node(left).peersInTurn()
	c.net.lie(peers[0], &liar{envelopes: func(_ uint64, p []Pulled) []Pulled { return swapHospitals(p) }})
	n := c.node(left)
	c.net.setCut(false, left, c.others(left)...)
	c.converged(1 + 3*24*2)
	c.verify(chains)
	if n.hasGap() {
		t.Error("the gap is still open")
	}
}

func TestMirrorGoesOnWhereAPeerStopped(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(4, 2, c.voters()...)
	at := c.converged(1 + 3*4*2)
	m := c.meter(map[string]uint64{"h1": 1 + 3, "h2": 1 + 3 + 2, "h3": 0})
	c.open("reader")
	n := c.node("reader")
	c.until("what two peers sent", func() bool { return n.machine.Ledger().Lengths().Envelopes == 1+3+2 })
	if got := n.View().Envelopes; got != 1 {
		t.Errorf("answers from %d envelopes that nothing confirms", got)
	}
	c.close(t.Context(), "reader")
	c.open("reader")
	if got := c.node("reader").View().Envelopes; got != 1 {
		t.Errorf("answers from %d envelopes after a restart", got)
	}
	m.free()
	c.until("the mirror's copy", func() bool { return c.node("reader").Checkpoint().Checkpoint == at })
	c.verify(chains)
	froms, sent := m.seen()
	if want := []uint64{1, 4, 6}; !slices.Equal(froms, want) {
		t.Errorf("pulled from %d on, want %d", froms, want)
	}
	if want := c.allBytes(1); sent != want {
		t.Errorf("fetched %d bytes, the log has %d", sent, want)
	}
}

func TestMirrorDropsALieThatARestartKept(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(4, 2, c.voters()...)
	at := c.converged(1 + 3*4*2)
	var once sync.Once
	m := &meter{end: map[string]uint64{"h1": 1 + 6, "h2": 0, "h3": 0}}
	for _, id := range c.voters() {
		c.net.lie(id, &liar{envelopes: func(from uint64, p []Pulled) []Pulled {
			once.Do(func() { p = swapHospitals(p) })
			return m.answer(id, from, p)
		}})
	}
	c.open("reader")
	c.until("what the liar sent", func() bool { return c.node("reader").machine.Ledger().Lengths().Envelopes == 1+6 })
	c.close(t.Context(), "reader")
	c.open("reader")
	m.free()
	c.until("the mirror's copy", func() bool { return c.node("reader").Checkpoint().Checkpoint == at })
	c.verify(chains)
}
