package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/state"
)

const (
	maxPool   = 3   // idle streams kept to one node
	maxAppend = 16  // records in one AppendEntries: 4 MiB at the largest
	never     = 1e9 // Raft's own snapshot trigger counts records; ours counts bytes
)

// ErrRestart says that the node must be started again: its memory of its own
// log is out of date and only a start sets it right. Nothing is lost.
var ErrRestart = errors.New("restart needed")

// startRaft opens the stores, checks that the log continues the newest
// snapshot, and starts Raft.
func (n *Node) startRaft() error {
	dir := filepath.Join(n.cfg.Dir, "raft")
	if err := n.openStores(dir); err != nil {
		return err
	}
	if err := n.checkStores(); err != nil {
		return err
	}
	if err := n.checkRollback(); err != nil {
		return err
	}
	n.gap.wake = make(chan struct{}, 1)
	layer := newStreamLayer(n)
	n.streams = layer
	n.transport = newTransport(raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: layer, MaxPool: maxPool, MaxRPCsInFlight: 1, // hashicorp/raft#612: pipelining stalls a follower for ever
		Timeout: n.cfg.Timing.RPC, Logger: raftLogger(n.log),
	}), n.cfg.Now)
	config := n.raftConfig()
	if err := n.bootstrap(config); err != nil {
		return err
	}
	r, err := raft.NewRaft(config, &fsm{n: n}, n.logs, n.stable, n.snapshots, n.transport)
	if err != nil {
		return fmt.Errorf("start raft: %w", err)
	}
	n.raft = r
	close(layer.open)
	return nil
}

// closeRaft hands over leadership, cuts the streams, so that no call on them
// is waited for, and waits for Raft to end.
func (n *Node) closeRaft(ctx context.Context) []error {
	var problems []error
	if n.raft != nil {
		n.handOver(ctx)
		ended := n.raft.Shutdown()
		if !n.raftHeld.Load() {
			defer ended.Error() // always nil; waits
		}
	}
	if n.transport != nil {
		problems = append(problems, n.transport.Close())
	}
	return problems
}

func (n *Node) openStores(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if n.logs, err = logstore.Open(filepath.Join(dir, "log.db"), logstore.Options{Fatal: n.holdRaft, Guard: n.guard}); err != nil {
		return err
	}
	if n.stable, err = logstore.OpenStable(filepath.Join(dir, "stable.db"), logstore.StableOptions{Fatal: n.holdRaft}); err != nil {
		return err
	}
	n.snapshots, err = logstore.OpenSnapshots(dir, logstore.SnapshotOptions{
		Written: func(m raft.SnapshotMeta) { n.logs.SetSnapshot(m.Index) }, Fatal: n.holdRaft,
	})
	return err
}

// checkStores checks the newest snapshot and that the log continues it. Without
// a snapshot Raft replays its log from the first record, so the machine goes
// back to the genesis.
func (n *Node) checkStores() error {
	if err := n.snapshots.Check(); err != nil {
		return err
	}
	newest, found := n.snapshots.Newest()
	if !found {
		if err := n.machine.Rewind(n.cfg.Genesis); err != nil {
			return err
		}
		return n.logs.Check(1)
	}
	if _, err := n.logs.Anchor(newest.Index, newest.Term); err != nil {
		return err
	}
	return n.logs.Check(newest.Index + 1)
}

// checkRollback compares the log with the last cosignature. A voter has in its
// log all that it cosigned, unless its disk went back in time: then it might
// sign another history.
func (n *Node) checkRollback() error {
	last, err := n.logs.LastIndex()
	if err != nil {
		return err
	}
	if newest, found := n.snapshots.Newest(); found {
		last = max(last, newest.Index)
	}
	if cosigned := n.signer.last.RaftIndex; cosigned > last && !fault.Planted(fault.IgnoreRollback) {
		return n.quarantine(fmt.Errorf("cosigned at raft index %d, but the log ends at %d: the disk was set back", cosigned, last))
	}
	return nil
}

// dropStaleLog keeps Raft from ever applying what was not committed: if the
// log does not hold the snapshot's record, an ex-leader's uncommitted tail may
// lie in it, and the whole log goes.
func (n *Node) dropStaleLog() error {
	newest, found := n.snapshots.Newest()
	if !found || fault.Planted(fault.KeepStaleLog) {
		return nil
	}
	last, err := n.logs.Anchor(newest.Index, newest.Term)
	if err != nil {
		return err
	}
	if last > newest.Index {
		return fmt.Errorf("log went on to %d beyond a snapshot at %d that it does not hold: %w", last, newest.Index, ErrRestart)
	}
	return nil
}

func (n *Node) raftConfig() *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.cfg.Self)
	c.HeartbeatTimeout = n.cfg.Timing.Lease // until a leader is heard: see runTimeouts
	c.ElectionTimeout = n.cfg.Timing.Lease
	c.LeaderLeaseTimeout = n.cfg.Timing.Lease
	c.MaxAppendEntries = maxAppend
	c.BatchApplyCh = true
	c.ShutdownOnRemove = false
	c.TrailingLogs = n.cfg.limits.trailing
	c.SnapshotThreshold = never
	c.SnapshotInterval = time.Hour
	c.NoLegacyTelemetry = true
	c.Logger = raftLogger(n.log)
	return c
}

// bootstrap writes the genesis' voters as the first configuration. Every voter
// writes the same, so it does not matter who starts first.
func (n *Node) bootstrap(config *raft.Config) error {
	has, err := raft.HasExistingState(n.logs, n.stable, n.snapshots)
	if err != nil {
		return fmt.Errorf("read raft state: %w", err)
	}
	if has {
		return nil
	}
	founded, _, err := state.Found(n.cfg.Genesis)
	if err != nil {
		return err
	}
	var servers []raft.Server
	for _, v := range founded.Voters() {
		servers = append(servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(v.ID), Address: raft.ServerAddress(v.ID)})
	}
	if err := raft.BootstrapCluster(config, n.logs, n.stable, n.snapshots, n.transport, raft.Configuration{Servers: servers}); err != nil {
		return fmt.Errorf("bootstrap raft: %w", err)
	}
	return nil
}

// inConfiguration reports whether a node is in the current Raft configuration.
func (n *Node) inConfiguration(node string) bool {
	f := n.raft.GetConfiguration()
	if f.Error() != nil {
		return false
	}
	for _, s := range f.Configuration().Servers {
		if string(s.ID) == node {
			return true
		}
	}
	return false
}

// runSnapshots takes a snapshot each time enough bytes were applied: by bytes,
// because envelopes differ in size by a factor of twenty.
func (n *Node) runSnapshots(ctx context.Context) {
	for {
		changed := n.machine.Changed()
		if n.machine.Applied() >= n.cfg.limits.snapshotBytes && n.isWhole() {
			if err := n.raft.Snapshot().Error(); err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
				n.log.Warn("no snapshot", "reason", err.Error())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}
