package daemon

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/envelope"
)

func (s *service) status(*http.Request) (admin.Status, error) {
	st, view := s.node.Status(), s.node.View()
	member, _ := view.Member(s.self.Institution)
	pending, alarm := s.outbox.Pending()
	out := admin.Status{
		Node: st.Node, Hospital: s.self.Institution, Name: nameOf(member), Kind: st.Kind.String(),
		Network: view.Name, NetworkID: hex.EncodeToString(view.Network[:]), Demo: view.Demo,
		Leader: st.Leader, Via: st.Via, Term: st.Term, Ready: st.Ready, Why: st.Why, WhyZH: st.WhyZH,
		Envelopes: st.Envelopes, Size: st.Size, Root: hex.EncodeToString(st.Root[:]), Checkpoint: st.Checkpoint.Size,
		Outbox: pending, Alarm: alarm, Version: s.version, Peers: s.sessions(),
	}
	if files, since := s.quotas.spool.Waiting(); files > 0 {
		out.Waiting, out.WaitingSince = files, since.UTC().Format(time.RFC3339)
	}
	tellLevel(&out, view)
	tell(&out, s.warnings(st, view))
	out.Dead = s.deadVoters(view)
	followers, last := s.node.Followers()
	for _, f := range followers {
		out.Followers = append(out.Followers, admin.Follower{
			Node: f.Node, Stored: f.Stored, Behind: last - min(last, f.Stored), Refused: f.Refused,
		})
	}
	return out, nil
}

// behind says why this node's copy may lack what the log has; nil if it does not.
func (s *service) behind() error {
	if st := s.node.Status(); !st.Ready {
		return fmt.Errorf("%w: %s", consensus.ErrNotYet, st.Why)
	}
	return nil
}

// sessions lists the nodes that this one is connected with.
func (s *service) sessions() []admin.Peer {
	out := []admin.Peer{}
	for _, p := range s.mesh.Connected() {
		out = append(out, admin.Peer{
			Node: p.Node, Class: p.Class.String(), Dialled: p.Dialled, RTTms: float64(p.RTT.Microseconds()) / 1000,
		})
	}
	return out
}

func nameOf(m *state.Member) string {
	if m.NameEN != "" {
		return m.NameEN
	}
	return m.NameZH
}

func (s *service) members(*http.Request) ([]admin.Member, error) {
	view := s.node.View()
	out := make([]admin.Member, len(view.Members))
	for i := range view.Members {
		m := &view.Members[i]
		out[i] = admin.Member{
			Number: uint32(i + 1), Role: m.Role.String(), NameZH: m.NameZH, NameEN: m.NameEN, Entity: m.Entity,
			Province: m.Province, Lead: m.Lead, Rights: m.Rights.String(), Sequence: m.Chain.Sequence, Nodes: []string{}, Parts: []admin.NodePart{},
		}
	}
	connected := s.reachable()
	for _, n := range view.Nodes {
		m := &out[n.Institution-1]
		m.Nodes = append(m.Nodes, n.ID)
		m.Parts = append(m.Parts, admin.NodePart{Node: n.ID, Kind: n.Kind.String(), DialsOut: len(n.Addresses) == 0, State: s.stateOf(connected, n.ID),
			Supports: supportOf(view, n.ID)})
	}
	for _, r := range view.Removals {
		out[r.Institution-1].Removed = r.At
	}
	for share, institution := range view.Holders {
		out[institution-1].Holder = admin.ShareNumber(share + 1)
	}
	return out, nil
}

func (s *service) head(*http.Request) (admin.Head, error) {
	cp := s.node.Checkpoint()
	if cp.Size == 0 {
		return admin.Head{}, fmt.Errorf("no checkpoint: %w", consensus.ErrNotYet)
	}
	policy, err := s.node.Policy(cp.Size)
	if err != nil {
		return admin.Head{}, err
	}
	cosignatures, err := policy.Verify(cp)
	if err != nil {
		return admin.Head{}, err
	}
	h := admin.Head{
		Origin: cp.Origin, Size: cp.Size, Root: hex.EncodeToString(cp.Root[:]), Note: string(cp.Marshal()),
		Time: time.Unix(int64(tlog.MedianTime(cosignatures)), 0).UTC().Format(time.RFC3339),
	}
	for _, c := range cosignatures {
		h.Cosigners = append(h.Cosigners, c.Name)
	}
	return h, nil
}

func (s *service) proof(r *http.Request) (admin.Proof, error) {
	index, err := number(r, "index")
	if err != nil {
		return admin.Proof{}, err
	}
	if size := s.node.View().Tree.Size(); s.node.Status().Ready && index >= size {
		return admin.Proof{}, fmt.Errorf("entry %d of %d: %w", index, size, reader.ErrNotFound)
	}
	leaf, proof, err := s.node.Receipt(index)
	if err != nil {
		return admin.Proof{}, err
	}
	proof.Extra = leaf // one file is enough: the proof itself vouches for the leaf
	return admin.Proof{Index: index, Leaf: hex.EncodeToString(leaf), Proof: string(proof.Marshal())}, nil
}

func (s *service) policy(r *http.Request) (string, error) {
	size, err := number(r, "size")
	if err != nil {
		return "", err
	}
	if size == 0 {
		size = s.node.Checkpoint().Size
	}
	policy, err := s.node.Policy(size)
	if err != nil {
		return "", err
	}
	return string(policy.Marshal()), nil
}

// leaves streams the public marks of the log.
func (s *service) leaves(w http.ResponseWriter, r *http.Request) {
	out := newStreamer(w)
	next, err := number(r, "from")
	limit, err2 := number(r, "limit")
	if err != nil || err2 != nil {
		fail(w, errInvalid)
		return
	}
	follow := r.URL.Query().Get("follow") == "true"
	for sent := uint64(0); ; {
		view := s.node.View()
		for ; next < view.Tree.Size(); next++ {
			leaf, err := s.leaf(next)
			if err != nil {
				out.fail(err)
				return
			}
			if sent++; !out.send(leaf) || sent == limit {
				return
			}
		}
		if !follow {
			return
		}
		out.flush()
		if _, err := s.node.Wait(r.Context(), func(v *state.State) bool { return v.Tree.Size() > next }); err != nil {
			out.fail(err)
			return
		}
	}
}

func (s *service) leaf(index uint64) (admin.Leaf, error) {
	raw, err := s.node.Machine().Leaf(index)
	if err != nil {
		return admin.Leaf{}, err
	}
	l, err := envelope.ParseLeaf(raw)
	if err != nil {
		return admin.Leaf{}, err
	}
	kind := "entry"
	if l.Kind == envelope.KindAct {
		kind = "act"
	}
	return admin.Leaf{
		Index: index, Kind: kind, Hospital: l.Hospital, Sequence: l.Sequence, Place: l.Place,
		LogTime: rfc3339(l.LogTime), Envelope: l.Envelope.String(), Commitment: hex.EncodeToString(l.Commitment[:]),
	}, nil
}

func rfc3339(ms uint64) string {
	return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02T15:04:05.000Z")
}
