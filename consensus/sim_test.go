package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// The simulator runs a whole network in one process under false time: five
// voters and three mirrors with their real files, hospitals that submit, and a
// list of faults drawn from a seed. Each scenario ends healed and converged,
// and is then judged from the files and from what the hospitals were told. The
// seed gives the same faults at the same times, not the same schedule: Raft
// draws its timeouts elsewhere and goroutines run as they like.

const (
	simVoters  = 5
	simMirrors = 3
	simPoll    = 500 * time.Millisecond
	// simSettle is how long a healed network may take to converge. Clocks that
	// were wrong take most of it: nobody cosigns a log time far ahead.
	simSettle = 40 * time.Minute
)

// scenario is what one run of the simulator does.
type scenario struct {
	seed        uint64
	steps       int
	kinds       []string      // of faults; nil: all
	between     time.Duration // steps are this far apart, in the middle
	think       time.Duration // a hospital waits this long between envelopes, in the middle
	withdrawals int           // one in so many envelopes withdraws entries; 0: none
	parts       bool          // acts change who votes
	settle      time.Duration // the network may take to converge in the end; 0: simSettle
}

func (s scenario) String() string { return fmt.Sprintf("seed %d", s.seed) }

// sim is one scenario under way. Its goroutine injects the faults; hospitals
// have a goroutine each.
type sim struct {
	scenario
	t        testing.TB
	root     string // of the data directories
	net      *memnet
	founded  *foundingtest.Network
	genesis  *state.State
	rng      *mathrand.Rand
	began    time.Time
	limits   logLimits
	patience time.Duration
	voters   []string // of the founding
	ids      []string // voters, then mirrors
	ctx      context.Context

	mu         sync.Mutex
	nodes      map[string]*simNode
	ahead      map[string]time.Duration // how far a node's clock is ahead
	refusing   map[string]int           // its log refuses to store while above zero
	slow       map[string]time.Duration // whatever it says to voters is so late
	liar       string                   // the voter whose answers are bent
	paused     map[string]bool
	changed    chan struct{}  // closed and replaced when paused changes
	stopping   bool           // hospitals finish what they have sent
	acts       map[string]int // that changed who votes, by type
	violations []string

	active   []simFault
	cuts     map[link]int      // how many faults have cut it
	dirs     map[string]string // where each node's data is
	copies   int               // of directories, so far
	counts   map[string]int    // faults by kind
	restarts int               // asked for by nodes themselves
	seen     witness
}

// simNode is one run of a node; a restart makes another.
type simNode struct {
	*Node
	dir   string
	fatal chan error
	part  chan struct{} // takes a value when it is to be opened again for another part
	dead  bool          // guarded by sim.mu: what it answers from here on was never heard
}

var simFounding struct {
	sync.Once
	network *foundingtest.Network
}

// simulate runs a scenario in a bubble of false time and returns it, judged.
func simulate(t *testing.T, sc scenario) *sim {
	simFounding.Do(func() { simFounding.network = foundingtest.NewWithMirrors(t, simVoters, simMirrors) })
	var s *sim
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s = newSim(t, root, sc)
		s.run()
	})
	return s
}

func newSim(t *testing.T, root string, sc scenario) *sim {
	s := &sim{
		scenario: sc, t: t, root: root, net: newMemnet(), founded: simFounding.network, began: time.Now(),
		rng:   mathrand.New(mathrand.NewPCG(sc.seed, 0)),
		nodes: map[string]*simNode{}, ahead: map[string]time.Duration{}, refusing: map[string]int{},
		slow:   map[string]time.Duration{},
		paused: map[string]bool{}, changed: make(chan struct{}), counts: map[string]int{},
		cuts: map[link]int{}, dirs: map[string]string{}, acts: map[string]int{},
	}
	if s.patience = sc.settle; s.patience == 0 {
		s.patience = simSettle
	}
	s.limits = logLimits{snapshotBytes: 20_000 << s.rng.IntN(4), trailing: 6 << s.rng.IntN(3)}
	for i := range simVoters {
		s.voters = append(s.voters, fmt.Sprintf("h%d", i+1))
	}
	s.ids = append(slices.Clone(s.voters), "reader", "reader2", "reader3")
	for _, id := range s.ids {
		s.ahead[id] = s.upTo(4*time.Minute) - 2*time.Minute
	}
	s.seen.built = map[envelope.ID]bool{}
	s.seen.pulled = map[pulledEnvelope]bool{}
	s.seen.cosigned = map[string]map[uint64]tlog.Hash{}
	var err error
	if s.genesis, _, err = state.Found(s.founded.Genesis); err != nil {
		t.Fatal(err)
	}
	return s
}

// run plays the scenario to its end. Whatever it finds, it ends in order: a
// bubble waits for all of its goroutines.
func (s *sim) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.ctx = ctx
	for _, id := range s.ids {
		s.open(id, filepath.Join(s.root, id))
	}
	var hospitals sync.WaitGroup
	for i := range s.founded.Hospitals {
		h := s.hospital(i)
		hospitals.Go(h.run)
	}
	if s.parts {
		hospitals.Go(s.council().run)
	}
	for range s.steps {
		passTime(s.around(s.between))
		s.revive()
		if len(s.violated()) > 0 {
			break
		}
		s.step()
	}
	s.heal()
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	finished := make(chan struct{})
	go func() { hospitals.Wait(); close(finished) }()
	s.waitFor("every hospital has its answer", func() bool {
		select {
		case <-finished:
			return true
		default:
			return false
		}
	})
	s.waitFor("every voter votes", s.allVote)
	s.waitFor("one tree under one checkpoint", s.converged)
	s.waitFor("every node has erased what was withdrawn", s.allErased)
	cancel()
	<-finished
	s.seen.elapsed = time.Since(s.began)
	for _, id := range s.ids {
		s.audit(id)
	}
	for _, id := range s.ids {
		s.stop(id, context.Background())
	}
	if len(s.violated()) == 0 {
		s.verify()
	}
}

