package state

import (
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// CheckAct tells whether an act of a type that lead hospitals approve, or an
// institution about itself, would be admitted at a log time in milliseconds, its
// approvals aside; nil if so.
func (s *State) CheckAct(a *act.Act, logTime uint64) *Refusal { return s.admissible(a, logTime) }

// admitMembershipAct checks an act about who votes, who belongs to the network,
// or by which rules; known is false for any other.
func (s *State) admitMembershipAct(e *envelope.Envelope, a *act.Act, logTime uint64) (r *Refusal, known bool) {
	switch a.Type {
	case act.TypeReadiness:
		return s.admitReadiness(e.Hospital, a), true
	case act.TypeRemoval:
		return s.admitRemoval(e, a, logTime), true
	case act.TypeEnrolment:
		return s.admitEnrolment(e, a, logTime), true
	case act.TypePromotion, act.TypeDemotion, act.TypeSettings, act.TypeRights:
		if r := s.approved(a, logTime); r != nil {
			return r, true
		}
		return s.admissibleMembership(a)
	}
	return nil, false
}

// admissibleMembership checks what such an act says, its approvals aside.
func (s *State) admissibleMembership(a *act.Act) (r *Refusal, known bool) {
	switch a.Type {
	case act.TypePromotion:
		return s.admissiblePromotion(a), true
	case act.TypeDemotion:
		return s.admissibleDemotion(a), true
	case act.TypeRemoval:
		return s.admissibleRemoval(a), true
	case act.TypeEnrolment:
		return s.admissibleEnrolment(a), true
	case act.TypeSettings:
		return s.admissibleSettings(a), true
	case act.TypeRights:
		return s.admissibleRights(a), true
	}
	return nil, false
}

// acceptMembershipAct takes in what such an act says.
func (s *State) acceptMembershipAct(a *act.Act) {
	switch a.Type {
	case act.TypePromotion:
		s.acceptPromotion(a)
	case act.TypeReadiness:
		s.acceptReadiness(a)
	case act.TypeDemotion:
		s.acceptDemotion(a)
	case act.TypeRemoval:
		s.acceptRemoval(a)
	case act.TypeEnrolment:
		s.acceptEnrolment(a)
	case act.TypeSettings:
		s.acceptSettings(a)
	case act.TypeRights:
		s.acceptRights(a)
	}
}
