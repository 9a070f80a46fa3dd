package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/space"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/ceremony"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/evaluation"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

// stopTimeout bounds the hand-over of leadership and the end of requests.
const stopTimeout = 5 * time.Second

// service is a running daemon.
type service struct {
	cfg     config.Config
	log     *slog.Logger
	version string
	keys    *home.Keys // as they were at the start: those that never change
	ring    *home.Keyring
	warn    []string
	self    act.Node

	mesh   *mesh.Mesh
	peers  *peer.Client
	node   *consensus.Node
	outbox *outbox.Outbox
	intake *intake.Intake
	reader *reader.Reader
	quotas quotas

	shares   *home.ShareFile
	ceremony *ceremony.Driver

	opened  atomic.Pointer[consensus.Node] // node, for the mesh, which is there before it
	failed  chan error                     // the first failure that must end the process
	workers sync.WaitGroup
}

// Run runs the daemon until the context ends, and returns nil then. Its errors
// name what the operator must look at; consensus.ErrQuarantined,
// consensus.ErrTwin, ledger.ErrStorage, home.ErrInUse and home.ErrKeys are among them.
func Run(ctx context.Context, cfg config.Config, logger *slog.Logger, version string) (err error) {
	release, err := home.Lock(cfg.Node.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	s := &service{cfg: cfg, log: logger, version: version, failed: make(chan error, 16)}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return ended(ctx, err)
	}
	return s.serve(ctx)
}

// open brings up the parts from the bottom. What fails half way is closed by
// close.
func (s *service) open(ctx context.Context) error {
	err := home.CheckRestored(s.cfg)
	if err != nil {
		return err
	}
	if s.keys, s.warn, err = home.LoadKeys(s.cfg); err != nil {
		return err
	}
	for _, w := range s.warn {
		s.log.Warn(w)
	}
	s.shares, s.ring = home.OpenShares(s.cfg, s.keys), home.OpenKeyring(s.cfg, s.keys)
	genesis, err := home.ReadGenesis(s.cfg)
	if err != nil {
		return err
	}
	founded, _, err := state.Found(genesis)
	if err != nil {
		return err
	}
	if s.self, err = s.identify(founded); err != nil {
		return err
	}
	if err := s.openMesh(founded); err != nil {
		return err
	}
	dir := home.LogDir(s.cfg)
	s.node, err = consensus.Open(consensus.Config{
		Self: s.self.ID, Dir: dir, Space: s.watchDisk(dir), Genesis: genesis,
		Log: s.keys.Log, Cosign: s.keys.Cosign, Peers: s.peers, Streams: raftStreams{s.mesh, s.mesh.Listener(mesh.ClassRaft)},
		Logger: s.log, Now: time.Now, Fatal: s.fail,
		Rates: consensus.Rates{FetchBytes: uint64(s.cfg.Copy.FetchKiBPerSecond) << 10, ScrubBytes: uint64(s.cfg.Copy.ScrubKiBPerSecond) << 10},
	})
	if err != nil {
		return err
	}
	s.opened.Store(s.node)
	if err := s.awaitAdmission(ctx); err != nil {
		return err
	}
	return s.openHospital()
}

// watchDisk watches the disk that a directory lies on, as configured.
func (s *service) watchDisk(dir string) *space.Watch {
	return space.New(space.Config{
		Dir: dir, Probe: space.Disk(dir),
		LowBytes: uint64(s.cfg.Disk.WarnMiB) << 20, ReserveBytes: uint64(s.cfg.Disk.ReserveMiB) << 20,
	})
}

func (s *service) openMesh(roster *state.State) error {
	var err error
	s.mesh, err = mesh.New(mesh.Config{
		Self: s.self.ID, Key: s.keys.TLS.Ed25519(), FormerKey: otherTLS(s.keys), Listen: s.cfg.Listen.Node, Logger: s.log,
		Lookup: func(key [32]byte) (string, bool) { return nodeByKey(s.roster(roster), key) },
		KeyOf:  func(node string) ([32]byte, bool) { return keyByNode(s.roster(roster), node) },
		Twin: func(peer string) {
			if node := s.opened.Load(); node != nil { // else it will be said again
				node.HearTwin(peer)
			}
		},
	})
	if err != nil {
		return err
	}
	s.mesh.SetPeers(s.targets(roster))
	s.peers = peer.NewClient(func(ctx context.Context, node string) (net.Conn, error) {
		return s.mesh.Dial(ctx, node, mesh.ClassAPI)
	})
	return nil
}

// roster returns the applied state, or the genesis' until there is one.
func (s *service) roster(founded *state.State) *state.State {
	if node := s.opened.Load(); node != nil {
		return node.View()
	}
	return founded
}

func keyByNode(roster *state.State, node string) ([32]byte, bool) {
	if n, ok := roster.Node(node); ok {
		return n.TLS.ID(), true
	}
	return [32]byte{}, false
}

func nodeByKey(roster *state.State, key [32]byte) (string, bool) {
	if roster.Revoked(key) {
		return "", false
	}
	for i := range roster.Nodes {
		if roster.Nodes[i].TLS.ID() == key {
			return roster.Nodes[i].ID, true
		}
	}
	return "", false
}

