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
	"github.com/raresync/raresync/daemon/daily"
	"github.com/raresync/raresync/daemon/evaluation"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/inbox"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/link"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/meter"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/daemon/recent"
	"github.com/raresync/raresync/daemon/trail"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/daemon/withdraw"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/founding"
)

// stopTimeout bounds the hand-over of leadership and the end of requests.
const stopTimeout = 5 * time.Second

// recentLines is how many lines of the log are kept for raresync debug bundle.
const recentLines = 1000

// service is a running daemon.
type service struct {
	heart   *heart
	lines   *recent.Lines // the end of the log
	cfg     config.Config
	log     *slog.Logger
	version string
	clock   func() time.Time // this machine's; tests move it
	keys    *home.Keys       // as they were at the start: those that never change
	ring    *home.Keyring
	warn    []string
	self    act.Node

	mesh   *mesh.Mesh
	peers  *peer.Client
	copies []consensus.StaticCopy
	node   *consensus.Node
	outbox *outbox.Outbox
	intake *intake.Intake
	reader *reader.Reader
	view   *view.View
	reads  *reads.Log
	months *view.View // as view, of the complete months of the log
	desk   *withdraw.Desk
	daily  *daily.Book
	doubts *query.Book
	trail  *trail.Trail // nil if it is broken
	links  *link.Book
	quotas quotas
	tables tables
	voters watchedVoters
	heard  hearing // of other nodes
	meter  *meter.Meter

	inbox atomic.Pointer[inbox.Box] // nil until it is open

	invitations *home.Invitations
	pins        []founding.InvitationPeer // nodes that this node's invitation named

	shares   *home.ShareFile
	ceremony *ceremony.Driver

	opened  atomic.Pointer[consensus.Node] // node, for the mesh, which is there before it
	sending atomic.Pointer[outbox.Outbox]  // outbox, for the node, which is there before it
	viewing atomic.Pointer[view.View]      // view, likewise
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
	h := newHeart()
	defer h.beat(ctx)()
	lines := recent.New(recentLines)
	logger = slog.New(lines.Handler(logger.Handler()))
	for {
		err = runOnce(ctx, cfg, logger, version, h, lines)
		if !errors.Is(err, errPart) || ctx.Err() != nil {
			return ended(ctx, err)
		}
		logger.Info("starting again, as an act has given this node another part in the network")
	}
}

