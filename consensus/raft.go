package consensus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

const (
	maxPool   = 3   // idle streams kept to one node
	maxAppend = 16  // records in one AppendEntries: 4 MiB at the largest
	never     = 1e9 // Raft's own snapshot trigger counts records; ours counts bytes
)

// ErrRestart says that the node must be started again: its memory of its own
// log is out of date and only a start sets it right. Nothing is lost.
var ErrRestart = errors.New("restart needed")

const (
	logFile    = "log.db"
	stableFile = "stable.db"
)

// startRaft opens the stores, mends what it can, checks that the log continues
// the newest snapshot, and starts Raft.
func (n *Node) startRaft(view *state.State) error {
	dir := filepath.Join(n.cfg.Dir, "raft")
	if err := n.openVotes(dir, view); err != nil {
		return err
	}
	if err := n.openSigner(view); err != nil {
		return err
	}
	if err := n.openLog(dir); err != nil {
		return err
	}
	if err := n.checkRollback(); err != nil {
		return err
	}
	if err := n.eraseBeforeStart(); err != nil {
		return err
	}
	n.gap.wake = make(chan struct{}, 1)
	layer := newStreamLayer(n)
	n.streams = layer
	n.transport = newTransport(raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: layer, MaxPool: maxPool, MaxRPCsInFlight: 1, // hashicorp/raft#612: pipelining stalls a follower for ever
		Timeout: n.cfg.Timing.RPC, Logger: raftLogger(n.log),
	}), n.cfg.Now)
	n.transport.full = n.full
	if n.mayNotVote() && !fault.Planted(fault.VoteWithoutLog) {
		n.transport.withholdVotes(n.mayNotVote)
		n.worker(n.transport.passOn)
	}
	config := n.raftConfig()
	if err := n.bootstrap(); err != nil {
		return err
	}
	r, err := raft.NewRaft(config, &fsm{n: n}, n.logs, n.stable, n.snapshots, n.transport)
	if err != nil {
		return fmt.Errorf("start raft: %w", err)
	}
	n.raft = r
	n.meterLeader()
	close(layer.open)
	return nil
}

// closeRaft hands over leadership, cuts the streams, so that no call on them
// is waited for, and waits for Raft to end, unless it is held or comes to be.
func (n *Node) closeRaft(ctx context.Context) []error {
	var problems []error
	if n.raft != nil {
		n.handOver(ctx)
		ended := make(chan struct{})
		go func(f raft.Future) { _ = f.Error(); close(ended) }(n.raft.Shutdown()) // always nil; waits
		defer func() {
			select {
			case <-ended:
			case <-n.held.done:
			}
		}()
	}
	if n.transport != nil {
		problems = append(problems, n.transport.Close())
	}
	return problems
}

// openVotes opens what nothing can replace, Raft's term and vote, and reads
// whether this voter has forgotten anything else. They are made once, before
// anything else of a voter is.
func (n *Node) openVotes(dir string, view *state.State) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, stableFile)
	ran := anyOf(filepath.Join(dir, logFile), cosignedPath(n.cfg.Dir), recoveryPath(n.cfg.Dir))
	if n.kind == act.Voter { // one that is no voter yet was a mirror before, with a copy and no vote
		ran = ran || view.Envelopes > 1 || anyOf(n.checkpoints.path)
	}
	if ran && !anyOf(path, logstore.TwinPath(path)) {
		return fmt.Errorf("%w: this voter's term and vote are gone", logstore.ErrDamaged)
	}
	if n.stable, err = logstore.OpenStable(path, logstore.StableOptions{Fatal: n.holdRaft}); err != nil {
		return err
	}
	r, err := loadRecovery(n.cfg.Dir, n.stable.Term())
	n.recovering.Store(r)
	return err
}

// anyOf reports whether one of the files is there.
func anyOf(paths ...string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		_, err := os.Lstat(path)
		return err == nil
	})
}

// openSigner opens the record of the last cosignature. A voter that has seen an
// election has one.
func (n *Node) openSigner(view *state.State) (err error) {
	if n.stable.Term() > 1 && !anyOf(cosignedPath(n.cfg.Dir)) {
		return n.forgetCosigned(view, fmt.Errorf("%w: cosigned is missing", ledger.ErrDamaged))
	}
	if n.signer, err = newSigner(n.cfg, view); errors.Is(err, ledger.ErrDamaged) {
		return n.forgetCosigned(view, err)
	}
	return err
}

// openLog opens the log and the snapshots. If what is left of them does not
// hold together, the log begins anew and the other voters have the rest.
func (n *Node) openLog(dir string) error {
	err := n.openSnapshots(dir)
	if err == nil {
		err = n.openStore(dir)
	}
	if !errors.Is(err, logstore.ErrDamaged) {
		return err
	}
	if err := n.forgetLog(dir, err); err != nil {
		return err
	}
	return n.openStore(dir)
}

// openSnapshots drops snapshots that are damaged.
func (n *Node) openSnapshots(dir string) (err error) {
	n.snapshots, err = logstore.OpenSnapshots(dir, logstore.SnapshotOptions{
		Written: func(m raft.SnapshotMeta) { n.logs.SetSnapshot(m.Index) }, Fatal: n.holdRaft,
	})
	if err != nil {
		return err
	}
	dropped, err := n.snapshots.DropDamaged()
	if len(dropped) > 0 {
		n.log.Warn("dropped damaged snapshots", "names", dropped)
	}
	return err
}

