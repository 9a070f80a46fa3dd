package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
)

// Type says what an act decides.
type Type uint16

// The types of acts, of feature level 1 where [Type.Level] does not say
// otherwise. docs/PROTOCOL.md "Acts" is the full table.
const (
	TypeGenesis    Type = 1 // founds the network; envelope 0, approved by all founders
	TypeUnopenable Type = 2 // a reader could not open what was sealed to it; no approvals
	// TypeSaltsBackup declares a backup that holds salts; no approvals.
	TypeSaltsBackup Type = 3
	// TypeAdmission lets a hospital in; approved by q lead hospitals.
	TypeAdmission Type = 4

	TypeProposal  Type = 5  // an act put forward for approval; no approvals
	TypeApproval  Type = 6  // a lead hospital's approval of a proposal; no approvals
	TypeCeremony  Type = 7  // opens a key ceremony; a reshare is approved by q lead hospitals
	TypeJoin      Type = 8  // a holder takes part in a ceremony; no approvals
	TypeDeal      Type = 9  // a dealer's contribution to a ceremony; no approvals
	TypeConfirm   Type = 10 // a holder has its share and confirms the whole run; no approvals
	TypeComplaint Type = 11 // a holder ends a ceremony, with evidence if a dealer lied; no approvals
	TypeActivate  Type = 12 // a ceremony's key or sharing comes into force; no approvals
	TypeCanary    Type = 13 // what the key answers to a known input; no approvals
	TypeUsage     Type = 14 // a holder's evaluations of a week, by hospital; no approvals
	TypeFalsehood Type = 15 // evidence that a holder answered falsely; no approvals
	TypeAllowance Type = 16 // more evaluations for a hospital's backfill; approved by q lead hospitals
	TypeRotation  Type = 17 // an institution's new keys, signed with the old; no approvals
	TypeReplace   Type = 18 // new keys for an institution that lost its own; approved by q lead hospitals
	TypeRevoke    Type = 19 // keys that hold no longer; approved by q lead hospitals
	TypeGrant     Type = 20 // keys of earlier envelopes, wrapped to a new reader; no approvals

	// TypeWithdrawal has entries of a hospital erased; no approvals from itself,
	// else approved by q lead hospitals.
	TypeWithdrawal Type = 21
	// TypeErasureReceipt says that a node has erased what was withdrawn; no approvals.
	TypeErasureReceipt Type = 22
	TypePromotion      Type = 23 // a mirror is to become a voter; approved by q lead hospitals
	TypeReadiness      Type = 24 // it has all of the log and votes from here on; no approvals
	TypeDemotion       Type = 25 // a voter becomes a mirror; approved by q lead hospitals
	// TypeRemoval takes a node or an institution out; no approvals from itself,
	// else approved by q lead hospitals.
	TypeRemoval Type = 26
	// TypeEnrolment gives an institution one more node; no approvals from itself,
	// else approved by q lead hospitals.
	TypeEnrolment Type = 27
	TypeSettings  Type = 28 // q and the policy; approved by q lead hospitals
	TypeRights    Type = 29 // a reader's rights; approved by q lead hospitals
	// TypeRecovery begins a new log epoch after the majority of the voters is lost;
	// approved by q lead hospitals, and never sent: it comes with a file.
	TypeRecovery Type = 30
	TypeSupport  Type = 31 // the feature level that a node's build supports; no approvals
	TypeFeature  Type = 32 // raises the feature level; approved by q lead hospitals
	TypeEdition  Type = 33 // adds an edition of the disease lists, from level 2 on; approved by q lead hospitals
	TypeRead     Type = 34 // a reader is about to read, from level 3 on; no approvals
	TypeNotices  Type = 35 // what a reader has read of whom on a day, sealed, from level 3 on; no approvals
)

var typeNames = map[Type]string{
	TypeGenesis: "genesis", TypeUnopenable: "unopenable", TypeSaltsBackup: "salts backup", TypeAdmission: "admission",
	TypeProposal: "proposal", TypeApproval: "approval",
	TypeCeremony: "ceremony", TypeJoin: "join", TypeDeal: "deal", TypeConfirm: "confirm", TypeComplaint: "complaint",
	TypeActivate: "activation", TypeCanary: "canary",
	TypeUsage: "usage", TypeFalsehood: "falsehood", TypeAllowance: "allowance",
	TypeRotation: "rotation", TypeReplace: "replacement", TypeRevoke: "revocation", TypeGrant: "grant",
	TypeWithdrawal: "withdrawal", TypeErasureReceipt: "erasure receipt",
	TypePromotion: "promotion", TypeReadiness: "readiness", TypeDemotion: "demotion", TypeRemoval: "removal",
	TypeEnrolment: "enrolment", TypeSettings: "settings", TypeRights: "reader rights",
	TypeRecovery: "recovery", TypeSupport: "support", TypeFeature: "feature level", TypeEdition: "edition",
	TypeRead: "read", TypeNotices: "read notices",
}

