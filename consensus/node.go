package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

// Node is one node of the network. It is safe for concurrent use.
type Node struct {
	cfg         Config
	log         *slog.Logger
	kind        act.NodeKind // as it was started; see runPart
	machine     *machine.Machine
	checkpoints *checkpoints
	lastHelper  atomic.Pointer[string] // peer that answered last
	saving      sync.Mutex             // one writer of the machine's saved state at a time
	fetchPace   pacer                  // of what is pulled from peers
	scrubPace   pacer                  // of what the scrub reads

	// Voters only.
	signer     *signer
	raft       *raft.Raft
	transport  *transport
	streams    *streamLayer
	logs       *logstore.Store
	stable     *logstore.Stable
	snapshots  *logstore.Snapshots
	gap        gap
	recovering atomic.Pointer[recovery] // nil: nothing was forgotten
	rewind     atomic.Bool              // the first command is the log's first: Raft's goroutine that applies clears it
	inFlight   atomic.Int64             // submissions between Raft and their commit
	idle       chan struct{}            // takes a value when inFlight comes to zero
	marking    chan time.Duration       // then takes how long the last commit took

	// Mirrors only: the copy up to the last checkpoint. What lies beyond came
	// from one peer and is not confirmed.
	confirmed atomic.Pointer[machine.Snapshot]
	saltless  saltless // what a backup left out
	mirror    mirroring
	copies    staticCopies
	goal      atomic.Uint64 // entries under the newest checkpoint that a peer showed

	part    part
	passed  atomic.Bool // see Passed
	erased  watermark
	current current
	mending sync.Mutex // held by a repair and by what erases

	ctx     context.Context // ends when the node closes or fails
	cancel  context.CancelFunc
	workers sync.WaitGroup
	opened  atomic.Bool
	failed  atomic.Pointer[error]
	held    held // a goroutine of Raft's is, for good: see holdRaft
	room    room
	twins   twins
	closing sync.Once
	closed  error
}

// Open starts the node on its data directory. It serves what it has verified
// at once; a voter takes part once [Status].Ready says so.
func Open(cfg Config) (*Node, error) {
	if cfg.Timing == (Timing{}) {
		cfg.Timing = DefaultTiming
	}
	cfg.limits = cfg.limits.withDefaults()
	if cfg.Meter == nil {
		cfg.Meter = unmetered{}
	}
	if reason, is := Quarantined(cfg.Dir); is {
		return nil, fmt.Errorf("open node: %w: %s", ErrQuarantined, reason)
	}
	if half, err := halfBegun(cfg.Dir); half != nil || err != nil {
		return nil, errors.Join(fmt.Errorf("open node: %w", ErrHalfBegun), err)
	}
	n := &Node{
		cfg: cfg, log: cfg.Logger, idle: make(chan struct{}, 1), marking: make(chan time.Duration, 1), held: held{done: make(chan struct{})},
		fetchPace: pacer{perSecond: cfg.Rates.FetchBytes, ahead: fetchAhead}, scrubPace: pacer{perSecond: cfg.Rates.ScrubBytes},
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.copies.open(cfg.Copies)
	n.part.kept, n.part.end = context.WithCancel(n.ctx)
	err := n.start()
	n.opened.Store(true)
	if err == nil {
		err = n.failure() // Raft runs already
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open node: %w", err), n.Close(n.ctx))
	}
	return n, nil
}

func (n *Node) start() error {
	if n.cfg.Space != nil {
		if err := os.MkdirAll(n.cfg.Dir, 0o700); err != nil {
			return err
		}
		n.told(n.cfg.Space.Tend()) // what starts on a full disk writes into the reserve
	}
	if err := n.openMachine(); err != nil {
		return err
	}
	if err := n.saltless.load(n.cfg.Dir); err != nil {
		return err
	}
	if err := errors.Join(n.erased.load(n.cfg.Dir), n.current.load(n.cfg.Dir)); err != nil {
		return err
	}
	n.machine.OnWithdrawal(n.erased.withdrawn)
	view := n.machine.View()
	if err := n.choosePart(view); err != nil {
		return err
	}
	n.checkpoints = openCheckpoints(n.cfg.Dir, n.machine.View)
	if err := n.startPart(view); err != nil {
		return err
	}
	n.worker(n.runPart)
	if err := n.loadCheckpoint(); err != nil {
		return err
	}
	if n.Replicates() {
		n.worker(n.runAsker)
	}
	if n.cfg.Space != nil {
		n.worker(n.runSpace)
	}
	n.worker(n.runComparer)
	n.worker(n.runKeeper)
	n.worker(n.runRepair)
	n.worker(n.runEraser)
	n.worker(func(ctx context.Context) {
		n.runRefiller(ctx) // what lacks its salts is not damaged
		n.runScrub(ctx)
	})
	return nil
}

// openMachine quarantines a copy that contradicts itself, but not one that was
// only given the genesis of another network.
func (n *Node) openMachine() (err error) {
	founded, _, err := state.Found(n.cfg.Genesis)
	if err != nil {
		return err
	}
	n.machine, err = machine.Open(n.cfg.Dir, n.cfg.Genesis)
	if !errors.Is(err, machine.ErrDiverged) {
		return err
	}
	raw, readErr := ledger.ReadTwice(filepath.Join(n.cfg.Dir, "state"), true)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	if s, decodeErr := machine.DecodeSnapshot(raw); decodeErr != nil || s.State.Network != founded.Network {
		return errors.Join(err, decodeErr)
	}
	return n.quarantine(err)
}

func (n *Node) startMirror() error {
	if err := n.forgetRaft(); err != nil {
		return err
	}
	if err := n.eraseBeforeStart(); err != nil {
		return err
	}
	s := n.machine.TakeUp()
	n.vouched(s)
	n.worker(n.runMirror)
	return nil
}

func (n *Node) startVoter(view *state.State) error {
	if err := n.startRaft(view); err != nil {
		return err
	}
	n.worker(n.runTimeouts)
	n.worker(n.runRecovery)
	n.worker(n.runRounds)
	n.worker(n.runMarker)
	n.worker(n.runFiller)
	n.worker(n.runSnapshots)
	if !n.cfg.limits.unwatched {
		n.worker(n.runWatchdog)
	}
	n.worker(n.runAnnouncers)
	n.worker(n.runReconcile)
	n.worker(n.runWayBack)
	return nil
}

// worker runs f until the node closes or fails; f returns when its context
// ends.
func (n *Node) worker(f func(context.Context)) {
	n.workers.Go(func() {
		f(n.ctx)
	})
}

// until returns a context that ends with the given one or with the node.
func (n *Node) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(n.ctx, cancel)
	return ctx, func() { release(); cancel() }
}

