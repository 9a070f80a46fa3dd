package state

import (
	"errors"
	"fmt"
	"sort"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Found checks a network's genesis envelope and returns the state after it,
// with the genesis' own place. Every node calls it before anything else.
func Found(e *envelope.Envelope) (*State, Accepted, error) {
	a, g, err := readGenesis(e)
	if err != nil {
		return nil, Accepted{}, fmt.Errorf("genesis: %w", err)
	}
	s := newState(g, a.NetworkID())
	commitments := e.Commitments()
	if err := s.checkGenesis(e, a, commitments); err != nil {
		return nil, Accepted{}, fmt.Errorf("genesis: %w", err)
	}
	return s, s.Accept(e, e.SignedAt, commitments), nil
}

func readGenesis(e *envelope.Envelope) (*act.Act, *act.Genesis, error) {
	if e.Kind != envelope.KindAct {
		return nil, nil, errors.New("not an act")
	}
	if r := admitActForm(e); r != nil {
		return nil, nil, r
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil {
		return nil, nil, err
	}
	if a.Type != act.TypeGenesis || a.Version != act.Version {
		return nil, nil, fmt.Errorf("act of %s, version %d", a.Type, a.Version)
	}
	g, err := act.DecodeGenesis(a.Payload)
	if err != nil {
		return nil, nil, err
	}
	return a, g, g.Validate()
}

// checkGenesis checks what the genesis' own roster must confirm: the sender,
// its signature, and the approval of every founder.
func (s *State) checkGenesis(e *envelope.Envelope, a *act.Act, commitments [][32]byte) error {
	switch {
	case e.Hospital != 1 || e.Sequence != 1 || e.Attempt != 1:
		return errors.New("is sent by hospital 1 as its sequence 1, attempt 1")
	case a.RosterVersion != 0 || a.Expiry != 0:
		return errors.New("has roster version 0 and no expiry")
	case len(a.Approvals) != len(s.Members):
		return fmt.Errorf("%d approvals of %d founders", len(a.Approvals), len(s.Members))
	}
	if r := s.admitHeader(e, e.SignedAt); r != nil {
		return r
	}
	if err := e.CheckBodies(commitments); err != nil {
		return err
	}
	if r := verify(e, s.Members[0].Envelope); r != nil {
		return r
	}
	for i := range a.Approvals {
		p := &a.Approvals[i]
		m, ok := s.Member(p.Hospital)
		if !ok {
			return fmt.Errorf("approval by %d, who is no founder", p.Hospital)
		}
		if err := a.VerifyApproval(s.Network, p, m.Envelope); err != nil {
			return fmt.Errorf("approval by %d: %w", p.Hospital, err)
		}
	}
	return nil
}

// newState returns the state a genesis describes, before its own envelope is
// accepted.
func newState(g *act.Genesis, network [32]byte) *State {
	tree, err := tlog.NewFrontier(0, nil)
	if err != nil {
		panic("state: an empty tree is a tree: " + err.Error())
	}
	s := &State{
		Network: network, Name: g.Name, Demo: g.Demo, LogEpoch: g.LogEpoch, Quorum: g.Quorum,
		FeatureLevel: g.FeatureLevel, RosterVersion: 1, Identity: g.Identity, Policy: g.Policy,
		Catalogue: g.Catalogue, Tree: tree, Nodes: g.Nodes,
		Holders: g.Holders,
	}
	if g.OPRF.Holders != 0 {
		s.OPRF = g.OPRF.Bind(network)
	}
	for _, i := range g.Institutions {
		s.Members = append(s.Members, Member{
			Institution: i,
			Signing:     []SigningSpan{{Key: i.Envelope}},
			Sealing:     []SealingSpan{{Key: i.Sealing}},
		})
	}
	s.ReaderSets = []ReaderSet{s.readerSet(0)}
	s.VoterSets = []VoterSet{s.foundingVoters()}
	s.noteEntitled()
	return s
}

// readerSet returns the reader set that the members' current rights make.
func (s *State) readerSet(number uint64) ReaderSet {
	set := ReaderSet{Number: number}
	for i := range s.Members {
		m := &s.Members[i]
		r := envelope.Reader{Key: m.Institution.Sealing, Rights: SealRights(m.Rights)}
		switch {
		case m.Rights.Has(act.RightNational):
			set.National = append(set.National, r)
		case m.Rights.Has(act.RightProvince):
			set.Provinces = append(set.Provinces, ProvinceReader{Province: m.Province, Reader: r})
		}
	}
	envelope.SortNational(set.National)
	sort.Slice(set.Provinces, func(i, j int) bool { return set.Provinces[i].Province < set.Provinces[j].Province })
	return set
}

// SealRights translates reader rights into the parts they open.
func SealRights(r act.Rights) seal.Rights {
	reads := r.Has(act.RightNational) || r.Has(act.RightProvince)
	return seal.Rights{Clinical: reads, Genetic: reads && r.Has(act.RightGenetics)}
}
