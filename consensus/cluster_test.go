package consensus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/raresync/raresync/consensus.(*Node).holdRaft"),
		// Of a leader held for good: its loop, which would end them, never ends.
		goleak.IgnoreAnyFunction("github.com/hashicorp/raft.(*Raft).replicate"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/raft.(*Raft).heartbeat"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/raft.emitLogStoreMetrics"),
		// Of a node held in a write: whatever of Raft's would write next.
		goleak.IgnoreAnyFunction("github.com/raresync/raresync/consensus/logstore.(*Store).DeleteRange"),
		goleak.IgnoreAnyFunction("github.com/raresync/raresync/consensus/logstore.(*Store).StoreLogs"),
		goleak.IgnoreAnyFunction("github.com/hashicorp/raft.(*shutdownFuture).Error"),
		goleak.IgnoreTopFunction("github.com/hashicorp/raft.(*deferError).Error"), // see DECISIONS: queued at Shutdown
	)
}

// cluster is a founded network with its nodes in memory.
type cluster struct {
	t       testing.TB
	net     *memnet
	founded *foundingtest.Network
	genesis *state.State
	began   time.Time
	limits  logLimits
	meters  map[string]Meter // of nodes that are watched
	ids     []string         // voters, then the mirror
	ctx     context.Context

	mu       sync.Mutex
	dirs     map[string]string
	nodes    map[string]*Node
	fatal    map[string]chan error
	parted   map[string]chan struct{} // takes a value when a node is to be opened again
	ahead    map[string]time.Duration // how far a node's clock is ahead
	refusing map[string]bool          // nodes whose log store refuses
	strict   bool                     // a Fatal is a failure of the test
	acked    func(sent)               // told of what hospitals are answered, if set
}

// networks are founded once for all tests: their keys take time to make.
var networks = map[int]*foundingtest.Network{}

func found(t testing.TB, voters int) *foundingtest.Network {
	if networks[voters] == nil {
		networks[voters] = foundingtest.New(t, voters)
	}
	return networks[voters]
}

// newCluster founds a network of voters and one mirror; no node runs yet.
func newCluster(t testing.TB, voters int) *cluster {
	t.Helper()
	return clusterOf(t, found(t, voters), func(string) string { return t.TempDir() })
}

