package state

import (
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// State is a function of the accepted envelopes alone. It is not safe for
// concurrent use; [State.Clone] gives a copy to read elsewhere.
type State struct {
	Network       [32]byte
	Name          string // of the network
	Demo          bool
	LogEpoch      uint64
	Quorum        uint64 // q
	FeatureLevel  uint64 // in force
	RosterVersion uint64
	Identity      pseudonym.Params
	Policy        act.Policy
	Catalogue     act.Catalogue // of the genesis; see [State.Catalogues]

	Envelopes  uint64 // accepted so far; the next envelope's number
	Tree       *tlog.Frontier
	LogTime    uint64 // of the last accepted envelope, ms
	Members    []Member
	Nodes      []act.Node
	ReaderSets []ReaderSet     // ascending by number; the last is current
	OPRF       keyshare.Record // zero until the founders' ceremony has made the key
	Holders    []uint32        // institution of share 1, 2, ...

	SaltsBackups []SaltsBackup // ascending by node

	Ceremony   *Ceremony       // the newest; nil if there was none
	Canary     act.Canary      // newest of the key in force; epoch 0: none yet
	Proposals  []Proposal      // by envelope number; see [State.Proposal] for which are open
	Ended      []EndedProposal // the newest that ended, by the number at which they did
	Allowances []Allowance     // ascending by hospital, each once
	Falsehoods []Falsehood     // ascending by epoch and holder, each once
	Usages     []Usage         // ascending by week and holder, each once

	Revocations []Revocation // in order of their acts
	Grants      []Grant      // in order of their acts

	Claims          []Claim          // ascending by hospital, each once
	Withdrawals     []Withdrawal     // in order of their acts
	ErasureReceipts []ErasureReceipt // ascending by node, each once
	Entitled        []Entitled       // ascending by node, each once

	VoterSets  []VoterSet  // ascending by size; the last is current
	Candidates []Candidate // ascending by node, each once
	Removals   []Removal   // in order of their acts, each institution once
	Gone       []GoneNode  // ascending by node, each once

	Editions []Edition     // of the disease lists beside Catalogue, in order of their acts
	Supports []act.Support // what nodes have said of their builds, ascending by node, each once
	Epochs   []Epoch       // log epochs after the first, ascending; the last is LogEpoch
}

// Member is an institution with its chain of envelopes. Its number is its
// place in State.Members plus one.
type Member struct {
	act.Institution               // current keys
	Signing         []SigningSpan // every envelope key it ever had
	Sealing         []SealingSpan // every sealing key it ever had
	Former          [][32]byte    // ids of the request, response and TLS keys it had before
	Chain           Chain
}

// SigningSpan is an envelope key with the envelope numbers it is valid for.
type SigningSpan struct {
	Key  *sign.PublicKey
	From uint64
	To   uint64 // first number it is no longer valid for; 0 = none
}

// SealingSpan is a sealing key with the envelope numbers it is current for.
type SealingSpan struct {
	Key  seal.ReaderPublic
	From uint64
	To   uint64 // first number it is no longer current for; 0 = none
}

// Chain is where an institution's own count stands.
type Chain struct {
	Sequence uint64 // of its last accepted envelope; 0 = none yet
	Attempt  uint32
	ID       envelope.ID
	Number   uint64 // envelope number of its last accepted envelope
}

// ReaderSet lists the readers from one act on.
type ReaderSet struct {
	Number    uint64            // envelope number of the act
	National  []envelope.Reader // ascending by key id
	Provinces []ProvinceReader  // ascending by province
}

// ProvinceReader is the reader of one province.
type ProvinceReader struct {
	Province string
	envelope.Reader
}

// Member returns the institution with the given number.
func (s *State) Member(number uint32) (*Member, bool) {
	if number == 0 || int(number) > len(s.Members) {
		return nil, false
	}
	return &s.Members[number-1], true
}

// Node returns the node with the given id.
func (s *State) Node(id string) (*act.Node, bool) {
	for i := range s.Nodes {
		if s.Nodes[i].ID == id {
			return &s.Nodes[i], true
		}
	}
	return nil, false
}

// Voters returns the voting nodes in order of id; see [State.VotersAt] for those
// of before.
func (s *State) Voters() []act.Node {
	var out []act.Node
	for _, n := range s.Nodes {
		if n.Kind == act.Voter {
			out = append(out, n)
		}
	}
	return out
}

// ReadersFor returns the current reader set as an envelope of the given
// hospital needs it.
func (s *State) ReadersFor(hospital uint32) (*envelope.ReaderSet, bool) {
	m, ok := s.Member(hospital)
	if !ok || len(s.ReaderSets) == 0 {
		return nil, false
	}
	return s.ReaderSets[len(s.ReaderSets)-1].forMember(m, m.Institution.Sealing), true
}

func (r *ReaderSet) forMember(m *Member, own seal.ReaderPublic) *envelope.ReaderSet {
	set := &envelope.ReaderSet{Number: r.Number, Own: own, National: r.National}
	for i := range r.Provinces {
		if r.Provinces[i].Province == m.Province {
			set.Province = &r.Provinces[i].Reader
		}
	}
	return set
}

// Origin returns the checkpoint origin of the network's log epoch.
func (s *State) Origin() string { return s.originOf(s.LogEpoch) }

func (s *State) originOf(epoch uint64) string { return fmt.Sprintf("%s/%d", s.Name, epoch) }

// CosignerName returns the key name of a voter as a cosigner.
func (s *State) CosignerName(node string) string { return s.Name + "/v/" + node }

// Clone returns a copy that later changes to s do not reach.
func (s *State) Clone() *State {
	c := *s
	c.Tree = s.Tree.Clone()
	c.Members = slices.Clone(s.Members)
	c.Nodes = slices.Clone(s.Nodes)
	c.ReaderSets = slices.Clone(s.ReaderSets)
	c.SaltsBackups = slices.Clone(s.SaltsBackups)
	c.Ceremony = s.Ceremony.clone()
	c.Proposals = slices.Clone(s.Proposals)
	c.Ended = slices.Clone(s.Ended)
	c.Allowances = slices.Clone(s.Allowances)
	c.Falsehoods = slices.Clone(s.Falsehoods)
	c.Usages = slices.Clone(s.Usages)
	c.Revocations = slices.Clone(s.Revocations)
	c.Grants = slices.Clone(s.Grants)
	c.Claims = slices.Clone(s.Claims)
	c.Withdrawals = slices.Clone(s.Withdrawals)
	c.ErasureReceipts = slices.Clone(s.ErasureReceipts)
	c.Entitled = slices.Clone(s.Entitled)
	c.VoterSets = slices.Clone(s.VoterSets)
	c.Candidates = slices.Clone(s.Candidates)
	c.Removals = slices.Clone(s.Removals)
	c.Gone = slices.Clone(s.Gone)
	c.Editions = slices.Clone(s.Editions)
	c.Supports = slices.Clone(s.Supports)
	c.Epochs = slices.Clone(s.Epochs)
	return &c
}
