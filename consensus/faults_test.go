package consensus

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

func TestLeaderDiesUnderLoadAndEveryEnvelopeIsThereOnce(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader := c.leader()
	chains := []*chain{c.chain(0), c.chain(1), c.chain(2)}
	loaded := c.startLoad(chains, 12, 2, c.ids...)
	_, err := c.node(leader).Wait(c.ctx, func(s *state.State) bool { return s.Envelopes > 15 })
	if err != nil {
		t.Fatal(err)
	}
	c.net.setCut(true, leader, c.others(leader)...)
	c.close(ended(), leader)
	if next := c.leader(); next == leader {
		t.Fatalf("%s still leads", next)
	}
	loaded()
	c.net.setCut(false, leader, c.others(leader)...)
	c.open(leader)
	c.converged(1 + 3*12*2)
	c.verify(chains)
	for _, n := range c.running() {
		if got := n.View().Envelopes; got != 1+3*12 {
			t.Errorf("%s holds %d envelopes, want %d", n.cfg.Self, got, 1+3*12)
		}
	}
}

func TestLeaderClosedInOrderHandsOver(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	chains := c.load(2, 1, leader)
	c.converged(1 + 3*2)
	ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
	defer cancel()
	c.close(ctx, leader)
	if ctx.Err() != nil {
		t.Error("the hand-over took as long as it may")
	}
	c.continueLoad(chains, 2, 1, c.leader())
	c.converged(1 + 3*4)
	c.verify(chains)
}

func TestNewLeaderMakesTheCheckpointThatTheOldOneCouldNot(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	c.converged(1)
	for _, id := range c.voters() {
		c.net.lie(id, &liar{cosign: func(Proposal, []tlog.NoteSignature, error) ([]tlog.NoteSignature, error) {
			return nil, errCut
		}})
	}
	h := c.chain(1)
	if err := h.run(1, 4, leader); err != nil {
		t.Fatal(err)
	}
	if size := c.node(leader).Checkpoint().Size; size != 1 {
		t.Fatalf("checkpoint at %d without cosigners", size)
	}
	c.net.setCut(true, leader, c.others(leader)...)
	c.close(ended(), leader)
	for _, id := range c.voters() {
		c.net.lie(id, nil)
	}
	c.converged(5)
	c.verify([]*chain{h})
}

// TestFollowerLeftBehind cuts a follower off until the others have dropped the
// records it needs, and then lets it fill the gap.
func TestFollowerLeftBehind(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
	c.open(c.voters()...)
	leader := c.leader()
	left := c.follower()
	others := c.others(left)
	chains := c.load(1, 1, leader)
	c.converged(4)
	c.net.setCut(true, left, others...)
	c.continueLoad(chains, 8, 2, c.without(left)...)
	c.logsLeaveBehind(left, c.lastIndex(left))

	release := make(chan struct{})
	for _, id := range c.without(left) {
		c.net.lie(id, &liar{envelopes: func(_ uint64, p []Pulled) []Pulled {
			select {
			case <-release:
				return p
			default:
				return nil
			}
		}})
	}
	c.net.setCut(false, left, others...)
	n := c.node(left)
	c.until("an open gap", n.hasGap)
	c.appliedIsOnDisk(n)
	c.servesNothing(n)
	c.filledGapIsOnDisk(n, func() { close(release) })
	c.converged(1 + 3 + 3*8*2)
	c.verify(chains)

	c.close(ended(), left)
	c.open(left)
	if n := c.node(left); n.hasGap() {
		t.Error("the filled gap is open again after a restart")
	}
	c.converged(1 + 3 + 3*8*2)
}

// appliedIsOnDisk checks that what a voter had applied before a snapshot took
// Raft's log away, and may have cosigned, would be there after a power cut.
func (c *cluster) appliedIsOnDisk(n *Node) {
	c.t.Helper()
	from, _, _ := n.gapNow()
	dir := filepath.Join(c.t.TempDir(), "copy")
	if err := copyDir(n.cfg.Dir, dir); err != nil {
		c.t.Fatal(err)
	}
	m, err := machine.Open(dir, n.cfg.Genesis)
	if err != nil {
		c.t.Fatal(err)
	}
	defer m.Close()
	if synced, saved := m.Ledger().SyncedLengths().Envelopes, m.View().Envelopes; synced < from || saved < from {
		c.t.Errorf("%d envelopes were applied; %d of them are on disk, and %d in the saved state", from, synced, saved)
	}
}

// filledGapIsOnDisk looks at the disk at the first moment at which a voter may
// cosign what fills its gap, which is not in its Raft log.
func (c *cluster) filledGapIsOnDisk(n *Node, fill func()) {
	c.t.Helper()
	_, to, _ := n.gapNow()
	fill()
	if _, err := n.Wait(c.ctx, func(s *state.State) bool { return s.Envelopes >= to }); err != nil {
		c.t.Fatal(err)
	}
	if synced := n.machine.Ledger().SyncedLengths().Envelopes; synced < to {
		c.t.Errorf("the gap up to envelope %d is closed with %d envelopes on disk", to, synced)
	}
}

