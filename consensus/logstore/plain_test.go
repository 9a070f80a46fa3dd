package logstore

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

// A driven node is one Raft node that a test speaks to as the rest of its
// network: over raft-boltdb and raft's own snapshots (plain), or over the
// stores of this package.
type driven struct {
	t     *testing.T
	name  string
	plain bool
	raft  *raft.Raft
	trans *raft.InmemTransport
	logs  raft.LogStore
	votes raft.StableStore
	fatal *fatals
	world *raft.InmemTransport // the test's, under the name of the voter "w"
	elect atomic.Bool          // w votes for whoever asks

	refuse func() error // asked before the log stores

	mu       sync.Mutex
	applied  []uint64 // Raft indexes
	restores int
	log      *Store // of this package
	snaps    *Snapshots
}

// refusing is a log store with a disk that is full at times.
type refusing struct {
	raft.LogStore
	refuse func() error
}

func (r refusing) StoreLogs(logs []*raft.Log) error {
	if err := r.refuse(); err != nil {
		return err
	}
	return r.LogStore.StoreLogs(logs)
}

// bothWays runs a scenario over the plain stores, where it must end badly, and
// over ours.
func bothWays(t *testing.T, run func(t *testing.T, plain bool)) {
	t.Helper()
	t.Run("plain raft", func(t *testing.T) { run(t, true) })
	t.Run("prevented", func(t *testing.T) { run(t, false) })
}

const drivenID = "driven"

// drive starts a node with a voter "w" beside it that the test plays, and others
// that are silent.
func drive(t *testing.T, plain bool, trailing uint64, others ...raft.ServerID) *driven {
	t.Helper()
	d := &driven{t: t, name: drivenID, plain: plain, fatal: &fatals{}, refuse: func() error { return nil }}
	d.start(t.TempDir(), trailing, append([]raft.ServerID{"w"}, others...))
	return d
}

func (d *driven) id() raft.ServerAddress { return raft.ServerAddress(d.name) }

// join connects the node with the test, which answers for w.
func (d *driven) join() {
	_, d.world = raft.NewInmemTransportWithTimeout("w", 20*time.Second)
	d.world.Connect(d.id(), d.trans)
	d.trans.Connect("w", d.world)
	go func() {
		for {
			select {
			case rpc := <-d.world.Consumer():
				d.answer(rpc)
			case <-d.t.Context().Done():
				return
			}
		}
	}()
}

// answer is what w says: it stores everything, and votes if it is told to.
func (d *driven) answer(rpc raft.RPC) {
	switch r := rpc.Command.(type) {
	case *raft.RequestPreVoteRequest:
		rpc.Respond(&raft.RequestPreVoteResponse{Term: r.Term, Granted: d.elect.Load()}, nil)
	case *raft.RequestVoteRequest:
		rpc.Respond(&raft.RequestVoteResponse{Term: r.Term, Granted: d.elect.Load()}, nil)
	case *raft.AppendEntriesRequest:
		last := r.PrevLogEntry + uint64(len(r.Entries))
		rpc.Respond(&raft.AppendEntriesResponse{Term: r.Term, LastLog: last, Success: true}, nil)
	default:
		rpc.Respond(nil, errors.New("not answered"))
	}
}

func (d *driven) start(dir string, trailing uint64, others []raft.ServerID) {
	d.t.Helper()
	config := raft.DefaultConfig()
	config.LocalID, config.Logger = raft.ServerID(d.name), hclog.NewNullLogger()
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = 300*time.Millisecond, 300*time.Millisecond, 200*time.Millisecond
	config.TrailingLogs, config.MaxAppendEntries, config.SnapshotInterval = trailing, 16, time.Hour
	config.ShutdownOnRemove = false
	_, d.trans = raft.NewInmemTransport(d.id())
	stable, snapshots := d.stores(dir)
	d.votes = stable
	servers := []raft.Server{{ID: raft.ServerID(d.name), Address: d.id()}}
	for _, id := range others {
		servers = append(servers, raft.Server{ID: id, Address: raft.ServerAddress(id)})
	}
	has, err := raft.HasExistingState(d.logs, stable, snapshots)
	if err == nil && !has {
		err = raft.BootstrapCluster(config, d.logs, stable, snapshots, d.trans, raft.Configuration{Servers: servers})
	}
	if err != nil {
		d.t.Fatal(err)
	}
	if d.raft, err = raft.NewRaft(config, d, d.logs, stable, snapshots, d.trans); err != nil {
		d.t.Fatal(err)
	}
	d.join()
}