// runOnce runs the daemon until the context ends, it fails, or the node is to
// take another part in the network: errPart.
func runOnce(ctx context.Context, cfg config.Config, logger *slog.Logger, version string, h *heart, lines *recent.Lines) (err error) {
	s := &service{heart: h, lines: lines, cfg: cfg, log: logger, version: version, clock: time.Now, failed: make(chan error, 16), meter: meter.New()}
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
	if s.invitations, err = home.OpenInvitations(s.cfg); err != nil {
		return err
	}
	if s.pins, err = home.ReadPins(s.cfg); err != nil {
		return err
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
	if err := s.openCopies(); err != nil {
		return err
	}
	dir := home.LogDir(s.cfg)
	s.node, err = consensus.Open(consensus.Config{
		Known: s.pinnedNodes(), Self: s.self.ID, Dir: dir, Space: s.watchDisk(dir), Genesis: genesis,
		Log: s.keys.Log, Cosign: s.keys.Cosign, Peers: s.peers, Copies: s.copies, Streams: raftStreams{s.mesh, s.mesh.Listener(mesh.ClassRaft)},
		Logger: s.log, Now: s.clock, Fatal: s.fail, Part: func() { s.fail(errPart) }, Forget: s.forgetErased, Meter: s.meter,
		Rates: consensus.Rates{FetchBytes: uint64(s.cfg.Copy.FetchKiBPerSecond) << 10, ScrubBytes: uint64(s.cfg.Copy.ScrubKiBPerSecond) << 10},
	})
	if err != nil {
		return err
	}
	s.opened.Store(s.node)
	s.mesh.SetPeers(s.targets(s.node.View())) // with or without Raft, as its part wants it
	s.heart.follow(s.pulse)
	if err := s.awaitAdmission(ctx); err != nil {
		return err
	}
	if err := s.openHospital(); err != nil {
		return err
	}
	s.meter.Gauges(s.gauges)
	return nil
}

// watchDisk watches the disk that a directory lies on, as configured.
func (s *service) watchDisk(dir string) *space.Watch {
	return space.New(space.Config{
		Dir: dir, Probe: space.Disk(dir),
		LowBytes: uint64(s.cfg.Disk.WarnMiB) << 20, ReserveBytes: uint64(s.cfg.Disk.ReserveMiB) << 20,
	})
}

// openHospital opens what stands on the node: outbox, intake and reader.
func (s *service) openHospital() error {
	dir := s.cfg.Node.DataDir
	var err error
	s.outbox, err = outbox.Open(outbox.Config{
		Dir: filepath.Join(dir, "outbox"), Hospital: s.self.Institution, Key: s.envelopeKey,
		Sealing: s.ring.Sealing, Log: s.node, Copy: s.node.Machine(), EntryID: entryID,
		Addressee: s.addressee, Logger: s.log, Now: s.clock,
	})
	if err != nil {
		return err
	}
	s.sending.Store(s.outbox)
	if err := s.openQuotas(); err != nil {
		return err
	}
	evaluator := s.evaluation()
	s.quotas.evaluator = evaluator
	s.reader = reader.New(reader.Config{
		Node: s.node, Institution: s.self.Institution, Sealing: s.ring.Sealing, Dir: dir, Poster: s.outbox, Logger: s.log,
	})
	if err := s.openViews(filepath.Join(dir, "view")); err != nil {
		return err
	}
	s.openReads(dir)
	if err := s.openTrail(dir); err != nil {
		return err
	}
	if err := s.openLinks(dir); err != nil {
		return err
	}
	if err := s.openDesk(dir); err != nil {
		return err
	}
	if err := s.openDaily(dir); err != nil {
		return err
	}
	if err := s.openDoubts(dir); err != nil {
		return err
	}
	s.intake = intake.New(intake.Config{
		Pseudonymiser: s.meter.Asking(evaluator), Outbox: s.meter.Signing(s.outbox), Validated: s.meter.Validated, Consents: s.desk, Memory: s.outbox, Registry: registry{s.reader}, Links: s.keepLinks, Spool: s.quotas.spool, Quota: s.ownQuota, Logger: s.log,
		Catalogue: s.newest, Decided: s.daily.Count, Doubts: s.noteDoubts,
		EntryID: s.keys.EntryID, Local: s.keys.Local, Production: s.cfg.Submit.Production, Now: s.clock,
		ConsentForm: s.cfg.Submit.Form(), Outside: s.outside, Biobanks: s.biobanks,
	})
	s.servePeers(evaluator)
	s.ceremony, err = ceremony.New(ceremony.Config{
		Self: s.self.ID, Institution: s.self.Institution, Log: s.node, Changed: s.node.Machine().Changed, Poster: s.outbox,
		Cosigners: s.peers, Shares: s.shares, Evaluator: evaluator, Runtime: os.Getenv(runtimeEnv), Now: s.clock, Logger: s.log,
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
		Failed: s.report, Lied: s.meter.Lied, Behind: s.behind,
	})
}

// servePeers answers the other nodes until the mesh closes.
func (s *service) servePeers(e *evaluation.Service) {
	h := &peer.Handler{Node: s.node, Evaluator: s.meter.Answering(e), Teller: s, Logger: s.log, PeerOf: func(ctx context.Context) (string, bool) {
		p, ok := mesh.PeerFromContext(ctx)
		return p.Node, ok
	}}
	server := &http.Server{
		Handler: s.meter.Timed("peer", h.Mux()), ConnContext: mesh.ConnContext,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.workers.Go(func() { _ = server.Serve(s.mesh.Listener(mesh.ClassAPI)) }) // ends with the mesh
}

// serve runs until the context ends or a part fails.
func (s *service) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopAdmin, err := s.serveAdmin(ctx, s.meter.Timed("admin", s.adminMux()))
	if err != nil {
		return err
	}
	stopOthers, err := s.serveOthers(ctx)
	if err != nil {
		cancel()
		stopAdmin()
		return err
	}
	s.workers.Go(func() { s.report(s.outbox.Run(ctx)) })
	s.workers.Go(func() { s.report(s.reader.Watch(ctx)) })
	s.workers.Go(func() { s.view.Run(ctx) })
	s.workers.Go(func() { s.reads.Run(ctx) })
	s.workers.Go(func() { s.months.Run(ctx) })
	if m, ok := s.node.View().Member(s.self.Institution); ok && m.Role == act.RoleHospital {
		s.workers.Go(func() { s.report(s.desk.Run(ctx)) })
		s.workers.Go(func() { s.report(s.runDaily(ctx)) })
		s.workers.Go(func() { s.report(s.runDoubts(ctx)) })
		s.workers.Go(func() { s.forgetQueries(ctx) })
	} else if ok && m.Rights.Has(act.RightNational) {
		s.workers.Go(func() { s.forgetQueries(ctx) })
	}
	s.workers.Go(func() { s.report(s.ceremony.Run(ctx)) })
	s.workers.Go(func() { s.report(s.runReceipts(ctx)) })
	s.workers.Go(func() { s.report(s.runQuotas(ctx)) })
	s.workers.Go(func() { s.report(s.watchRoster(ctx)) })
	s.workers.Go(func() { s.runReadiness(ctx) })
	s.workers.Go(func() { s.runInbox(ctx) })
	s.workers.Go(func() { s.runSupport(ctx) })
	s.workers.Go(func() { s.watchVoters(ctx) })
	s.workers.Go(func() { s.watchSuccession(ctx) })
	s.log.Info("serving", "node", s.self.ID, "kind", s.self.Kind.String(), "version", s.version, "socket", s.cfg.Listen.AdminSocket)
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case err = <-s.failed:
	}
	cancel()
	stopOthers()
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
	s.heart.follow(nil)
	if s.node != nil {
		problems = append(problems, s.node.Close(ctx))
	}
	if s.mesh != nil {
		s.peers.Close()
		s.closeCopies()
		problems = append(problems, s.mesh.Close())
	}
	s.workers.Wait()
	s.quotas.close()
	if s.outbox != nil {
		problems = append(problems, s.outbox.Close())
	}
	problems = append(problems, s.closeViews())
	if s.trail != nil {
		problems = append(problems, s.trail.Close())
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