// clusterOf is a cluster of a network that was founded before, with each node's
// data in the folder that dir names.
func clusterOf(t testing.TB, founded *foundingtest.Network, dir func(id string) string) *cluster {
	t.Helper()
	genesis, _, err := state.Found(founded.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	c := &cluster{
		t: t, net: newMemnet(), founded: founded, genesis: genesis, began: time.Now(), ctx: ctx,
		dirs: map[string]string{}, nodes: map[string]*Node{}, fatal: map[string]chan error{}, parted: map[string]chan struct{}{},
		ahead: map[string]time.Duration{}, refusing: map[string]bool{}, strict: true,
	}
	for _, m := range c.members() {
		c.ids = append(c.ids, m.Node)
		c.dirs[m.Node] = dir(m.Node)
	}
	t.Cleanup(func() {
		c.closeAll()
		cancel()
	})
	return c
}

func (c *cluster) members() []*foundingtest.Member {
	return append(slices.Clone(c.founded.Hospitals), c.founded.Reader)
}

func (c *cluster) voters() []string { return c.ids[:len(c.ids)-1] }

func (c *cluster) member(id string) *foundingtest.Member {
	for _, m := range c.members() {
		if m.Node == id {
			return m
		}
	}
	c.t.Fatalf("no node %q", id)
	return nil
}

// now is the nodes' clock: the founding's plus what has passed.
func (c *cluster) now(id string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.UnixMilli(foundingtest.SignedAt).Add(time.Since(c.began) + c.ahead[id])
}

func (c *cluster) config(id string) Config {
	m := c.member(id)
	listener := c.net.listen(id)
	fatal, parted := make(chan error, 1), make(chan struct{}, 1)
	c.mu.Lock()
	c.fatal[id], c.parted[id] = fatal, parted
	c.mu.Unlock()
	return Config{
		Self: id, Dir: c.dirs[id], Genesis: c.founded.Genesis, Log: m.Log, Cosign: m.Cosign,
		Peers: &memPeers{c.net, id}, Streams: &memStreams{c.net, id, listener},
		Logger: slog.New(slog.NewTextHandler(&testLog{t: c.t, id: id}, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Now:    func() time.Time { return c.now(id) },
		Fatal: func(err error) {
			c.mu.Lock()
			strict := c.strict
			c.mu.Unlock()
			if strict {
				c.t.Errorf("node %s failed: %v", id, err)
			}
			fatal <- err
		},
		Part:   func() { parted <- struct{}{} },
		Timing: Timing{Heartbeat: 200 * time.Millisecond, Lease: 100 * time.Millisecond, RPC: 2 * time.Second},
		Meter:  c.meters[id],
		limits: c.limits,
		guard: func(int) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.refusing[id] {
				return errFull
			}
			return nil
		},
	}
}

var errFull = errors.New("no room")

// setRefusing lets a node's log store refuse everything, or no longer.
func (c *cluster) setRefusing(id string, refusing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing[id] = refusing
}

type testLog struct {
	t  testing.TB
	id string
}

func (l *testLog) Write(p []byte) (int, error) {
	if testing.Verbose() {
		fmt.Printf("%s %s", l.id, p)
	}
	return len(p), nil
}

func (c *cluster) open(ids ...string) {
	c.t.Helper()
	for _, id := range ids {
		n, err := Open(c.config(id))
		if err != nil {
			c.t.Fatalf("open %s: %v", id, err)
		}
		c.mu.Lock()
		c.nodes[id] = n
		c.mu.Unlock()
		c.net.started(id, n)
	}
}

func (c *cluster) node(id string) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[id]
	if n == nil {
		c.t.Fatalf("node %s does not run", id)
	}
	return n
}

// close stops nodes in order, or at once if ctx has ended.
func (c *cluster) close(ctx context.Context, ids ...string) {
	c.t.Helper()
	for _, id := range ids {
		c.mu.Lock()
		n := c.nodes[id]
		delete(c.nodes, id)
		c.mu.Unlock()
		if n == nil {
			continue
		}
		c.net.stopped(id)
		if err := n.Close(ctx); err != nil {
			c.t.Errorf("close %s: %v", id, err)
		}
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// elsewhere moves a node's files to where nothing holds a lock on them, which the
// end of its process would have given back.
func (c *cluster) elsewhere(id string) {
	c.t.Helper()
	dir := c.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(c.dirs[id])); err != nil {
		c.t.Fatal(err)
	}
	c.dirs[id] = dir
}

func (c *cluster) closeAll() { c.close(ended(), c.ids...) }

// until waits until cond holds.
func (c *cluster) until(what string, cond func() bool) {
	c.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-c.ctx.Done():
			c.t.Fatalf("not in time: %s%s", what, c.describe())
		case <-tick.C:
		}
	}
}

func (c *cluster) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var text strings.Builder
	for id, n := range c.nodes {
		s := n.Status()
		text.WriteString(fmt.Sprintf("\n%s: ready %v (%s) leader %q term %d envelopes %d size %d checkpoint %d gap %d..%d",
			id, s.Ready, s.Why, s.Leader, s.Term, s.Envelopes, s.Size, s.Checkpoint.Size, s.GapFrom, s.GapTo))
		if r := n.raft; r != nil {
			text.WriteString(fmt.Sprintf(" raft last %d commit %d applied %d recovering %+v",
				r.LastIndex(), r.CommitIndex(), r.AppliedIndex(), n.recovering.Load()))
		}
	}
	return text.String()
}

// leader waits for a leader among the running nodes that another follows.
func (c *cluster) leader() string {
	c.t.Helper()
	found := ""
	c.until("a leader", func() bool {
		for _, id := range c.ids { // an act may have made the mirror a voter
			c.mu.Lock()
			n := c.nodes[id]
			c.mu.Unlock()
			if n != nil && n.Leading() && n.Status().Ready {
				found = id
				return true
			}
		}
		return false
	})
	return found
}

