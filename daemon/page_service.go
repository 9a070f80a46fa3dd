package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/registry/act"
)

const (
	maxPageConns = 128 // at once; more wait to be accepted
	pageTimeout  = 30 * time.Second
)

// servePage answers the hospital's browsers, if an address is configured, until stop
// is called.
func (s *service) servePage(ctx context.Context) (stop func(), err error) {
	if s.cfg.Page.Listen == "" {
		return func() {}, nil
	}
	m, ok := s.node.View().Member(s.self.Institution)
	if !ok || m.Role != act.RoleHospital {
		s.log.Warn("page.listen is set, and this institution is no hospital: no page is served")
		return func() {}, nil
	}
	profile, err := inboxProfile(s.cfg.Inbox.Mapping)
	if err != nil {
		return nil, err
	}
	p, err := page.Open(page.Config{
		DataDir: s.cfg.Node.DataDir, Sealing: s.ring.Sealing, Preview: s.previewDropped, Send: s.sendDropped, Receipts: proofs{s}, Queries: pageQueries{s}, Problem: pageProblem,
		Record:  func(what string, entries int) error { return s.record(what, []string{}, entries) },
		Profile: profile, Hospital: [2]string{m.NameEN, m.NameZH}, Keep: s.cfg.Page.Keep, Plain: s.cfg.Page.Plain,
		Hash: password.Default(), Now: s.clock, Logger: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	l, err := net.Listen("tcp", s.cfg.Page.Listen)
	if err != nil {
		return nil, fmt.Errorf("page.listen: %w", err)
	}
	// Few at once below TLS: a handshake that never ends takes a place, not memory.
	var few net.Listener = &fewAtOnce{Listener: l, places: make(chan struct{}, maxPageConns), closed: make(chan struct{})}
	fingerprint := "none: plain"
	if !s.cfg.Page.Plain {
		var conf *tls.Config
		conf, fingerprint, err = site.TLS(s.cfg.Node.DataDir, page.Kind().Name, s.cfg.Page.Cert, s.cfg.Page.Key, s.cfg.Page.Listen, s.clock)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		few = tls.NewListener(few, conf)
	}
	server := &http.Server{
		Handler: s.meter.Timed("page", p), ReadHeaderTimeout: pageTimeout, ReadTimeout: pageTimeout, WriteTimeout: 20 * time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.report(p.Run(ctx)) })
	s.log.Info("page", "address", l.Addr().String(), "certificate", fingerprint)
	stopServer := s.serveOn(few, server)
	return func() {
		cancel()
		stopServer()
		running.Wait()
	}, nil
}

// previewDropped says what would become of files. Its errors name no file.
func (s *service) previewDropped(ctx context.Context, files []admin.File) ([]admin.FileResult, error) {
	got, err := s.take(ctx, admin.Submission{Files: files, Preview: true})
	return got.Files, err
}

// proofs is this node as a source of receipts.
type proofs struct{ *service }

// Policy returns the policy of the newest checkpoint.
func (p proofs) Policy(context.Context) ([]byte, error) {
	policy, err := p.node.Policy(p.node.Checkpoint().Size)
	if err != nil {
		return nil, err
	}
	return policy.Marshal(), nil
}

// Proof returns the receipt of an entry.
func (p proofs) Proof(_ context.Context, index uint64) ([]byte, error) {
	text, err := p.proofOf(index)
	return []byte(text), err
}

// proofOf returns the receipt of an entry.
func (s *service) proofOf(index uint64) (string, error) {
	leaf, proof, err := s.node.Receipt(index)
	if err != nil {
		return "", err
	}
	proof.Extra = leaf
	return string(proof.Marshal()), nil
}

// pageProblem is what a clerk reads of an error: what kind it is, and nothing that
// may name a file.
func pageProblem(err error) string {
	for _, known := range problems {
		if errors.Is(err, known.err) {
			return known.err.Error()
		}
	}
	return "the node failed; its log says why"
}
