package state

import (
	"slices"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// admitActForm checks that an act envelope carries one clear body and nothing
// sealed.
func admitActForm(e *envelope.Envelope) *Refusal {
	var zero [32]byte
	switch {
	case e.Count != 1:
		return refuse(CodeActForm, "an act travels alone, not %d together", e.Count)
	case e.Bodies[0].Salt != zero || e.Bodies[0].Tag != [16]byte{}:
		return refuse(CodeActForm, "an act has no salt and no tag")
	case e.CommitC != zero || e.CommitG != zero || len(e.Wraps) != 0:
		return refuse(CodeActForm, "an act has no keys and no wraps")
	case e.ReaderSet != 0:
		return refuse(CodeActForm, "an act names no reader set")
	case len(e.Bodies[0].Ciphertext) > act.MaxBytes:
		return refuse(CodeSize, "%v", act.ErrTooLarge)
	}
	return nil
}

// admitAct checks an act's type, payload and approvals, for the log time that
// its envelope would get.
func (s *State) admitAct(e *envelope.Envelope, logTime uint64) *Refusal {
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil {
		return refuse(CodeEncoding, "%v", err)
	}
	if r := s.knownType(a); r != nil {
		return r
	}
	switch a.Type {
	case act.TypeUnopenable:
		return s.admitUnopenable(e, a)
	case act.TypeSaltsBackup:
		return s.admitSaltsBackup(e, a, logTime)
	case act.TypeProposal:
		return s.admitProposal(e.Hospital, a, logTime)
	case act.TypeApproval:
		return s.admitApproval(e.Hospital, a, logTime)
	case act.TypeAdmission:
		if r := s.approved(a, logTime); r != nil {
			return r
		}
		return s.admissible(a, logTime)
	case act.TypeCeremony:
		return s.admitCeremony(e, a, logTime)
	case act.TypeJoin:
		return s.admitJoin(e, a, logTime)
	case act.TypeDeal:
		return s.admitDeal(e, a, logTime)
	case act.TypeConfirm:
		return s.admitConfirm(e, a, logTime)
	case act.TypeComplaint:
		return s.admitComplaint(e, a, logTime)
	case act.TypeActivate:
		return s.admitActivate(e, a, logTime)
	case act.TypeCanary:
		return s.admitCanary(e, a)
	case act.TypeRotation:
		return s.admitRotation(e, a)
	case act.TypeReplace:
		return s.admitReplace(a, logTime)
	case act.TypeRevoke:
		return s.admitRevoke(e, a, logTime)
	case act.TypeGrant:
		return s.admitGrant(e, a)
	case act.TypeWithdrawal:
		return s.admitWithdrawal(e, a, logTime)
	case act.TypeErasureReceipt:
		return s.admitErasureReceipt(e, a)
	case act.TypeSupport:
		return s.admitSupport(e.Hospital, a)
	case act.TypeFeature:
		return s.admitFeature(a, logTime)
	case act.TypeEdition:
		return s.admitEdition(a, logTime)
	case act.TypeRead:
		return s.admitRead(e, a, logTime)
	case act.TypeNotices:
		return s.admitNotices(e, a, logTime)
	case act.TypeRecovery:
		return s.admitRecovery(e, a, logTime)
	case act.TypeGenesis:
		return refuse(CodeActPayload, "a network has one genesis")
	}
	if r, known := s.admitQuotaAct(e, a, logTime); known {
		return r
	}
	if r, known := s.admitMembershipAct(e, a, logTime); known {
		return r
	}
	return refuse(CodeActType, "act type %d is above feature level %d", a.Type, s.FeatureLevel)
}

// admissible checks what an act of a type that needs approvals says, apart from
// them, for a log time.
func (s *State) admissible(a *act.Act, logTime uint64) *Refusal {
	switch a.Type {
	case act.TypeAdmission:
		return s.admitAdmission(a)
	case act.TypeCeremony:
		return s.admitReshare(a, logTime)
	case act.TypeAllowance:
		return s.admissibleAllowance(a, logTime)
	case act.TypeReplace:
		return s.admissibleReplace(a)
	case act.TypeRevoke:
		return s.admissibleRevoke(a)
	case act.TypeWithdrawal:
		return s.admissibleWithdrawal(a)
	case act.TypeFeature:
		return s.admissibleFeature(a)
	case act.TypeEdition:
		return s.admissibleEdition(a)
	}
	if r, known := s.admissibleMembership(a); known {
		return r
	}
	return refuse(CodeActType, "act type %d is above feature level %d", a.Type, s.FeatureLevel)
}

// unapproved refuses approvals, and what binds them, under an act that needs
// none.
func unapproved(a *act.Act) *Refusal {
	if len(a.Approvals) != 0 || a.RosterVersion != 0 || a.Expiry != 0 {
		return refuse(CodeActApproval, "an act of type %s needs no approvals", a.Type)
	}
	return nil
}

// approved checks that at least q lead hospitals have approved the act, as a
// decision on this roster that has not expired.
func (s *State) approved(a *act.Act, logTime uint64) *Refusal {
	switch {
	case a.RosterVersion != s.RosterVersion:
		return refuse(CodeActApproval, "approved for roster %d, which is %d now", a.RosterVersion, s.RosterVersion)
	case a.Expiry < logTime:
		return refuse(CodeActApproval, "the approvals have expired")
	case uint64(len(a.Approvals)) < s.Quorum:
		return refuse(CodeActApproval, "%d approvals of %d", len(a.Approvals), s.Quorum)
	}
	return s.approvedBy(a)
}

// approvedBy checks that every approval is that of a lead hospital.
func (s *State) approvedBy(a *act.Act) *Refusal {
	for i := range a.Approvals {
		p := &a.Approvals[i]
		m, ok := s.Member(p.Hospital)
		if !ok || !m.leads() {
			return refuse(CodeActApproval, "institution %d is no lead hospital", p.Hospital)
		}
		if s.Revoked(p.KeyID) {
			return refuse(CodeActApproval, "approval by %d: its key was revoked", p.Hospital)
		}
		if err := a.VerifyApproval(s.Network, p, m.Envelope); err != nil {
			return refuse(CodeActApproval, "approval by %d: %v", p.Hospital, err)
		}
	}
	return nil
}

func (s *State) admitUnopenable(e *envelope.Envelope, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	u, err := act.DecodeUnopenable(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if u.Envelope >= s.Envelopes {
		return refuse(CodeActPayload, "envelope %d is not in the log", u.Envelope)
	}
	m, _ := s.Member(e.Hospital)
	if !slices.ContainsFunc(m.Sealing, func(span SealingSpan) bool { return span.Key.ID() == u.Reader }) {
		return refuse(CodeActPayload, "key %x is not the sender's: a reader speaks for itself alone", u.Reader[:4])
	}
	return nil
}

// acceptAct takes in what an admitted act says, and ends the proposals that it
// decides.
func (s *State) acceptAct(e *envelope.Envelope, logTime uint64) {
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil {
		return // not admitted
	}
	switch a.Type {
	case act.TypeSaltsBackup:
		s.acceptSaltsBackup(a)
	case act.TypeAdmission:
		s.acceptAdmission(a)
	case act.TypeCeremony:
		s.acceptCeremony(a)
	case act.TypeJoin:
		s.acceptJoin(e, a)
	case act.TypeDeal:
		s.acceptDeal(a)
	case act.TypeConfirm:
		s.acceptConfirm(e)
	case act.TypeComplaint:
		s.acceptComplaint(e, a)
	case act.TypeActivate:
		s.acceptActivate()
	case act.TypeCanary:
		s.acceptCanary(a)
	case act.TypeRotation, act.TypeReplace:
		s.acceptNewKeys(a)
	case act.TypeRevoke:
		s.acceptRevoke(a)
	case act.TypeGrant:
		s.acceptGrant(a)
	case act.TypeWithdrawal:
		s.acceptWithdrawal(a, logTime)
	case act.TypeErasureReceipt:
		s.acceptErasureReceipt(a)
	case act.TypeSupport:
		s.acceptSupport(a)
	case act.TypeFeature:
		s.acceptFeature(a)
	case act.TypeEdition:
		s.acceptEdition(a)
	case act.TypeRecovery:
		s.acceptRecovery(a)
	case act.TypeProposal:
		s.acceptProposal(e.Hospital, a, logTime)
	case act.TypeApproval:
		s.acceptApproval(a)
	default:
		s.acceptQuotaAct(e, a, logTime)
		s.acceptMembershipAct(a)
	}
	s.noteEntitled()
	s.endProposals(a, logTime)
}