func (c *cluster) follower() string {
	c.t.Helper()
	leader := c.leader()
	for _, id := range c.voters() {
		if id != leader {
			return id
		}
	}
	return ""
}

// chain is one hospital's chain of envelopes.
type chain struct {
	c        *cluster
	m        *foundingtest.Member
	sequence uint64
	previous envelope.ID
	sent     []sent
}

type sent struct {
	raw []byte
	out Outcome
}

func (c *cluster) chain(hospital int) *chain {
	m := c.founded.Hospitals[hospital]
	h := &chain{c: c, m: m}
	if m.Number == 1 { // sent the genesis
		h.sequence, h.previous = 1, c.founded.Genesis.ID()
	}
	return h
}

// next builds the hospital's next envelope and takes it for accepted.
func (h *chain) next(entries int) *envelope.Envelope {
	e := h.build(h.sequence+1, h.previous, entries)
	h.sequence, h.previous = h.sequence+1, e.ID()
	return e
}

func (h *chain) build(sequence uint64, previous envelope.ID, entries int) *envelope.Envelope {
	h.c.t.Helper()
	set, ok := h.c.genesis.ReadersFor(h.m.Number)
	if !ok {
		h.c.t.Fatal("no reader set")
	}
	var plain []envelope.Plain
	for i := range entries {
		plain = append(plain, envelope.Plain{Part: seal.Clinical, CBOR: fmt.Appendf(nil, "entry %d of %d", i, sequence)})
	}
	e, _, err := envelope.BuildEntries(envelope.Link{
		Network: h.c.founded.ID, Hospital: h.m.Number, Sequence: sequence, Attempt: 1, Previous: previous,
		SignedAt: uint64(h.c.now("").UnixMilli()),
	}, set, plain, h.m.Envelope, rand.Reader)
	if err != nil {
		h.c.t.Fatal(err)
	}
	return e
}

// send submits bytes to a node until the network answers.
func (c *cluster) send(id func() string, raw []byte) (Outcome, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		n := c.nodes[id()]
		c.mu.Unlock()
		err := errCut
		if n != nil {
			var out Outcome
			ctx, cancel := context.WithTimeout(c.ctx, 3*time.Second)
			out, err = n.Submit(ctx, raw)
			cancel()
			if err == nil {
				return out, nil
			}
		}
		select {
		case <-c.ctx.Done():
			return Outcome{}, err
		case <-tick.C:
		}
	}
}

// run submits envelopes one after the other, each to the next of the nodes.
func (h *chain) run(envelopes, entries int, ids ...string) error {
	for i := range envelopes {
		raw := h.next(entries).Marshal()
		turn := i
		out, err := h.c.send(func() string { turn++; return ids[turn%len(ids)] }, raw)
		if err != nil {
			return fmt.Errorf("hospital %d #%d: %w", h.m.Number, h.sequence, err)
		}
		if out.Refusal != nil || int(out.Count) != entries {
			return fmt.Errorf("hospital %d #%d: refusal %v, %d entries", h.m.Number, h.sequence, out.Refusal, out.Count)
		}
		h.sent = append(h.sent, sent{raw, out})
		if h.c.acked != nil {
			h.c.acked(h.sent[len(h.sent)-1])
		}
	}
	return nil
}

// load runs all hospitals' chains at once.
func (c *cluster) load(envelopes, entries int, ids ...string) []*chain {
	c.t.Helper()
	chains := make([]*chain, len(c.founded.Hospitals))
	for i := range chains {
		chains[i] = c.chain(i)
	}
	c.continueLoad(chains, envelopes, entries, ids...)
	return chains
}

func (c *cluster) continueLoad(chains []*chain, envelopes, entries int, ids ...string) {
	c.t.Helper()
	c.startLoad(chains, envelopes, entries, ids...)()
}

// startLoad returns a function that waits for the end of the load.
func (c *cluster) startLoad(chains []*chain, envelopes, entries int, ids ...string) (wait func()) {
	problems := make(chan error, len(chains))
	for i, h := range chains {
		turned := slices.Concat(ids[i%len(ids):], ids[:i%len(ids)])
		go func() { problems <- h.run(envelopes, entries, turned...) }()
	}
	return func() {
		c.t.Helper()
		for range chains {
			if err := <-problems; err != nil {
				c.t.Fatalf("%v%s", err, c.describe())
			}
		}
	}
}