// targets lists the nodes to keep sessions with: every node that has an
// address, here or in the roster.
func (s *service) targets(roster *state.State) []mesh.Target {
	var out []mesh.Target
	for _, n := range roster.Nodes {
		addresses := n.Addresses
		if own, ok := s.cfg.Peers[n.ID]; ok {
			addresses = own
		}
		if n.ID != s.self.ID && n.Kind == act.Voter && len(addresses) > 0 {
			out = append(out, mesh.Target{Node: n.ID, Addresses: addresses})
		}
	}
	return out
}

// openHospital opens what stands on the node: outbox, intake and reader.
func (s *service) openHospital() error {
	dir := s.cfg.Node.DataDir
	var err error
	s.outbox, err = outbox.Open(outbox.Config{
		Dir: filepath.Join(dir, "outbox"), Hospital: s.self.Institution, Key: s.envelopeKey,
		Sealing: s.ring.Sealing, Log: s.node, Copy: s.node.Machine(), EntryID: entryID,
		Logger: s.log, Now: time.Now,
	})
	if err != nil {
		return err
	}
	if err := s.openQuotas(); err != nil {
		return err
	}
	evaluator := s.evaluation()
	s.quotas.evaluator = evaluator
	s.intake = intake.New(intake.Config{
		Pseudonymiser: evaluator, Outbox: s.outbox, Spool: s.quotas.spool, Quota: s.ownQuota, Logger: s.log, EntryID: s.keys.EntryID, Local: s.keys.Local,
		Production: s.cfg.Submit.Production, Now: time.Now,
	})
	s.reader = reader.New(reader.Config{
		Node: s.node, Institution: s.self.Institution, Sealing: s.ring.Sealing, Dir: dir, Poster: s.outbox, Logger: s.log,
	})
	s.servePeers(evaluator)
	s.ceremony, err = ceremony.New(ceremony.Config{
		Self: s.self.ID, Institution: s.self.Institution, Log: s.node, Changed: s.node.Machine().Changed, Poster: s.outbox,
		Cosigners: s.peers, Shares: s.shares, Evaluator: evaluator, Runtime: os.Getenv(runtimeEnv), Now: time.Now, Logger: s.log,
	})
	return err
}

// runtimeEnv is where the service manager says it put the runtime directory,
// which is gone after a restart of the machine.
const runtimeEnv = "RUNTIME_DIRECTORY"

// entryID reads an entry's id from its plaintext.
func entryID(cbor []byte) ([32]byte, error) {
	e, err := entry.Decode(cbor)
	return e.ID, err
}

func (s *service) evaluation() *evaluation.Service {
	return evaluation.New(evaluation.Config{
		Node: s.node, Hospital: s.self.Institution, Request: s.keys.Request, Response: s.keys.Response, Rotated: s.ring,
		Share: s.shares.Of, Count: s.quotas.count(), Asked: s.quotas.asked, Asker: s.peers, Poster: s.outbox, Logger: s.log,
		Failed: s.report,
	})
}

// servePeers answers the other nodes until the mesh closes.
func (s *service) servePeers(e *evaluation.Service) {
	h := &peer.Handler{Node: s.node, Evaluator: e, Logger: s.log, PeerOf: func(ctx context.Context) (string, bool) {
		p, ok := mesh.PeerFromContext(ctx)
		return p.Node, ok
	}}
	server := &http.Server{
		Handler: h.Mux(), ConnContext: mesh.ConnContext,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.workers.Go(func() { _ = server.Serve(s.mesh.Listener(mesh.ClassAPI)) }) // ends with the mesh
}

// serve runs until the context ends or a part fails.
func (s *service) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopAdmin, err := s.serveAdmin(ctx)
	if err != nil {
		return err
	}
	s.workers.Go(func() { s.report(s.outbox.Run(ctx)) })
	s.workers.Go(func() { s.report(s.reader.Watch(ctx)) })
	s.workers.Go(func() { s.report(s.ceremony.Run(ctx)) })
	s.workers.Go(func() { s.report(s.runQuotas(ctx)) })
	s.workers.Go(func() { s.report(s.watchKeys(ctx)) })
	s.log.Info("serving", "node", s.self.ID, "kind", s.self.Kind.String(), "version", s.version, "socket", s.cfg.Listen.AdminSocket)
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case err = <-s.failed:
	}
	cancel()
	stopAdmin()
	return err
}

// fail reports a failure that must end the process.
func (s *service) fail(err error) {
	select {
	case s.failed <- err:
	default: // others came first
	}
}

// report passes on a failure of a part beside the node. After a failed fsync
// nothing on this disk is believed any more, the node's own files included.
func (s *service) report(err error) {
	if errors.Is(err, ledger.ErrFsync) {
		err = s.node.Distrust(err)
	}
	if err != nil {
		s.fail(err)
	}
}

// close ends the parts from the top.
func (s *service) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var problems []error
	if s.node != nil {
		problems = append(problems, s.node.Close(ctx))
	}
	if s.mesh != nil {
		s.peers.Close()
		problems = append(problems, s.mesh.Close())
	}
	s.workers.Wait()
	s.quotas.close()
	if s.outbox != nil {
		problems = append(problems, s.outbox.Close())
	}
	return errors.Join(problems...)
}

// raftStreams is the mesh as package consensus needs it.
type raftStreams struct {
	mesh     *mesh.Mesh
	listener net.Listener
}

func (r raftStreams) Dial(ctx context.Context, node string) (net.Conn, error) {
	return r.mesh.Dial(ctx, node, mesh.ClassRaft)
}

func (r raftStreams) Listener() net.Listener { return r.listener }