func (d *driven) stores(dir string) (raft.StableStore, raft.SnapshotStore) {
	d.t.Helper()
	check := func(err error) {
		if err != nil {
			d.t.Fatal(err)
		}
	}
	if d.plain {
		db, err := raftboltdb.NewBoltStore(filepath.Join(dir, "log.db"))
		check(err)
		files, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, hclog.NewNullLogger())
		check(err)
		d.logs = refusing{db, func() error { return d.refuse() }}
		d.t.Cleanup(func() { d.raft.Shutdown().Error(); db.Close() })
		return db, files
	}
	var err error
	d.log, err = Open(filepath.Join(dir, "log.db"), Options{Fatal: d.fatal.add, CacheBytes: 500, Guard: func(int) error { return d.refuse() }})
	check(err)
	d.logs = d.log
	votes, err := OpenStable(filepath.Join(dir, "stable.db"), StableOptions{Fatal: d.fatal.add})
	check(err)
	d.snaps, err = OpenSnapshots(dir, SnapshotOptions{Written: func(m raft.SnapshotMeta) { d.log.SetSnapshot(m.Index) }, Fatal: d.fatal.add})
	check(err)
	d.t.Cleanup(func() { d.raft.Shutdown().Error(); d.log.Close(); votes.Close() })
	return votes, d.snaps
}

// Apply, Snapshot and Restore are the state machine.
func (d *driven) Apply(l *raft.Log) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.applied = append(d.applied, l.Index)
	if !d.plain {
		d.log.SetApplied(l.Index)
	}
	return nil
}

func (d *driven) Snapshot() (raft.FSMSnapshot, error) { return listSnapshot{"state"}, nil }

func (d *driven) Restore(content io.ReadCloser) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.restores++
	if d.plain {
		return content.Close()
	}
	newest, _ := d.snaps.Newest()
	_, err := d.log.Anchor(newest.Index, newest.Term)
	return err
}

func (d *driven) list() []uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.applied)
}

func (d *driven) restored() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.restores
}

func header(id string) raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: 3, ID: []byte(id), Addr: []byte(id)}
}

// logsOf returns records from..to of a term, commands all.
func logsOf(from, to, term uint64) (list []*raft.Log) {
	for i := from; i <= to; i++ {
		list = append(list, record(i, term))
	}
	return list
}

// send sends records as the leader of a term.
func (d *driven) send(leader string, term, prev, prevTerm, commit uint64, logs []*raft.Log) *raft.AppendEntriesResponse {
	d.t.Helper()
	answer := new(raft.AppendEntriesResponse)
	err := d.world.AppendEntries(raft.ServerID(d.name), d.id(), &raft.AppendEntriesRequest{
		RPCHeader: header(leader), Term: term, PrevLogEntry: prev, PrevLogTerm: prevTerm,
		Entries: logs, LeaderCommitIndex: commit,
	}, answer)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer
}

// install sends a snapshot as the leader of a term.
func (d *driven) install(leader string, term, index, indexTerm uint64, servers ...raft.ServerID) {
	d.t.Helper()
	var c raft.Configuration
	for _, id := range servers {
		c.Servers = append(c.Servers, raft.Server{ID: id, Address: raft.ServerAddress(id)})
	}
	const content = "state"
	answer := new(raft.InstallSnapshotResponse)
	err := d.world.InstallSnapshot(raft.ServerID(d.name), d.id(), &raft.InstallSnapshotRequest{
		RPCHeader: header(leader), SnapshotVersion: 1, Term: term, LastLogIndex: index,
		LastLogTerm: indexTerm, Configuration: raft.EncodeConfiguration(c), ConfigurationIndex: 1, Size: int64(len(content)),
	}, answer, strings.NewReader(content))
	if err != nil || !answer.Success {
		d.t.Fatalf("the snapshot was not installed: %v", err)
	}
}

func (d *driven) last() uint64 {
	d.t.Helper()
	last, err := d.logs.LastIndex()
	if err != nil {
		d.t.Fatal(err)
	}
	return last
}