// converged waits until all running nodes have the same tree, with a
// checkpoint over all of it, and returns its size.
func (c *cluster) converged(size uint64) tlog.Checkpoint {
	c.t.Helper()
	var at tlog.Checkpoint
	c.until(fmt.Sprintf("all nodes at size %d under one checkpoint", size), func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		at = tlog.Checkpoint{}
		for _, n := range c.nodes {
			s := n.Status()
			if s.Size < size || s.Checkpoint.Size != s.Size || s.Checkpoint.Root != s.Root || !s.Ready {
				return false
			}
			if at.Size == 0 {
				at = s.Checkpoint
			}
			if at != s.Checkpoint {
				return false
			}
		}
		return at.Size >= size
	})
	return at
}

// verify checks from outside that every accepted envelope has its place and a
// receipt at every running node.
func (c *cluster) verify(chains []*chain) {
	c.t.Helper()
	for _, n := range c.running() {
		policy, err := PolicyAt(n.View(), n.Checkpoint().Size)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, h := range chains {
			for _, s := range h.sent {
				c.verifyReceipt(n, policy, s)
			}
		}
	}
}

func (c *cluster) running() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*Node
	for _, id := range c.ids {
		if n := c.nodes[id]; n != nil {
			out = append(out, n)
		}
	}
	return out
}

func (c *cluster) verifyReceipt(n *Node, policy *tlog.Policy, s sent) {
	c.t.Helper()
	e, err := envelope.Decode(s.raw)
	if err != nil {
		c.t.Fatal(err)
	}
	for place := range s.out.Count {
		leaf, proof, err := n.Receipt(s.out.First + uint64(place))
		if err != nil {
			c.t.Fatalf("%s: %v", n.cfg.Self, err)
		}
		if want := e.Leaf(place, s.out.LogTime, e.Commitments()[place]).Append(nil); string(leaf) != string(want) {
			c.t.Fatalf("%s: leaf %d is not the submitted entry's", n.cfg.Self, s.out.First+uint64(place))
		}
		if place == 0 {
			_, _, err = tlog.VerifyReceipt(leaf, proof.Marshal(), policy)
		} else { // the same checkpoint: its signatures are slow to verify
			err = tlog.VerifyInclusion(tlog.LeafHash(leaf), proof.Index, proof.Checkpoint.Size, proof.Hashes, proof.Checkpoint.Root)
		}
		if err != nil {
			c.t.Fatalf("%s: receipt %d: %v", n.cfg.Self, s.out.First+uint64(place), err)
		}
	}
}

// others returns all nodes but one; without, all running voters but one.
func (c *cluster) others(id string) []string {
	return slices.DeleteFunc(slices.Clone(c.ids), func(other string) bool { return other == id })
}

func (c *cluster) without(id string) []string {
	return slices.DeleteFunc(slices.Clone(c.voters()), func(other string) bool { return other == id })
}

// mayFail lets nodes call Fatal from here on.
func (c *cluster) mayFail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strict = false
}

// swapHospitals swaps the first two neighbours that are of two hospitals, which
// each would be accepted at the other's place.
func swapHospitals(p []Pulled) []Pulled {
	out := slices.Clone(p)
	for i := 1; i < len(out); i++ {
		a, errA := envelope.Decode(out[i-1].Envelope)
		b, errB := envelope.Decode(out[i].Envelope)
		if errA == nil && errB == nil && a.Hospital != b.Hospital && a.Kind == b.Kind {
			out[i-1].Envelope, out[i].Envelope = out[i].Envelope, out[i-1].Envelope
			return out
		}
	}
	return out
}

// lastOf returns where a hospital's chain stands in the log.
func (c *cluster) lastOf(h *chain) (uint64, envelope.ID) {
	m, ok := c.running()[0].View().Member(h.m.Number)
	if !ok {
		c.t.Fatalf("hospital %d is not a member", h.m.Number)
	}
	return m.Chain.Sequence, m.Chain.ID
}
