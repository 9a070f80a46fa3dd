package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	maxClaimSpans  = 1 << 18 // of one hospital
	maxWithdrawals = 1 << 20
)

// Claim is what has been withdrawn in a hospital's name. The state knows no
// leaves, so it cannot tell whose an entry is: an entry is erased if it is in
// the claim of the very hospital that its leaf names. A claim to another's
// entry says nothing, and a leader does not let one pass.
type Claim struct {
	Hospital uint32
	Entries  []act.Span
}

// Withdrawal is where a withdrawal lies in the log.
type Withdrawal struct {
	Envelope uint64 // number
	Index    uint64 // of its leaf
	LogTime  uint64 // ms
}

// ErasureReceipt is what a node's institution last declared: all withdrawals up
// to an envelope are carried out on it.
type ErasureReceipt struct {
	Node     string
	Through  uint64 // number of the last such withdrawal's envelope
	Envelope uint64 // number of the envelope that says so
}

// Entitled is a node that has, or once had, a right to a copy of the log.
type Entitled struct {
	Node        string
	Institution uint32
	To          uint64 // number of the act that removed it; 0 = it is in the roster
}

// Withdrawn reports whether the entry at an index is to be erased, if it is an
// entry of this hospital. An act is never erased: the caller asks for entries.
func (s *State) Withdrawn(hospital uint32, index uint64) bool {
	i, found := s.findClaim(hospital)
	return found && holds(s.Claims[i].Entries, index)
}

func (s *State) findClaim(hospital uint32) (int, bool) {
	return slices.BinarySearchFunc(s.Claims, hospital, func(c Claim, hospital uint32) int {
		return cmp.Compare(c.Hospital, hospital)
	})
}

// LastWithdrawal returns the newest withdrawal; found is false if there is none.
func (s *State) LastWithdrawal() (w Withdrawal, found bool) {
	if len(s.Withdrawals) == 0 {
		return Withdrawal{}, false
	}
	return s.Withdrawals[len(s.Withdrawals)-1], true
}

// ErasureReceipt returns what was last declared of a node; found is false if
// nothing was.
func (s *State) ErasureReceipt(node string) (r ErasureReceipt, found bool) {
	i, found := s.findReceipt(node)
	if !found {
		return ErasureReceipt{}, false
	}
	return s.ErasureReceipts[i], true
}

func (s *State) findReceipt(node string) (int, bool) {
	return slices.BinarySearchFunc(s.ErasureReceipts, node, func(r ErasureReceipt, node string) int {
		return cmp.Compare(r.Node, node)
	})
}

// OwedReceipt returns the oldest withdrawal of which a node has not declared
// that it is carried out; found is false if it has declared all.
func (s *State) OwedReceipt(node string) (w Withdrawal, found bool) {
	after := 0
	if r, declared := s.ErasureReceipt(node); declared {
		after, _ = slices.BinarySearchFunc(s.Withdrawals, r.Through+1, func(w Withdrawal, number uint64) int {
			return cmp.Compare(w.Envelope, number)
		})
	}
	if after >= len(s.Withdrawals) {
		return Withdrawal{}, false
	}
	return s.Withdrawals[after], true
}