// servesNothing checks that a node with a gap answers "not yet".
func (c *cluster) servesNothing(n *Node) {
	c.t.Helper()
	if s := n.Status(); s.Ready || !strings.HasPrefix(s.Why, "not a copy") || s.GapTo <= s.GapFrom {
		c.t.Errorf("status with a gap: %+v", s)
	}
	if _, _, err := n.Receipt(1); !errors.Is(err, ErrNotYet) {
		c.t.Errorf("receipt with a gap: %v", err)
	}
	if _, err := n.HandleEnvelopes(0); !errors.Is(err, machine.ErrGap) {
		c.t.Errorf("envelopes with a gap: %v", err)
	}
	short, cancel := context.WithTimeout(c.ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := n.HandleCheckpoint(short, 1); !errors.Is(err, ErrNotYet) {
		c.t.Errorf("checkpoint with a gap: %v", err)
	}
	view := n.View()
	p := Proposal{Checkpoint: tlog.Checkpoint{Origin: Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root()}}
	if _, err := n.HandleCosign(short, p); !errors.Is(err, ErrNotYet) {
		c.t.Errorf("cosigned with a gap: %v", err)
	}
}

func TestGapIsNotFilledWithLies(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
	c.open(c.voters()...)
	leader := c.leader()
	left := c.follower()
	chains := c.load(1, 1, leader)
	c.converged(4)
	c.net.setCut(true, left, c.others(left)...)
	c.continueLoad(chains, 8, 2, c.without(left)...)
	c.logsLeaveBehind(left, c.lastIndex(left))
	n := c.node(left)
	helper := n.peersInTurn()[0]
	lied := make(chan struct{}, 100)
	c.net.lie(helper, &liar{envelopes: func(_ uint64, p []Pulled) []Pulled {
		lied <- struct{}{}
		return swapHospitals(p)
	}})
	c.net.setCut(false, left, c.others(left)...)
	<-lied
	c.converged(1 + 3 + 3*8*2)
	c.verify(chains)
}

func (c *cluster) lastIndex(id string) uint64 {
	last, err := c.node(id).logs.LastIndex()
	if err != nil {
		c.t.Fatal(err)
	}
	return last
}

// logsLeaveBehind waits until a node that is cut off needs a snapshot. A request
// made when the others' logs still reached back waits for the link as long as
// an RPC may take, and would bring the node back without one.
func (c *cluster) logsLeaveBehind(left string, last uint64) {
	c.t.Helper()
	c.until("logs that no longer reach back", func() bool { return c.logStartsBehind(left, last) })
	reached := time.Now()
	c.until("requests given up that reach back", func() bool { return time.Since(reached) > c.node(left).cfg.Timing.RPC })
}

// logStartsBehind reports whether every other voter has dropped the records
// after the given one.
func (c *cluster) logStartsBehind(left string, last uint64) bool {
	for _, id := range c.without(left) {
		first, err := c.node(id).logs.FirstIndex()
		if err != nil || first <= last+1 {
			return false
		}
	}
	return true
}

func TestUncommittedTailOfAnOldLeaderIsNeverApplied(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
	c.open(c.voters()...)
	old := c.leader()
	chains := c.load(1, 1, old)
	c.converged(4)
	c.net.setCut(true, old, c.others(old)...)
	tail := c.chain(0)
	tail.sequence, tail.previous = chains[0].sequence, chains[0].previous
	raw := tail.next(5).Marshal()
	if out, err := c.node(old).Submit(c.ctx, raw); err == nil {
		t.Fatalf("a leader without followers committed: %+v", out)
	}
	c.continueLoad(chains, 8, 2, c.without(old)...)
	c.until("logs that no longer reach back", func() bool { return c.logStartsBehind(old, c.lastIndex(old)) })
	c.net.setCut(false, old, c.others(old)...)
	c.converged(1 + 3 + 3*8*2)
	c.verify(chains)
	out, err := c.send(func() string { return old }, raw)
	if err != nil || out.Refusal == nil || out.Refusal.Code != state.CodeFork {
		t.Errorf("the tail's envelope: %+v, %v, want %s: its sequence was used by another", out, err, state.CodeFork)
	}
}

func TestAllNodesRestartAtOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		limits logLimits
		ctx    func() context.Context
	}{
		"closed, state from the log":    {defaultLimits, context.Background},
		"killed, state from the log":    {defaultLimits, ended},
		"closed, state from a snapshot": {logLimits{snapshotBytes: 40_000, trailing: 4}, context.Background},
		"killed, state from a snapshot": {logLimits{snapshotBytes: 40_000, trailing: 4}, ended},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.limits = tc.limits
			c.open(c.ids...)
			chains := c.load(4, 2, c.ids...)
			before := c.converged(1 + 3*4*2)
			if tc.limits != defaultLimits {
				c.until("a snapshot everywhere", func() bool {
					for _, id := range c.voters() {
						if _, found := c.node(id).snapshots.Newest(); !found {
							return false
						}
					}
					return true
				})
			}
			c.close(tc.ctx(), c.ids...)
			c.open(c.ids...)
			if after := c.converged(before.Size); after != before {
				t.Fatalf("after the restart %+v, before %+v", after, before)
			}
			c.continueLoad(chains, 2, 2, c.ids...)
			c.converged(1 + 3*6*2)
			c.verify(chains)
		})
	}
}

