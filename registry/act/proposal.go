package act

import (
	"crypto/sha256"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// The limits of proposals. Times are log times in milliseconds.
const (
	MaxCoreBytes    = 65_536 // core of a proposed act, but see [Type.MaxCore]
	MaxReasonBytes  = 500    // UTF-8 text that says why
	MinProposalLife = 60 * 60 * 1000
	MaxProposalLife = 90 * 24 * 60 * 60 * 1000
)

// NeedsApproval reports whether lead hospitals approve acts of the type, so
// that such an act is put forward as a [Proposal] first. A ceremony needs
// approvals only where it says so itself.
func (t Type) NeedsApproval() bool {
	switch t {
	case TypeAdmission, TypeCeremony, TypeAllowance, TypeReplace, TypeRevoke, TypeWithdrawal,
		TypePromotion, TypeDemotion, TypeRemoval, TypeEnrolment, TypeSettings, TypeRights, TypeFeature, TypeEdition:
		return true
	}
	return false
}

// Proposal puts an act forward that needs the approvals of lead hospitals.
type Proposal struct {
	Core   []byte // of the act, as [Act.Core] returns it
	Reason string // why, for people; public
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (p Proposal) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendBytes(b, p.Core)
	return cbor.AppendText(b, p.Reason)
}

// DecodeProposal reads the payload of an act of [TypeProposal]. What is
// proposed is [DecodeCore]'s to read.
func DecodeProposal(raw []byte) (Proposal, error) {
	var p Proposal
	d := cbor.NewDecoder(raw)
	d.Array(2)
	p.Core = d.Bytes(maxEditionCore)
	p.Reason = d.Text(MaxReasonBytes)
	if err := d.Done(); err != nil {
		return Proposal{}, fmt.Errorf("proposal: %w", err)
	}
	return p, nil
}

// DecodeCore reads an act without approvals from what [Act.Core] returned. The
// payload is a view of raw.
func DecodeCore(raw []byte) (*Act, error) {
	a := &Act{}
	d := cbor.NewDecoder(raw)
	d.Array(5)
	a.decodeHead(d)
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("core of an act: %w", err)
	}
	return a, nil
}

// ProposalID names a proposal: what its approvals sign, in its network.
func ProposalID(network [32]byte, core []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("raresync/v1/proposal\x00"))
	h.Write(network[:])
	h.Write(core)
	return [32]byte(h.Sum(nil))
}

// ProposalApproval is a lead hospital's approval of a proposal.
type ProposalApproval struct {
	Proposal [32]byte // its id
	Approval Approval // of the act proposed, by the sender
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (p ProposalApproval) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendBytes(b, p.Proposal[:])
	return p.Approval.AppendCBOR(b)
}

// DecodeProposalApproval reads the payload of an act of [TypeApproval]. The
// signature is a view of raw.
func DecodeProposalApproval(raw []byte) (ProposalApproval, error) {
	var p ProposalApproval
	d := cbor.NewDecoder(raw)
	d.Array(2)
	d.BytesInto(p.Proposal[:])
	p.Approval = DecodeApproval(d)
	if err := d.Done(); err != nil {
		return ProposalApproval{}, fmt.Errorf("approval: %w", err)
	}
	return p, nil
}

// AppendCBOR appends the approval's encoding, an array of 4, to b.
func (p *Approval) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(b, uint64(p.Hospital))
	b = cbor.AppendBytes(b, p.KeyID[:])
	b = cbor.AppendBytes(b, p.Signature.Ed25519[:])
	return cbor.AppendBytes(b, p.Signature.MLDSA)
}

// DecodeApproval reads an approval; errors are reported by d.
func DecodeApproval(d *cbor.Decoder) Approval {
	var p Approval
	d.Array(4)
	p.Hospital = d.Uint32()
	d.BytesInto(p.KeyID[:])
	d.BytesInto(p.Signature.Ed25519[:])
	p.Signature.MLDSA = d.BytesFixed(mldsa65Bytes)
	return p
}