func (s *State) admitWithdrawal(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	d, err := act.DecodeWithdrawal(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	own := d.Hospital == e.Hospital && len(a.Approvals) == 0
	if own {
		if r := unapproved(a); r != nil {
			return r
		}
	} else if r := s.approved(a, logTime); r != nil {
		return r
	}
	return s.admissibleWithdrawal(a)
}

// admissibleWithdrawal is admitWithdrawal without the approvals.
func (s *State) admissibleWithdrawal(a *act.Act) *Refusal {
	d, err := act.DecodeWithdrawal(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	m, ok := s.Member(d.Hospital)
	if !ok || !m.sendsEntries() {
		return refuse(CodeActPayload, "institution %d sends no entries and has none", d.Hospital)
	}
	if last := d.Entries[len(d.Entries)-1].End() - 1; last >= s.Tree.Size() {
		return refuse(CodeActPayload, "entry %d is not in the log of %d", last, s.Tree.Size())
	}
	if len(s.Withdrawals) >= maxWithdrawals {
		return refuse(CodeActPayload, "the log holds %d withdrawals, and takes no more", maxWithdrawals)
	}
	i, found := s.findClaim(d.Hospital)
	if !found {
		return nil
	}
	switch held := s.Claims[i].Entries; {
	case holdsAll(held, d.Entries):
		return refuse(CodeActPayload, "all of these entries of institution %d are withdrawn already", d.Hospital)
	case len(held)+len(d.Entries) > maxClaimSpans:
		return refuse(CodeActPayload, "institution %d has withdrawn %d runs of entries, at most %d", d.Hospital, len(held), maxClaimSpans)
	}
	return nil
}

func (s *State) acceptWithdrawal(a *act.Act, logTime uint64) {
	d, err := act.DecodeWithdrawal(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.Withdrawals = append(s.Withdrawals, Withdrawal{Envelope: s.Envelopes, Index: s.Tree.Size() - 1, LogTime: logTime})
	i, found := s.findClaim(d.Hospital)
	if !found {
		s.Claims = slices.Insert(s.Claims, i, Claim{Hospital: d.Hospital})
	}
	s.Claims[i].Entries = union(s.Claims[i].Entries, d.Entries)
}

func (s *State) admitErasureReceipt(e *envelope.Envelope, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeErasureReceipt(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if node, ok := s.Node(d.Node); !ok || node.Institution != e.Hospital {
		return refuse(CodeActPayload, "node %q is not the sender's", d.Node)
	}
	if !slices.ContainsFunc(s.Withdrawals, func(w Withdrawal) bool { return w.Envelope == d.Through && w.Index == d.Index }) {
		return refuse(CodeActPayload, "envelope %d with leaf %d is no withdrawal", d.Through, d.Index)
	}
	if before, declared := s.ErasureReceipt(d.Node); declared && d.Through <= before.Through {
		return refuse(CodeActPayload, "node %q has declared its erasures through envelope %d", d.Node, before.Through)
	}
	return nil
}

func (s *State) acceptErasureReceipt(a *act.Act) {
	d, err := act.DecodeErasureReceipt(a.Payload)
	if err != nil {
		return // not admitted
	}
	i, found := s.findReceipt(d.Node)
	if !found {
		s.ErasureReceipts = slices.Insert(s.ErasureReceipts, i, ErasureReceipt{Node: d.Node})
	}
	s.ErasureReceipts[i] = ErasureReceipt{Node: d.Node, Through: d.Through, Envelope: s.Envelopes}
}

// noteEntitled keeps the list of nodes that ever had a right to a copy in step
// with the roster. It is called after each act.
func (s *State) noteEntitled() {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		at, found := slices.BinarySearchFunc(s.Entitled, n.ID, func(e Entitled, id string) int { return cmp.Compare(e.Node, id) })
		if !found {
			s.Entitled = slices.Insert(s.Entitled, at, Entitled{Node: n.ID, Institution: n.Institution})
		}
	}
	if len(s.Entitled) == len(s.Nodes) {
		return
	}
	for i := range s.Entitled {
		if _, there := s.Node(s.Entitled[i].Node); !there && s.Entitled[i].To == 0 {
			s.Entitled[i].To = s.Envelopes
		}
	}
}

// appendErasures appends what the state knows of erasures: an array of 4.
func (s *State) appendErasures(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendArray(b, len(s.Claims))
	for _, c := range s.Claims {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, uint64(c.Hospital))
		b = act.AppendSpans(b, c.Entries)
	}
	b = cbor.AppendArray(b, len(s.Withdrawals))
	for _, w := range s.Withdrawals {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendUint(b, w.Envelope)
		b = cbor.AppendUint(b, w.Index)
		b = cbor.AppendUint(b, w.LogTime)
	}
	b = cbor.AppendArray(b, len(s.ErasureReceipts))
	for _, r := range s.ErasureReceipts {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendText(b, r.Node)
		b = cbor.AppendUint(b, r.Through)
		b = cbor.AppendUint(b, r.Envelope)
	}
	b = cbor.AppendArray(b, len(s.Entitled))
	for _, e := range s.Entitled {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendText(b, e.Node)
		b = cbor.AppendUint(b, uint64(e.Institution))
		b = cbor.AppendUint(b, e.To)
	}
	return b
}

func (s *State) decodeErasures(d *cbor.Decoder) {
	d.Array(4)
	s.Claims = readList(d, maxMembers, func(d *cbor.Decoder) Claim {
		d.Array(2)
		return Claim{Hospital: d.Uint32(), Entries: act.ReadSpans(d, maxClaimSpans)}
	})
	s.Withdrawals = readList(d, maxWithdrawals, func(d *cbor.Decoder) Withdrawal {
		d.Array(3)
		return Withdrawal{Envelope: d.Uint(), Index: d.Uint(), LogTime: d.Uint()}
	})
	s.ErasureReceipts = readList(d, maxMembers, func(d *cbor.Decoder) ErasureReceipt {
		d.Array(3)
		return ErasureReceipt{Node: d.Text(32), Through: d.Uint(), Envelope: d.Uint()}
	})
	s.Entitled = readList(d, 2*maxMembers, func(d *cbor.Decoder) Entitled {
		d.Array(3)
		return Entitled{Node: d.Text(32), Institution: d.Uint32(), To: d.Uint()}
	})
}