// Close hands over leadership if this node leads, stops, and closes the files
// and Raft's streams. It waits for the transfer no longer than the context
// allows. Later calls return what the first did.
func (n *Node) Close(ctx context.Context) error {
	n.closing.Do(func() { n.closed = n.close(ctx) })
	return n.closed
}

func (n *Node) close(ctx context.Context) error {
	n.cancel()
	problems := n.closeRaft(ctx)
	n.workers.Wait()
	if n.checkpoints != nil && n.failure() == nil {
		problems = append(problems, n.checkpoints.save())
	}
	if s := n.confirmed.Load(); s != nil && n.failure() == nil {
		problems = append(problems, n.save(*s))
	}
	if n.machine != nil && n.failure() == nil {
		problems = append(problems, n.saveUnconfirmed())
	}
	if n.part.changed.Load() && n.failure() == nil {
		problems = append(problems, n.saveForPart())
	}
	if n.logs != nil && !n.held.is() {
		problems = append(problems, n.logs.Close())
	}
	if n.stable != nil && !n.held.is() {
		problems = append(problems, n.stable.Close())
	}
	if n.signer != nil {
		problems = append(problems, n.signer.close())
	}
	if n.machine != nil {
		problems = append(problems, n.machine.Close())
	}
	return errors.Join(problems...)
}

// View returns the state as this node has applied it, on a mirror up to the
// last checkpoint. It never changes.
func (n *Node) View() *state.State {
	if s := n.confirmed.Load(); s != nil {
		return s.State
	}
	return n.machine.View()
}

// Machine returns the node's copy for reading. A mirror's may be ahead of
// [Node.View] for a while, by what no checkpoint has confirmed.
func (n *Node) Machine() *machine.Machine { return n.machine }

// Wait returns once cond holds of [Node.View], never with a gap or damage
// in the copy, or when the context ends or the node closes.
func (n *Node) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	ctx, cancel := n.until(ctx)
	defer cancel()
	for n.Replicates() {
		view, err := n.machine.Wait(ctx, cond)
		if err != nil || n.isWhole() {
			return view, err
		}
	}
	for {
		_, changed := n.checkpoints.current()
		repaired := n.machine.Changed()
		if view := n.View(); n.Whole() == nil && cond(view) {
			return view, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-repaired:
		}
	}
}
