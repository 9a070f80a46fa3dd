package daemon

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/registry/act"
)

const (
	reportTimeout = 3 * time.Second // for a node to say where it stands
	reportsAtOnce = 32
	heardAgain    = 2 * time.Second // before all nodes are asked again for somebody else
)

// hearing is when this node heard the others last, and what they said.
type hearing struct {
	began time.Time

	mu   sync.Mutex
	last map[string]time.Time // guarded by mu

	asking sync.Mutex // held while all are asked, so that many who ask cost one round
	asked  time.Time  // guarded by asking
	answer []peer.Heard
}

// note records which nodes are heard now.
func (h *hearing) note(now time.Time, connected map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.began, h.last = now, map[string]time.Time{}
	}
	for node := range connected {
		h.last[node] = now
	}
}

// since is when a node was heard last, or when this one started.
func (h *hearing) since(node string) (at time.Time, never bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, ok := h.last[node]; ok {
		return at, false
	}
	return h.began, true
}

// Report is where this node stands, for others.
func (s *service) Report() peer.Report {
	st := s.node.Status()
	return peer.Report{
		Node: st.Node, Version: s.version, Supports: act.SupportedLevel, Leader: st.Leader, Via: st.Via, Term: st.Term,
		Size: st.Size, Checkpoint: st.Checkpoint.Size, Cosigned: st.Cosigned, Ready: st.Ready, Why: st.Why, WhyZH: st.WhyZH,
	}
}

// Heard asks every node that this one has a session with. What it learned a moment
// ago it does not ask again.
func (s *service) Heard(ctx context.Context) []peer.Heard {
	h := &s.heard
	h.asking.Lock()
	defer h.asking.Unlock()
	if now := s.clock(); h.answer == nil || now.Sub(h.asked) >= heardAgain || now.Before(h.asked) {
		h.answer, h.asked = s.askAll(ctx), now
	}
	return h.answer
}

func (s *service) askAll(ctx context.Context) []peer.Heard {
	connected := s.reachable()
	var list []peer.Heard
	for _, n := range s.node.View().Nodes {
		if n.ID != s.self.ID {
			list = append(list, s.heardOf(n.ID, connected[n.ID]))
		}
	}
	places := make(chan struct{}, reportsAtOnce)
	var workers sync.WaitGroup
	for i := range list {
		if !list[i].Reached {
			continue
		}
		workers.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			ctx, cancel := context.WithTimeout(ctx, reportTimeout)
			defer cancel()
			if r, err := s.peers.Report(ctx, list[i].Node); err == nil {
				list[i].Report = &r
			} else {
				s.log.Debug("a node does not say where it stands", "node", list[i].Node, "reason", err.Error())
			}
		})
	}
	workers.Wait()
	return list
}

// heardOf is what this node knows of another without asking it.
func (s *service) heardOf(node string, connected bool) peer.Heard {
	h := peer.Heard{Node: node, Reached: connected}
	if connected {
		return h
	}
	at, never := s.heard.since(node)
	h.Ago, h.Never = max(0, s.clock().Sub(at)).Truncate(time.Millisecond), never
	return h
}

// network is one table of all nodes. What this node does not reach, voters may: each
// that it reaches is asked what it hears, until nothing is missing.
func (s *service) network(r *http.Request) (admin.NetworkStatus, error) {
	return s.networkNow(r.Context())
}

func (s *service) networkNow(ctx context.Context) (admin.NetworkStatus, error) {
	view := s.node.View()
	rows := map[string]peer.Heard{}
	own := s.Report()
	rows[s.self.ID] = peer.Heard{Node: s.self.ID, Reached: true, Report: &own}
	merge(rows, s.askAll(ctx))
	for _, v := range view.Voters() {
		if v.ID == s.self.ID || !rows[v.ID].Reached || allTold(view, rows) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 2*reportTimeout)
		heard, err := s.peers.Heard(ctx, v.ID)
		cancel()
		if err == nil {
			merge(rows, heard)
		}
	}
	return s.networkStatus(view, rows), ctx.Err()
}

// merge keeps of each node the best that is known: a report before a session, and
// else what was heard last.
func merge(rows map[string]peer.Heard, more []peer.Heard) {
	rank := func(h peer.Heard) int {
		switch {
		case h.Report != nil:
			return 3
		case h.Reached:
			return 2
		case !h.Never:
			return 1
		}
		return 0
	}
	for _, h := range more {
		was, known := rows[h.Node]
		better := cmp.Compare(rank(h), rank(was))
		if better == 0 && rank(h) == 1 { // heard less long ago
			better = cmp.Compare(was.Ago, h.Ago)
		}
		if better == 0 && rank(h) == 0 { // waited for in vain for longer
			better = cmp.Compare(h.Ago, was.Ago)
		}
		if !known || better > 0 {
			rows[h.Node] = h
		}
	}
}

func allTold(view *state.State, rows map[string]peer.Heard) bool {
	return !slices.ContainsFunc(view.Nodes, func(n act.Node) bool { return rows[n.ID].Report == nil })
}

func (s *service) networkStatus(view *state.State, rows map[string]peer.Heard) admin.NetworkStatus {
	cosigners := s.cosigners()
	out := admin.NetworkStatus{Nodes: []admin.NetworkNode{}, Size: view.Tree.Size(), FeatureLevel: view.FeatureLevel}
	for _, h := range rows {
		if h.Report != nil {
			out.Size = max(out.Size, h.Report.Size)
		}
	}
	for _, n := range view.Nodes {
		m, _ := view.Member(n.Institution)
		row := admin.NetworkNode{
			Node: n.ID, Kind: n.Kind.String(), Institution: n.Institution, Name: nameOf(m), NameZH: m.NameZH,
			Supports: supportOf(view, n.ID),
		}
		s.fill(&row, rows[n.ID], out.Size)
		if r := rows[n.ID].Report; n.Kind == act.Voter && r != nil { // a checkpoint need not hold more than a majority
			cosigns := cosigners[consensus.CosignerName(view, n.ID)] || r.Cosigned >= s.node.Checkpoint().Size
			row.Cosigns, row.Cosigned = &cosigns, r.Cosigned
		}
		out.Nodes = append(out.Nodes, row)
	}
	out.Dead = s.deadVoters(view)
	return out
}

// fill puts what is heard of a node into its row; size is the largest tree there is.
func (s *service) fill(row *admin.NetworkNode, h peer.Heard, size uint64) {
	row.Reached = h.Reached
	if !h.Reached && h.Node != "" {
		row.Since, row.Never = s.clock().Add(-h.Ago).UTC().Format(time.RFC3339), h.Never
	}
	if h.Report == nil {
		return
	}
	r := h.Report
	behind := size - min(size, r.Size)
	row.Told, row.Version, row.Supports = true, r.Version, r.Supports
	row.Leader, row.Via, row.Term = r.Leader, r.Via, r.Term
	row.Size, row.Behind, row.Checkpoint = &r.Size, &behind, &r.Checkpoint
	row.Ready, row.Why, row.WhyZH = &r.Ready, r.Why, r.WhyZH
}

// cosigners names who cosigned the newest checkpoint that this node has.
func (s *service) cosigners() map[string]bool {
	cp := s.node.Checkpoint()
	out := map[string]bool{}
	policy, err := s.node.Policy(cp.Size)
	if err != nil || cp.Size == 0 {
		return out
	}
	cosignatures, err := policy.Verify(cp)
	if err != nil {
		return out
	}
	for _, c := range cosignatures {
		out[c.Name] = true
	}
	return out
}
