package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/registry/act"
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
		DataDir: s.cfg.Node.DataDir, Sealing: s.ring.Sealing, Preview: s.previewDropped, Send: s.sendDropped, Receipts: proofs{s}, Queries: pageQueries{s}, Letters: pageLetters{s}, Checks: pageChecks{s}, Problem: pageProblem,
		Record:  func(what string, entries int) error { return s.record(what, []string{}, entries) },
		Profile: profile, Hospital: [2]string{m.NameEN, m.NameZH}, Keep: s.cfg.Page.Keep, Plain: s.cfg.Page.Plain,
		Hash: password.Default(), Now: s.clock, Logger: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	server, err := s.serveSite(webSite{page.Kind().Name, s.cfg.Page.Listen, s.cfg.Page.Cert, s.cfg.Page.Key, s.cfg.Page.Plain}, p, 20*time.Minute)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { s.report(p.Run(ctx)) })
	return func() {
		cancel()
		server()
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