func TestNodeWhoseDiskFailsStopsAndTheOthersGoOn(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	chains := c.load(1, 1, leader)
	c.converged(4)
	failing := c.follower()
	c.mayFail()
	if err := c.node(failing).machine.Ledger().Close(); err != nil {
		t.Fatal(err)
	}
	c.continueLoad(chains, 2, 1, c.without(failing)...)
	if err := <-c.fatal[failing]; err == nil {
		t.Error("failed without a reason")
	}
	if _, err := c.node(failing).Submit(c.ctx, chains[0].sent[0].raw); err == nil {
		t.Error("a failed node answers")
	}
	if s := c.node(failing).Status(); s.Ready {
		t.Error("a failed node says it is ready")
	}
	c.close(ended(), failing)
	c.converged(1 + 3 + 3*2)
	c.open(failing)
	c.converged(1 + 3 + 3*2)
	c.verify(chains)
}

func TestLogBeyondASnapshotItDoesNotHoldNeedsARestart(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
	c.open(c.voters()...)
	chains := c.load(1, 1, c.leader())
	c.converged(4)
	old, before := c.uncommittedTail(200)
	c.continueLoad(chains, 8, 2, c.without(old)...)
	c.logsLeaveBehind(old, before)
	c.mayFail()
	c.net.setCut(false, old, c.others(old)...)
	select {
	case err := <-c.fatal[old]:
		if !errors.Is(err, ErrRestart) {
			t.Errorf("stopped with %v, want %v", err, ErrRestart)
		}
	case <-c.ctx.Done():
		t.Fatalf("went on with a stale log: %s", c.describe())
	}
	c.close(ended(), old)
	c.open(old)
	c.converged(1 + 3 + 3*8*2)
	c.verify(chains)
}

// uncommittedTail cuts the leader off and makes it store records that are never
// committed. It returns the leader, still cut off, and the end of its log
// before. A leader that steps down before it has stored them is let back, and
// its successor tried.
func (c *cluster) uncommittedTail(records uint64) (old string, before uint64) {
	for {
		// What an earlier leader stored in vain is committed or gone: the others' logs
		// would not get beyond it otherwise.
		c.until("a leader all of whose log is committed", func() bool {
			old = c.leader()
			before = c.lastIndex(old)
			return c.node(old).raft.CommitIndex() >= before
		})
		c.net.setCut(true, old, c.others(old)...)
		for range records {
			c.node(old).raft.Apply(nil, time.Second)
		}
		c.until("a leader that stored its records or stepped down", func() bool {
			return c.lastIndex(old) >= before+records || !c.node(old).Leading()
		})
		if c.lastIndex(old) >= before+records {
			return old, before
		}
		c.net.setCut(false, old, c.others(old)...)
	}
}

func TestFailedRaftStorageDoesNotKeepTheNodeFromClosing(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	c.mayFail()
	go c.node(leader).holdRaft(errCut) // held for good, as Raft would be
	if err := <-c.fatal[leader]; !errors.Is(err, errCut) {
		t.Errorf("stopped with %v", err)
	}
	if _, err := c.node(leader).Submit(c.ctx, nil); !errors.Is(err, errCut) {
		t.Errorf("submit: %v, want the reason", err)
	}
	c.close(t.Context(), leader)
}

func TestCheckpointIsToldAsSoonAsItIsLarger(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	c.converged(1)
	n := c.node(c.follower())
	notes := make(chan []byte, 1)
	go func() {
		note, err := n.HandleCheckpoint(c.ctx, 1)
		if err != nil {
			t.Error(err)
		}
		notes <- note
	}()
	if err := c.chain(1).run(1, 2, leader); err != nil {
		t.Fatal(err)
	}
	if sc, err := tlog.ParseSignedCheckpoint(<-notes); err != nil || sc.Size != 3 {
		t.Errorf("told %d, %v, want 3", sc.Size, err)
	}
	short, cancel := context.WithTimeout(c.ctx, 20*time.Millisecond)
	defer cancel()
	if note, err := n.HandleCheckpoint(short, 3); err != nil || len(note) == 0 {
		t.Errorf("without news: %d bytes, %v, want the newest", len(note), err)
	}
}
