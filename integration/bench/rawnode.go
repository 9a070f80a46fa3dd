package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/peer"
)

// runRawNode serves plain Raft until it is killed.
func runRawNode(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var c rawConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	m, err := mesh.New(mesh.Config{
		Self: c.Self, Key: sign.NewFromSeeds(sign.PurposeTLS, c.Seed, [32]byte{}).Ed25519(),
		Listen: c.address(), Lookup: lookupIn(c.Nodes),
	})
	if err != nil {
		return err
	}
	var others []mesh.Target
	for _, p := range c.Nodes[:voters] {
		if p.Node != c.Self {
			others = append(others, mesh.Target{Node: p.Node, Addresses: []string{p.Address}})
		}
	}
	m.SetPeers(others)
	r, err := c.startRaft(m)
	if err != nil {
		return err
	}
	h := &peer.Handler{Node: rawNode{r}, Logger: slog.New(slog.DiscardHandler), PeerOf: func(ctx context.Context) (string, bool) {
		p, ok := mesh.PeerFromContext(ctx)
		return p.Node, ok
	}}
	server := &http.Server{Handler: h.Mux(), ConnContext: mesh.ConnContext, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(m.Listener(mesh.ClassAPI))
}

func (c *rawConfig) address() string {
	for _, p := range c.Nodes {
		if p.Node == c.Self {
			return p.Address
		}
	}
	return ""
}

// startRaft starts Raft with the settings of package consensus.
func (c *rawConfig) startRaft(m *mesh.Mesh) (*raft.Raft, error) {
	store, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(c.Dir, "log.db"), BoltOptions: &bbolt.Options{
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, InitialMmapSize: 256 << 20,
	}})
	if err != nil {
		return nil, err
	}
	cache, err := raft.NewLogCache(512, store)
	if err != nil {
		return nil, err
	}
	snapshots, err := raft.NewFileSnapshotStore(c.Dir, 1, io.Discard)
	if err != nil {
		return nil, err
	}
	transport := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: rawStreams{m.Listener(mesh.ClassRaft), m}, MaxPool: 3, MaxRPCsInFlight: 1,
		Timeout: 10 * time.Second, Logger: hclog.NewNullLogger(),
	})
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(c.Self)
	config.HeartbeatTimeout, config.ElectionTimeout = consensus.DefaultTiming.Heartbeat, consensus.DefaultTiming.Heartbeat
	config.LeaderLeaseTimeout = consensus.DefaultTiming.Lease
	config.MaxAppendEntries, config.BatchApplyCh = 16, true
	config.SnapshotThreshold, config.SnapshotInterval = 1e9, time.Hour // an empty machine has nothing to keep
	config.NoLegacyTelemetry = true
	config.Logger = hclog.NewNullLogger()
	var servers []raft.Server
	for _, p := range c.Nodes[:voters] {
		servers = append(servers, raft.Server{ID: raft.ServerID(p.Node), Address: raft.ServerAddress(p.Node)})
	}
	if err := raft.BootstrapCluster(config, cache, store, snapshots, transport, raft.Configuration{Servers: servers}); err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	return raft.NewRaft(config, emptyMachine{}, cache, store, snapshots, transport)
}

// rawStreams carries Raft over the mesh.
type rawStreams struct {
	net.Listener
	mesh *mesh.Mesh
}

func (s rawStreams) Addr() net.Addr { return s.Listener.Addr() }

func (s rawStreams) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return s.mesh.Dial(ctx, string(address), mesh.ClassRaft)
}

// emptyMachine applies nothing, in batches.
type emptyMachine struct{}

func (emptyMachine) Apply(*raft.Log) any               { return nil }
func (emptyMachine) ApplyBatch(logs []*raft.Log) []any { return make([]any, len(logs)) }
func (emptyMachine) Restore(r io.ReadCloser) error     { return r.Close() }
func (emptyMachine) Snapshot() (raft.FSMSnapshot, error) {
	return nil, errors.New("an empty machine has no snapshot")
}

// rawNode takes values over the peer API of raresync.
type rawNode struct{ raft *raft.Raft }

func (n rawNode) HandleSubmit(_ context.Context, _ string, raw []byte) (consensus.Outcome, error) {
	if err := n.raft.Apply(raw, consensus.DefaultTiming.RPC).Error(); err != nil {
		return consensus.Outcome{}, fmt.Errorf("%w: %w", consensus.ErrNoLeader, err)
	}
	return consensus.Outcome{}, nil
}

var errOnlySubmit = errors.New("plain Raft takes submissions only")

func (rawNode) HandleCosign(context.Context, consensus.Proposal) ([]tlog.NoteSignature, error) {
	return nil, errOnlySubmit
}
func (rawNode) HandleAnnounce([]byte) error                              { return errOnlySubmit }
func (rawNode) HandleCheckpoint(context.Context, uint64) ([]byte, error) { return nil, errOnlySubmit }
func (rawNode) HandleEnvelopes(uint64) ([]consensus.Pulled, error)       { return nil, errOnlySubmit }
func (rawNode) HandleSalts(uint64) ([][]byte, error)                     { return nil, errOnlySubmit }
func (rawNode) HandleLengths(uint64) (ledger.Lengths, error)             { return ledger.Lengths{}, errOnlySubmit }
