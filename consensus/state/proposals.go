package state

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/raresync/raresync/registry/act"
)

// The limits of the list of open proposals.
const (
	MaxProposals        = 64 // open at once
	MaxProposalsOfOne   = 8  // of them by one hospital
	MaxProposalsByOther = 32 // of them by hospitals that do not lead, so that these cannot keep the leading ones from deciding
	endedKept           = 64 // proposals that ended, the newest
)

// Proposal is an act that waits for approvals.
type Proposal struct {
	ID        [32]byte // act.ProposalID
	Proposer  uint32
	Envelope  uint64  // number of the envelope that proposed it
	LogTime   uint64  // of that envelope, ms
	Act       act.Act // what is proposed; its own approvals are below
	Reason    string
	Approvals []act.Approval // ascending by hospital, each once; never changed in place
}

// ProposalEnd says why a proposal is no longer open.
type ProposalEnd uint8

// How proposals end.
const (
	Fulfilled ProposalEnd = 1 // the act is in force
	Expired   ProposalEnd = 2 // log time is past its expiry
	Overtaken ProposalEnd = 3 // the roster, or the key's epoch or the feature level if it is about that, is another than it was made for
)

// String returns the word for people.
func (e ProposalEnd) String() string {
	switch e {
	case Fulfilled:
		return "fulfilled"
	case Expired:
		return "expired"
	case Overtaken:
		return "overtaken"
	}
	return "open"
}

// EndedProposal is what stays known of a proposal that has ended.
type EndedProposal struct {
	ID       [32]byte
	Type     act.Type // of what was proposed
	Proposer uint32
	Envelope uint64 // number of the envelope that proposed it
	End      ProposalEnd
	At       uint64 // number of the envelope with which it ended
}

// Proposal returns a proposal that is open at a log time in milliseconds.
func (s *State) Proposal(id [32]byte, logTime uint64) (*Proposal, bool) {
	i := s.findProposal(id)
	if i < 0 || s.endOf(&s.Proposals[i], logTime) != 0 {
		return nil, false
	}
	return &s.Proposals[i], true
}

func (s *State) findProposal(id [32]byte) int {
	return slices.IndexFunc(s.Proposals, func(p Proposal) bool { return p.ID == id })
}

// endOf tells how a proposal in the list has ended by a log time; 0 = it is
// open. It stays in the list until an act is accepted. A reshare is overtaken by
// another that moved the key, and expires with the deadline that it names; a raise
// of the feature level is overtaken by another as high.
func (s *State) endOf(p *Proposal, logTime uint64) ProposalEnd {
	overtaken, last := p.Act.RosterVersion != s.RosterVersion, p.Act.Expiry
	if p.Act.Type == act.TypeCeremony {
		if c, err := act.DecodeCeremony(p.Act.Payload); err == nil { // it was admitted
			overtaken = overtaken || c.Epoch <= s.OPRF.Epoch
			last = min(last, c.Deadline-min(c.Deadline, act.MinCeremonyTime))
		}
	}
	if p.Act.Type == act.TypeFeature {
		if d, err := act.DecodeFeature(p.Act.Payload); err == nil { // it was admitted
			overtaken = overtaken || d.Level <= s.FeatureLevel
		}
	}
	switch {
	case overtaken:
		return Overtaken
	case last < logTime:
		return Expired
	}
	return 0
}

// EndOfProposal tells how a proposal has ended by a log time in milliseconds;
// found is false if it is open, or nobody remembers it.
func (s *State) EndOfProposal(id [32]byte, logTime uint64) (end ProposalEnd, found bool) {
	if i := s.findProposal(id); i >= 0 {
		end = s.endOf(&s.Proposals[i], logTime)
		return end, end != 0
	}
	for _, e := range slices.Backward(s.Ended) {
		if e.ID == id {
			return e.End, true
		}
	}
	return 0, false
}

// Standing returns the approvals of a proposal that count today: by hospitals
// that lead, with the key that they have now.
func (s *State) Standing(p *Proposal) []act.Approval {
	var out []act.Approval
	for i := range p.Approvals {
		m, ok := s.Member(p.Approvals[i].Hospital)
		if ok && m.leads() && m.Envelope.ID() == p.Approvals[i].KeyID {
			out = append(out, p.Approvals[i])
		}
	}
	return out
}

func (m *Member) leads() bool { return m.Role == act.RoleHospital && m.Lead }

// Approved returns the act of a proposal with q approvals; ok is false while
// there are fewer.
func (s *State) Approved(p *Proposal) (a act.Act, ok bool) {
	standing := s.Standing(p)
	if uint64(len(standing)) < s.Quorum {
		return act.Act{}, false
	}
	a = p.Act
	a.Approvals = standing[:s.Quorum]
	return a, true
}

// acceptProposal opens a proposal. What it keeps it copies from the envelope.
func (s *State) acceptProposal(by uint32, a *act.Act, logTime uint64) {
	d, err := act.DecodeProposal(a.Payload)
	if err != nil {
		return // not admitted
	}
	core := bytes.Clone(d.Core)
	proposed, err := act.DecodeCore(core)
	if err != nil {
		return // not admitted
	}
	s.Proposals = append(s.Proposals, Proposal{
		ID: act.ProposalID(s.Network, core), Proposer: by, Envelope: s.Envelopes, LogTime: logTime, Act: *proposed, Reason: d.Reason,
	})
}

// acceptApproval adds an approval, in place of one that the hospital gave with
// a key of before.
func (s *State) acceptApproval(a *act.Act) {
	d, err := act.DecodeProposalApproval(a.Payload)
	if err != nil {
		return // not admitted
	}
	i := s.findProposal(d.Proposal)
	if i < 0 {
		return // not admitted
	}
	d.Approval.Signature.MLDSA = bytes.Clone(d.Approval.Signature.MLDSA)
	p := &s.Proposals[i]
	list := slices.DeleteFunc(slices.Clone(p.Approvals), func(old act.Approval) bool { return old.Hospital == d.Approval.Hospital })
	list = append(list, d.Approval)
	slices.SortFunc(list, func(a, b act.Approval) int { return cmp.Compare(a.Hospital, b.Hospital) })
	p.Approvals = list
}

// endProposals takes from the list what the act that was just accepted
// fulfilled or overtook, and what had expired by its log time.
func (s *State) endProposals(accepted *act.Act, logTime uint64) {
	var core []byte
	if accepted.Type.NeedsApproval() {
		core = accepted.Core()
	}
	var open []Proposal
	var ended []EndedProposal
	for i := range s.Proposals {
		p := &s.Proposals[i]
		end := s.endOf(p, logTime)
		if core != nil && bytes.Equal(core, p.Act.Core()) {
			end = Fulfilled
		}
		if end == 0 {
			open = append(open, *p)
			continue
		}
		ended = append(ended, EndedProposal{
			ID: p.ID, Type: p.Act.Type, Proposer: p.Proposer, Envelope: p.Envelope, End: end, At: s.Envelopes,
		})
	}
	if len(ended) > 0 {
		ended = slices.Concat(s.Ended, ended)
		s.Proposals, s.Ended = open, ended[max(0, len(ended)-endedKept):]
	}
}