func (s *sim) violate(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

func (s *sim) violated() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// upTo returns a duration below d; around one that is mostly below d, and
// seldom much above.
func (s *sim) upTo(d time.Duration) time.Duration { return time.Duration(s.rng.Int64N(int64(d))) }

func (s *sim) around(d time.Duration) time.Duration {
	return time.Duration(s.rng.ExpFloat64() * float64(d))
}

func (s *sim) now(id string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.UnixMilli(foundingtest.SignedAt).Add(time.Since(s.began) + s.ahead[id])
}

func (s *sim) config(id, dir string, fatal chan error, part chan struct{}) Config {
	cfg := Config{
		Self: id, Dir: dir, Genesis: s.founded.Genesis,
		Peers:   &simPeers{&memPeers{s.net, id}, s, id},
		Streams: &simStreams{&memStreams{s.net, id, s.net.listen(id)}, s, id},
		Logger:  slog.New(slog.NewTextHandler(&testLog{t: s.t, id: id}, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Now:     func() time.Time { return s.now(id) },
		Fatal:   func(err error) { fatal <- err },
		Part:    func() { part <- struct{}{} },
		limits:  s.limits,
		guard: func(int) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.refusing[id] > 0 {
				return errors.New("disk is full")
			}
			return nil
		},
	}
	if os.Getenv("SIM_VERBOSE") == "" {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	for _, m := range append(slices.Clone(s.founded.Hospitals), s.founded.Reader) {
		if m.Node == id {
			cfg.Log, cfg.Cosign = m.Log, m.Cosign
		}
	}
	return cfg
}

func (s *sim) open(id, dir string) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.dirs[id] = dir
	fatal, part := make(chan error, 1), make(chan struct{}, 1)
	n, err := Open(s.config(id, dir, fatal, part))
	if err != nil {
		s.violate("%s does not open: %v", id, err)
		return
	}
	s.mu.Lock()
	s.nodes[id] = &simNode{Node: n, dir: dir, fatal: fatal, part: part}
	s.mu.Unlock()
	s.net.started(id, n)
}

func (s *sim) node(id string) *simNode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[id]
}

// stop closes a node in order, or at once if ctx has ended, and returns its
// directory. Before, nothing reaches it for a moment: what is queued in Raft at
// its shutdown is never answered, and would outlive the bubble.
func (s *sim) stop(id string, ctx context.Context) (dir string) {
	n := s.node(id)
	if n == nil {
		return ""
	}
	s.mu.Lock()
	n.dead = true
	delete(s.nodes, id)
	s.mu.Unlock()
	s.net.stopped(id)
	passTime(50 * time.Millisecond)
	if err := n.Close(ctx); err != nil {
		s.violate("%s does not close: %v", id, err)
	}
	return n.dir
}

// revive starts nodes again that asked for it, or are given another part. Any other failure is one of the
// node's own making: the simulator damages no files.
func (s *sim) revive() {
	for _, id := range s.ids {
		n := s.node(id)
		if n == nil {
			continue
		}
		select {
		case err := <-n.fatal:
			dir := s.stop(id, ended())
			if !errors.Is(err, ErrRestart) {
				s.violate("%s failed: %v", id, err)
				continue
			}
			s.restarts++
			s.open(id, dir)
		case <-n.part:
			ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
			dir := s.stop(id, ctx)
			cancel()
			s.open(id, dir)
		default:
		}
	}
}

// waitFor waits until cond holds. In a healed network it must.
func (s *sim) waitFor(what string, cond func() bool) {
	for limit := time.Now().Add(s.patience); len(s.violated()) == 0; passTime(simPoll) {
		s.revive()
		if cond() {
			return
		}
		if time.Now().After(limit) {
			s.violate("not within %s after all faults were healed: %s%s", s.patience, what, s.describe())
		}
	}
}

// converged reports whether all nodes run and hold the same tree, with all of
// it under a checkpoint.
func (s *sim) converged() bool {
	var at tlog.Checkpoint
	for _, id := range s.ids {
		n := s.node(id)
		if n == nil {
			return false
		}
		st := n.Status()
		if at.Size == 0 {
			at = st.Checkpoint
		}
		if !st.Ready || st.Size == 0 || st.Checkpoint != at || st.Size != at.Size || st.Root != at.Root {
			return false
		}
	}
	return true
}

func (s *sim) describe() (text string) {
	for _, id := range s.ids {
		n := s.node(id)
		if n == nil {
			text += "\n" + id + ": does not run"
			continue
		}
		st := n.Status()
		text += fmt.Sprintf("\n%s: ready %v (%s) leader %q term %d envelopes %d size %d checkpoint %d gap %d..%d",
			id, st.Ready, st.Why, st.Leader, st.Term, st.Envelopes, st.Size, st.Checkpoint.Size, st.GapFrom, st.GapTo)
		if n.raft == nil {
			continue
		}
		last, err := n.logs.LastIndex()
		s.mu.Lock()
		refusing := s.refusing[id]
		s.mu.Unlock()
		text += fmt.Sprintf(" refusing %d log %d %v commit %d applied %d", refusing, last, err, n.raft.CommitIndex(), n.raft.AppliedIndex())
		followers, _ := n.Followers()
		for _, f := range followers {
			text += fmt.Sprintf(" %s:%d refused %v stalled %v installing %v", f.Node, f.Stored, f.Refused, f.Stalled, f.installing)
		}
	}
	return text
}

// passTime lets the bubble's false time pass; in real time it takes none.
func passTime(d time.Duration) { <-time.After(d) }
