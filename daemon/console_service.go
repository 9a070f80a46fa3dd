package daemon

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// serveConsole answers the browsers of a national reader, if an address is
// configured, until stop is called.
func (s *service) serveConsole() (stop func(), err error) {
	if s.cfg.Console.Listen == "" {
		return func() {}, nil
	}
	m, ok := s.node.View().Member(s.self.Institution)
	if !ok || !m.Rights.Has(act.RightNational) {
		s.log.Warn("console.listen is set, and this institution is no national reader: no console is served")
		return func() {}, nil
	}
	c, err := console.Open(console.Config{
		DataDir: s.cfg.Node.DataDir, Node: consoleNode{s}, Report: s.makeReport, Audit: s.auditConsole,
		Read: func(ctx context.Context, province string, f func(view.Query) error) error {
			if err := s.node.Whole(); err != nil {
				return err
			}
			return s.view.ReadIn(ctx, province, func(q view.Query) error {
				if err := saw(ctx, q, province); err != nil {
					return err
				}
				return f(q)
			})
		},
		Record:    func(what string) error { return s.record(what, []string{}, 0) },
		Catalogue: s.newest, MinCell: func() int { return int(s.node.View().Policy.MinCell) },
		Institution: [2]string{m.NameEN, m.NameZH}, Plain: s.cfg.Console.Plain, Hash: password.Default(), Now: s.clock, Logger: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return s.serveSite(webSite{console.Kind().Name, s.cfg.Console.Listen, s.cfg.Console.Cert, s.cfg.Console.Key, s.cfg.Console.Plain}, c, time.Minute)
}

// auditConsole says on the log that an account is about to be shown what was opened.
func (s *service) auditConsole(ctx context.Context, a site.Account, what string) (context.Context, func(), error) {
	purpose := act.PurposeRegistry
	if a.Role == console.QC {
		purpose = act.PurposeQuality
	}
	if a.Province != "" {
		what += ", of province " + a.Province
	}
	reading, err := s.reads.Commit(ctx, reads.Question{Account: "console:" + a.Name, Purpose: purpose, Query: what})
	if err != nil {
		return nil, nil, err
	}
	return reads.With(ctx, reading), func() {
		if err := reading.Close(); err != nil {
			s.log.Error("what was read is not kept", "reason", err.Error())
		}
	}, nil
}

// saw notes what a look at the view reads: all of it, or what a province's hospitals
// have sent.
func saw(ctx context.Context, q view.Query, province string) error {
	if province == "" {
		sawAll(ctx, q.Head.Size)
		return nil
	}
	return q.Each(`SELECT v.first, v.entries FROM envelopes v JOIN hospitals h ON h.number = v.hospital ORDER BY v.first`, func(row view.Row) error {
		var s act.Span
		err := row(&s.First, &s.Count)
		reads.Saw(ctx, s)
		return err
	})
}

// consoleNode is this node as the console asks it.
type consoleNode struct{ *service }

// Agreement compares the newest checkpoint with this node's own copy.
func (n consoleNode) Agreement() (console.Agreement, error) {
	cp := n.node.Checkpoint()
	if cp.Size == 0 {
		return console.Agreement{Why: "no checkpoint", Root: "–", Time: "–"}, nil
	}
	out := console.Agreement{Size: cp.Size, Root: hex.EncodeToString(cp.Root[:]), Time: "–"}
	head, err := n.head(nil)
	if err != nil {
		out.Why = err.Error()
		return out, nil
	}
	out.Agree, out.Time = head.Cosigners, head.Time
	for _, v := range n.node.View().Nodes {
		if v.Kind == act.Voter {
			out.Of++
		}
	}
	own, err := n.node.Machine().RootAt(cp.Size)
	switch {
	case err != nil:
		out.Why = err.Error()
	case own != cp.Root:
		out.Why = "the root of this node's copy is " + hex.EncodeToString(own[:])
	default:
		out.Checked = true
	}
	return out, nil
}

// Envelopes lists the newest, or those before one.
func (n consoleNode) Envelopes(before uint64, most int) (out []console.Envelope, err error) {
	st := n.node.View()
	if before == 0 || before > st.Envelopes {
		before = st.Envelopes
	}
	for number := before; number > 0 && len(out) < most; {
		number--
		one, err := n.envelopeAt(st, number)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (n consoleNode) envelopeAt(st *state.State, number uint64) (one console.Envelope, err error) {
	meta, err := n.node.Machine().Meta(number)
	if err != nil {
		return one, err
	}
	raw, err := n.node.Machine().Leaf(meta.First)
	if err != nil {
		return one, err
	}
	leaf, err := envelope.ParseLeaf(raw)
	if err != nil {
		return one, err
	}
	one = console.Envelope{
		Number: number, Act: leaf.Kind == envelope.KindAct, Hospital: leaf.Hospital, Sequence: leaf.Sequence, First: meta.First, Entries: meta.Count,
		LogTime: time.UnixMilli(int64(leaf.LogTime)),
	}
	if m, ok := st.Member(leaf.Hospital); ok {
		one.Name = [2]string{m.NameEN, m.NameZH}
	}
	return one, nil
}

// Leaf is the public mark of an entry.
func (n consoleNode) Leaf(index uint64) (admin.Leaf, error) { return n.leaf(index) }

// Receipt proves that an entry is in the log.
func (n consoleNode) Receipt(index uint64) (string, error) { return n.proofOf(index) }

// Checkpoint is the newest one.
func (n consoleNode) Checkpoint() (string, error) {
	h, err := n.head(nil)
	return h.Note, err
}

// Policy verifies it.
func (n consoleNode) Policy() (string, error) {
	policy, err := proofs(n).Policy(context.Background())
	return string(policy), err
}

// Nodes says where the nodes stand.
func (n consoleNode) Nodes(ctx context.Context) (admin.NetworkStatus, error) {
	return n.networkNow(ctx)
}

// Queries are the quality queries that this reader may open.
func (n consoleNode) Queries(ctx context.Context) ([]admin.Query, error) { return n.queriesNow(ctx) }
