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
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// serveConsole answers browsers, if an address is configured, until stop is called.
func (s *service) serveConsole() (stop func(), err error) {
	if s.cfg.Console.Listen == "" {
		return func() {}, nil
	}
	m, ok := s.node.View().Member(s.self.Institution)
	if !ok {
		s.log.Warn("console.listen is set, and this node belongs to no institution of the network: no console is served")
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
		Institution: [2]string{m.NameEN, m.NameZH}, Number: s.self.Institution, Only: onlyOf(m), Plain: s.cfg.Console.Plain, Hash: password.Default(), Now: s.clock, Logger: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return s.serveSite(webSite{console.Kind().Name, s.cfg.Console.Listen, s.cfg.Console.Cert, s.cfg.Console.Key, s.cfg.Console.Plain}, c, time.Minute)
}

// onlyOf says what an institution may open, if that is not everything.
func onlyOf(m *state.Member) [2]string {
	switch {
	case m.Rights.Has(act.RightNational):
		return [2]string{}
	case m.Rights.Has(act.RightProvince):
		p := report.ProvinceText(m.Province)
		return [2]string{"hospitals of " + p.EN + " alone", "仅限" + p.ZH + "的医院"}
	}
	return [2]string{"what this institution has sent, and nothing of others", "仅限本机构报送的内容，不含其他机构"}
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

// agreementPatience is how long a page waits for nodes to say where they stand.
const agreementPatience = time.Second

// Agreement compares the newest checkpoint with this node's own copy, and with what the
// nodes say of theirs.
func (n consoleNode) Agreement(ctx context.Context) (console.Agreement, error) {
	cp := n.node.Checkpoint()
	if cp.Size == 0 {
		return console.Agreement{Why: [2]string{"there is no checkpoint yet", "尚无检查点"}, Root: "–", Time: "–"}, nil
	}
	out := console.Agreement{Size: cp.Size, Root: hex.EncodeToString(cp.Root[:]), Time: "–"}
	head, err := n.head(nil)
	if err != nil {
		out.Why = [2]string{err.Error(), err.Error()}
		return out, nil
	}
	out.Time = head.Time
	own, err := n.node.Machine().RootAt(cp.Size)
	switch {
	case err != nil:
		out.Why = [2]string{err.Error(), err.Error()}
	case own != cp.Root:
		root := hex.EncodeToString(own[:])
		out.Why = [2]string{"the root of this node's own copy is " + root, "本节点副本的根哈希是 " + root}
	default:
		out.Checked = true
	}
	asking, cancel := context.WithTimeout(ctx, agreementPatience)
	defer cancel()
	network, _ := n.networkNow(asking) // who has not answered by then is not heard
	out.Agree, out.Without = agreeing(network.Nodes, n.self.ID, out)
	return out, ctx.Err()
}

// agreeing says which nodes are known to have the tree of an agreement.
func agreeing(nodes []admin.NetworkNode, self string, a console.Agreement) (agree []string, without []console.Without) {
	for _, node := range nodes {
		cosigns := node.Cosigns != nil && *node.Cosigns
		has := node.Checkpoint != nil && *node.Checkpoint >= a.Size
		switch {
		case node.Node == self && a.Checked, node.Node != self && (cosigns || has):
			agree = append(agree, node.Node)
		case node.Checkpoint != nil:
			without = append(without, console.Without{Node: node.Node, Heard: true, Size: *node.Checkpoint})
		default:
			without = append(without, console.Without{Node: node.Node})
		}
	}
	return agree, without
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

// Asks reports whether this institution asks hospitals about their entries.
func (n consoleNode) Asks() bool {
	m, ok := n.node.View().Member(n.self.Institution)
	return ok && m.Rights.Has(act.RightNational)
}

// Ask asks the hospital of an entry, and waits for the receipt.
func (n consoleNode) Ask(ctx context.Context, q admin.Question) (admin.QueryResult, error) {
	q.Wait = true
	return n.ask(ctx, q)
}

// CloseQuery closes a query of this institution, and waits for the receipt.
func (n consoleNode) CloseQuery(ctx context.Context, index uint64) (admin.QueryResult, error) {
	return n.closeAsked(ctx, index, true)
}