// openStore opens the log and checks that it continues the newest snapshot.
// Without one Raft replays its log from the first record, so the machine goes
// back to the genesis; if the log is to come from the others, a snapshot may
// come first, and the machine waits for the first command.
func (n *Node) openStore(dir string) (err error) {
	if n.logs, err = logstore.Open(filepath.Join(dir, logFile), logstore.Options{Fatal: n.holdRaft, Guard: n.guard, Synced: n.cfg.Meter.Synced}); err != nil {
		return err
	}
	newest, found := n.snapshots.Newest()
	if last, err := n.logs.LastIndex(); err != nil || last == 0 {
		return errors.Join(err, n.acceptEmpty(newest, found))
	}
	if err := n.logs.Mend(newest.Index); err != nil {
		return err
	}
	if !found {
		return n.machine.Rewind(n.cfg.Genesis)
	}
	_, err = n.logs.Anchor(newest.Index, newest.Term)
	return err
}

// acceptEmpty accepts an empty log from a node that has not begun, and from
// one whose mark says that the log was lost.
func (n *Node) acceptEmpty(newest raft.SnapshotMeta, found bool) error {
	switch fresh := n.stable.Term() <= 1 && !found; { // the bootstrap has term 1, every leader a later one
	case fresh && n.kind == act.NonVoter: // it has a mirror's copy, and the log is to come
		n.rewind.Store(true)
		return n.machine.Restore(n.machine.TakeUp())
	case fresh && !n.mayNotVote():
		return n.machine.Rewind(n.cfg.Genesis)
	case !n.mayNotVote():
		return fmt.Errorf("%w: it is empty in term %d", logstore.ErrDamaged, n.stable.Term())
	case !found:
		n.rewind.Store(true)
		return nil
	}
	_, err := n.logs.Anchor(newest.Index, newest.Term)
	return err
}

// checkRollback compares the log with the last cosignature. A voter has in its
// log all that it cosigned, unless its disk went back in time: then it might
// sign another history. One that is marked as having lost its log signs nothing.
func (n *Node) checkRollback() error {
	last, err := n.logs.LastIndex()
	if err != nil {
		return err
	}
	if newest, found := n.snapshots.Newest(); found {
		last = max(last, newest.Index)
	}
	if cosigned := n.signer.last.RaftIndex; cosigned > last && !n.mayNotVote() && !fault.Planted(fault.IgnoreRollback) {
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

// bootstrap writes the genesis' voters as the first configuration. Every one of
// them writes the same, so it does not matter who starts first.
func (n *Node) bootstrap() error {
	last, err := n.logs.LastIndex()
	if err != nil {
		return err
	}
	if last > 0 || n.stable.Term() > 1 || n.mayNotVote() {
		return nil
	}
	founded, _, err := state.Found(n.cfg.Genesis)
	if err != nil {
		return err
	}
	if self, ok := founded.Node(n.cfg.Self); !ok || self.Kind != act.Voter {
		return nil // the others' log has the configuration
	}
	var servers []raft.Server
	for _, v := range founded.Voters() {
		servers = append(servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(v.ID), Address: raft.ServerAddress(v.ID)})
	}
	// As raft.BootstrapCluster does, but again if a crash came in between.
	first := &raft.Log{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(raft.Configuration{Servers: servers})}
	if err := errors.Join(n.stable.SetUint64([]byte(logstore.KeyTerm), first.Term), n.logs.StoreLog(first)); err != nil {
		return fmt.Errorf("bootstrap raft: %w", err)
	}
	return nil
}

// inConfiguration reports whether a node is in the current Raft configuration,
// or, while a lost log leaves Raft without one, a voter of the roster.
func (n *Node) inConfiguration(node string) bool {
	f := n.raft.GetConfiguration()
	if f.Error() != nil {
		return false
	}
	if len(f.Configuration().Servers) == 0 {
		m, ok := n.machine.View().Node(node)
		return ok && m.Kind == act.Voter
	}
	for _, s := range f.Configuration().Servers {
		if string(s.ID) == node {
			return true
		}
	}
	return false
}

// SnapshotNow takes a snapshot of all that is committed, also on a network where
// nothing has happened since this node was started: Raft has nothing to take one
// of before a command was applied, so the leader commits an empty one first. It
// returns the snapshot's index. An erasure needs it: what a snapshot does not
// cover cannot leave the log.
func (n *Node) SnapshotNow(ctx context.Context) (uint64, error) {
	if n.raft == nil {
		return 0, errors.New("snapshot: this node is a mirror")
	}
	if n.Leading() {
		if err := n.wait(ctx, n.raft.Apply(nil, n.cfg.Timing.RPC)); err != nil {
			return 0, fmt.Errorf("snapshot: commit a marker: %w", err)
		}
	}
	if err := n.wait(ctx, n.raft.Snapshot()); err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	newest, _ := n.snapshots.Newest()
	return newest.Index, nil
}

// runSnapshots takes a snapshot each time enough bytes were applied: by bytes,
// because envelopes differ in size by a factor of twenty. A follower that has a
// newer one than this leader gets a new one too. So does a new roster: a start
// knows the other voters' keys from it, and what the log says after it counts
// only once these voters have met.
func (n *Node) runSnapshots(ctx context.Context) {
	outdated, roster := false, n.View().RosterVersion
	for {
		changed := n.machine.Changed()
		version := n.View().RosterVersion
		if (outdated || version != roster || n.machine.Applied() >= n.cfg.limits.snapshotBytes) && n.isWhole() {
			err := n.wait(ctx, n.raft.Snapshot())
			switch {
			case err == nil, errors.Is(err, raft.ErrNothingNewToSnapshot):
				roster = version
			default:
				n.log.Warn("no snapshot", "reason", err.Error())
			}
		}
		outdated = false
		select {
		case <-ctx.Done():
			return
		case <-n.transport.outdated:
			outdated = true
		case <-changed:
		}
	}
}