// String returns the type's name, or its number if this build does not know it.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", uint16(t))
}

// The limits of the format.
const (
	Version      = 1       // version of the act encoding
	MaxBytes     = 196_608 // a whole act
	MaxApprovals = 64      // approvals in one act
)

// ErrTooLarge reports an act above MaxBytes.
var ErrTooLarge = errors.New("act is larger than 196608 bytes")

const mldsa65Bytes = 3309

// Approval is one institution's signature under an act.
type Approval struct {
	Hospital  uint32 // number of the approving institution
	KeyID     sign.KeyID
	Signature sign.Signature
}

// Act is a public decision. The slices of a decoded act are views of its
// bytes.
type Act struct {
	Version       uint8
	Type          Type
	RosterVersion uint64 // roster the approvers saw; 0 where no approvals are needed
	Expiry        uint64 // log time in ms after which the act is refused; 0 = none
	Payload       []byte
	Approvals     []Approval // ascending by Hospital, each once
}

// head appends the first five fields: what approvals sign and what names the
// network.
func (a *Act) head(b []byte) []byte {
	b = cbor.AppendUint(b, uint64(a.Version))
	b = cbor.AppendUint(b, uint64(a.Type))
	b = cbor.AppendUint(b, a.RosterVersion)
	b = cbor.AppendUint(b, a.Expiry)
	return cbor.AppendBytes(b, a.Payload)
}

// Core returns the deterministic CBOR array of the first five fields.
func (a *Act) Core() []byte { return a.head(cbor.AppendArray(nil, 5)) }

// ApprovalMessage returns the bytes an approval signs in the given network,
// under [sign.LabelApproval].
func (a *Act) ApprovalMessage(network [32]byte) []byte {
	return append(network[:], a.Core()...)
}

// Marshal returns the act's deterministic CBOR: an array of 6.
func (a *Act) Marshal() []byte {
	b := a.head(cbor.AppendArray(nil, 6))
	b = cbor.AppendArray(b, len(a.Approvals))
	for i := range a.Approvals {
		b = a.Approvals[i].AppendCBOR(b)
	}
	return b
}

// Decode reads an act. It checks the encoding, the limits and the order of
// approvals; signatures are checked against a roster elsewhere.
func Decode(raw []byte) (*Act, error) {
	if len(raw) > MaxBytes {
		return nil, ErrTooLarge
	}
	a := &Act{}
	d := cbor.NewDecoder(raw)
	d.Array(6)
	a.decodeHead(d)
	a.Approvals = decodeApprovals(d)
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("act: %w", err)
	}
	return a, nil
}

// decodeHead reads the first five fields.
func (a *Act) decodeHead(d *cbor.Decoder) {
	a.Version = d.Uint8()
	a.Type = Type(d.Uint16())
	a.RosterVersion = d.Uint()
	a.Expiry = d.Uint()
	a.Payload = d.Bytes(MaxBytes)
}

func decodeApprovals(d *cbor.Decoder) []Approval {
	n := d.ArrayMax(MaxApprovals)
	if d.Err() != nil || n == 0 {
		return nil
	}
	list := make([]Approval, n)
	for i := range list {
		list[i] = DecodeApproval(d)
		if i > 0 && list[i].Hospital <= list[i-1].Hospital {
			d.Fail("approvals not ascending by hospital")
		}
	}
	return list
}

// Approve returns the approval of the act by an institution with its envelope
// key. The approver has read the act: its signature counts as consent.
func (a *Act) Approve(network [32]byte, hospital uint32, key *sign.PrivateKey) (Approval, error) {
	sig, err := key.Sign(sign.LabelApproval, a.ApprovalMessage(network))
	if err != nil {
		return Approval{}, fmt.Errorf("approve %s: %w", a.Type, err)
	}
	return Approval{Hospital: hospital, KeyID: key.Public().ID(), Signature: sig}, nil
}

// VerifyApproval checks both halves of an approval with the approver's
// envelope key.
func (a *Act) VerifyApproval(network [32]byte, p *Approval, key *sign.PublicKey) error {
	if key.ID() != p.KeyID {
		return errors.New("approval by another key")
	}
	return key.Verify(sign.LabelApproval, a.ApprovalMessage(network), p.Signature)
}
