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

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

// quarantineFile marks a data directory whose copy contradicted the network's.
// It holds the reason, for people.
const quarantineFile = "QUARANTINE"

// Node is one node of the network. It is safe for concurrent use.
type Node struct {
	cfg         Config
	log         *slog.Logger
	kind        act.NodeKind
	machine     *machine.Machine
	checkpoints *checkpoints
	signer      *signer // nil on a mirror

	// Voters only.
	raft         *raft.Raft
	transport    *raft.NetworkTransport
	logs         *logstore.Store
	stable       *logstore.Stable
	snapshots    *logstore.Snapshots
	appliedIndex atomic.Uint64          // Raft index of the last applied envelope
	lastHelper   atomic.Pointer[string] // peer that answered last
	inFlight     atomic.Int64           // submissions between Raft and their commit

	fill    chan struct{} // wakes the filler of a gap
	failed  atomic.Pointer[error]
	done    chan struct{}
	closing sync.Once
	workers sync.WaitGroup
}

// Open starts the node on its data directory. A voter is ready once
// [Node.Ready] says so; a mirror serves what it has verified.
func Open(cfg Config) (*Node, error) {
	if cfg.Timing == (Timing{}) {
		cfg.Timing = DefaultTiming
	}
	if reason, err := os.ReadFile(filepath.Join(cfg.Dir, quarantineFile)); err == nil {
		return nil, fmt.Errorf("open node: %w: %s", ErrQuarantined, reason)
	}
	m, err := machine.Open(cfg.Dir, cfg.Genesis)
	if err != nil {
		return nil, fmt.Errorf("open node: %w", err)
	}
	n := &Node{
		cfg: cfg, log: cfg.Logger, machine: m,
		fill: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := n.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open node: %w", err), n.Close(context.Background()))
	}
	return n, nil
}

func (n *Node) start() error {
	view := n.machine.View()
	self, ok := view.Node(n.cfg.Self)
	if !ok {
		return fmt.Errorf("node %q is not in the roster of network %s", n.cfg.Self, view.Name)
	}
	n.kind = self.Kind
	var err error
	if n.checkpoints, err = openCheckpoints(n.cfg.Dir, n.machine); err != nil {
		return err
	}
	if n.kind == act.Mirror {
		n.worker(n.runMirror)
		return nil
	}
	if n.signer, err = newSigner(n.cfg, view); err != nil {
		return err
	}
	if err := n.startRaft(); err != nil {
		return err
	}
	n.worker(n.runRounds)
	n.worker(n.runFiller)
	n.worker(n.runSnapshots)
	return nil
}

// worker runs f until the node closes; f returns when its context ends.
func (n *Node) worker(f func(context.Context)) {
	n.workers.Add(1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer n.workers.Done()
		defer cancel()
		f(ctx)
	}()
	go func() {
		select {
		case <-n.done:
			cancel()
		case <-ctx.Done():
		}
	}()
}

// Close hands over leadership if this node leads, stops, and closes the files.
// It waits for the transfer no longer than the context allows.
func (n *Node) Close(ctx context.Context) error {
	n.closing.Do(func() { close(n.done) })
	var problems []error
	if n.raft != nil {
		n.handOver(ctx)
		problems = append(problems, n.raft.Shutdown().Error())
	}
	if n.transport != nil {
		problems = append(problems, n.transport.Close())
	}
	n.workers.Wait()
	if n.checkpoints != nil {
		problems = append(problems, n.checkpoints.save())
	}
	if n.logs != nil {
		problems = append(problems, n.logs.Close())
	}
	if n.stable != nil {
		problems = append(problems, n.stable.Close())
	}
	return errors.Join(append(problems, n.machine.Close())...)
}

// handOver gives leadership away, so that the others need not wait for an
// election timeout.
func (n *Node) handOver(ctx context.Context) {
	if n.raft.State() != raft.Leader {
		return
	}
	f := n.raft.LeadershipTransfer()
	transferred := make(chan error, 1)
	go func() { transferred <- f.Error() }()
	select {
	case err := <-transferred:
		if err != nil {
			n.log.Info("leadership not handed over", "reason", err.Error())
		}
	case <-ctx.Done():
	}
}

// stop reports a failure after which the node must not go on, and holds its
// caller until the process ends. It returns the error only when the node is
// closing.
func (n *Node) stop(err error) error {
	if n.failed.CompareAndSwap(nil, &err) {
		n.cfg.Fatal(err)
	}
	<-n.done
	return err
}

// quarantine marks the data directory and stops: this node's copy is not the
// network's.
func (n *Node) quarantine(reason error) error {
	n.log.Error("this node's copy differs from the network's: quarantined", "reason", reason.Error())
	text := reason.Error() + "\n"
	if err := os.WriteFile(filepath.Join(n.cfg.Dir, quarantineFile), []byte(text), 0o600); err != nil {
		reason = errors.Join(reason, err)
	}
	return n.stop(fmt.Errorf("%w: %w", ErrQuarantined, reason))
}

// View returns the state as this node has applied it. It never changes.
func (n *Node) View() *state.State { return n.machine.View() }

// Machine returns the node's copy for reading.
func (n *Node) Machine() *machine.Machine { return n.machine }

// Wait returns once cond holds of the applied state, or the context ends.
func (n *Node) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	return n.machine.Wait(ctx, cond)
}
