package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/certificate"
	"github.com/raresync/raresync/registry/envelope"
)

// errNotWithdrawn reports an entry or envelope that no withdrawal is of.
var errNotWithdrawn = errors.New("nothing of it is withdrawn")

// listErasures lists the withdrawals, and how many nodes have declared each.
func (s *service) listErasures(*http.Request) ([]admin.Erasure, error) {
	view := s.node.View()
	out := make([]admin.Erasure, 0, len(view.Withdrawals))
	for _, w := range view.Withdrawals {
		d, err := s.withdrawalAt(w.Envelope)
		if err != nil {
			return nil, err
		}
		out = append(out, describeErasure(view, w, d))
	}
	return out, nil
}

func describeErasure(view *state.State, w state.Withdrawal, d act.Withdrawal) admin.Erasure {
	e := admin.Erasure{
		Envelope: w.Envelope, LogTime: rfc3339(w.LogTime), Hospital: d.Hospital, Name: institutionName(view, d.Hospital),
		Entries: act.CountSpans(d.Entries), Nodes: len(view.Entitled),
	}
	for _, n := range view.Entitled {
		if r, found := view.ErasureReceipt(n.Node); found && r.Through >= w.Envelope {
			e.Declared++
		}
	}
	return e
}

// withdrawalAt reads a withdrawal from the log.
func (s *service) withdrawalAt(number uint64) (act.Withdrawal, error) {
	e, _, err := s.node.Machine().Envelope(number)
	if err != nil {
		return act.Withdrawal{}, err
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil {
		return act.Withdrawal{}, err
	}
	return act.DecodeWithdrawal(a.Payload)
}

// erasure makes the certificate of a withdrawal, by its envelope number.
func (s *service) erasure(r *http.Request) (admin.ErasureCertificate, error) {
	number, err := number(r, "envelope")
	if err != nil {
		return admin.ErasureCertificate{}, err
	}
	view := s.node.View()
	for _, w := range view.Withdrawals {
		if w.Envelope == number {
			return s.certify(view, w)
		}
	}
	return admin.ErasureCertificate{}, fmt.Errorf("envelope %d: %w", number, errNotWithdrawn)
}

// erasureOf makes the certificate of the withdrawal of an entry, by its index.
func (s *service) erasureOf(r *http.Request) (admin.ErasureCertificate, error) {
	index, err := number(r, "index")
	if err != nil {
		return admin.ErasureCertificate{}, err
	}
	view := s.node.View()
	if size := view.Tree.Size(); index >= size {
		return admin.ErasureCertificate{}, fmt.Errorf("entry %d of %d: %w", index, size, reader.ErrNotFound)
	}
	raw, err := s.node.Machine().Leaf(index)
	if err != nil {
		return admin.ErasureCertificate{}, err
	}
	leaf, err := envelope.ParseLeaf(raw)
	if err != nil {
		return admin.ErasureCertificate{}, err
	}
	for _, w := range view.Withdrawals {
		d, err := s.withdrawalAt(w.Envelope)
		if err != nil {
			return admin.ErasureCertificate{}, err
		}
		in := slices.ContainsFunc(d.Entries, func(span act.Span) bool { return index >= span.First && index < span.End() })
		if in && leaf.Kind == envelope.KindEntries && leaf.Hospital == d.Hospital {
			return s.certify(view, w)
		}
	}
	return admin.ErasureCertificate{}, fmt.Errorf("entry %d: %w", index, errNotWithdrawn)
}

// certify collects what the nodes have declared of a withdrawal. A receipt that
// no checkpoint covers yet does not count yet.
func (s *service) certify(view *state.State, w state.Withdrawal) (out admin.ErasureCertificate, err error) {
	d, err := s.withdrawalAt(w.Envelope)
	if err != nil {
		return out, err
	}
	cp := s.node.Checkpoint()
	c := certificate.Certificate{
		Network: view.Name, NetworkID: view.Network, Maker: s.self.ID, Envelope: w.Envelope, Checkpoint: cp.Marshal(),
	}
	if c.Withdrawal, err = s.proven(cp, w.Envelope); err != nil {
		return out, err
	}
	out.Erasure = describeErasure(view, w, d)
	for _, e := range view.Entitled {
		n := certificate.Node{ID: e.Node, Institution: e.Institution, Name: institutionName(view, e.Institution), Removed: e.To != 0}
		shown := admin.ErasureNode{Node: e.Node, Institution: e.Institution, Name: n.Name, State: "owed"}
		if n.Removed {
			shown.State = "removed"
		}
		if r, found := view.ErasureReceipt(e.Node); found && r.Through >= w.Envelope {
			p, err := s.proven(cp, r.Envelope)
			if err != nil && !errors.Is(err, consensus.ErrNotYet) {
				return out, err
			}
			if err == nil {
				n.Receipt, shown.State, shown.Envelope = &p, "declared", r.Envelope
			}
		}
		c.Nodes = append(c.Nodes, n)
		out.Nodes = append(out.Nodes, shown)
	}
	for _, b := range view.SaltsBackups {
		c.SaltsExpiry = max(c.SaltsExpiry, b.Expiry)
	}
	if c.SaltsExpiry > 0 {
		out.SaltsExpire = rfc3339(c.SaltsExpiry)
	}
	out.Erasure.Declared, _ = c.Count()
	file, err := c.Marshal()
	out.File = string(file)
	return out, err
}

// proven returns the act of an envelope with its proof under a checkpoint.
func (s *service) proven(cp tlog.SignedCheckpoint, number uint64) (certificate.Proven, error) {
	meta, err := s.node.Machine().Meta(number)
	if err != nil {
		return certificate.Proven{}, err
	}
	e, _, err := s.node.Machine().Envelope(number)
	if err != nil {
		return certificate.Proven{}, err
	}
	leaf, proof, err := s.node.ReceiptUnder(cp, meta.First)
	if err != nil {
		return certificate.Proven{}, err
	}
	return certificate.Proven{Index: meta.First, Leaf: leaf, Envelope: e.Marshal(), Hashes: proof.Hashes}, nil
}

// erasureWarnings tells of nodes that have not declared an erasure in time, and
// of backups from which erased entries may still be read. now is a clock in ms;
// what counts is log time, if that is later.
func erasureWarnings(view *state.State, now uint64) (out []warning) {
	now = max(now, view.LogTime)
	overdueAfter := time.Duration(view.Policy.InForce().DeclareMinutes) * time.Minute
	for _, e := range view.Entitled {
		w, owed := view.OwedReceipt(e.Node)
		late := time.Duration(now-min(now, w.LogTime)) * time.Millisecond
		if e.To != 0 || !owed || late <= overdueAfter {
			continue
		}
		out = append(out, warn("node %s of %s has not declared the erasure of envelope %d after %s: is it running? raresync erasure show --envelope %[3]d",
			"%[2]s 的节点 %[1]s 在 %[4]s 后仍未声明擦除信封 %[3]d：该节点是否在运行？raresync erasure show --envelope %[3]d",
			e.Node, memberWithNumber(view, e.Institution), w.Envelope, late.Truncate(time.Minute)))
	}
	last, withdrawn := view.LastWithdrawal()
	for _, b := range view.SaltsBackups {
		if withdrawn && b.Expiry > now && b.Size <= last.Index {
			out = append(out, warn("erased entries may be read from a backup with salts of node %s until it is destroyed, at the latest %s: raresync backup list",
				"在节点 %s 的含盐备份销毁之前（最迟 %s），已擦除的条目仍可能从中读出：raresync backup list", b.Node, rfc3339(b.Expiry)))
		}
	}
	return out
}
