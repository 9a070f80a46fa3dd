package state

import (
	"bytes"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

// appendProposals appends the open proposals, in the order in which they were
// made, and those that ended, in the order in which they did.
func (s *State) appendProposals(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.Proposals))
	for i := range s.Proposals {
		p := &s.Proposals[i]
		b = cbor.AppendArray(b, 6)
		b = cbor.AppendUint(b, uint64(p.Proposer))
		b = cbor.AppendUint(b, p.Envelope)
		b = cbor.AppendUint(b, p.LogTime)
		b = cbor.AppendBytes(b, p.Act.Core())
		b = cbor.AppendText(b, p.Reason)
		b = cbor.AppendArray(b, len(p.Approvals))
		for j := range p.Approvals {
			b = p.Approvals[j].AppendCBOR(b)
		}
	}
	b = cbor.AppendArray(b, len(s.Ended))
	for i := range s.Ended {
		e := &s.Ended[i]
		b = cbor.AppendArray(b, 6)
		b = cbor.AppendBytes(b, e.ID[:])
		b = cbor.AppendUint(b, uint64(e.Type))
		b = cbor.AppendUint(b, uint64(e.Proposer))
		b = cbor.AppendUint(b, e.Envelope)
		b = cbor.AppendUint(b, uint64(e.End))
		b = cbor.AppendUint(b, e.At)
	}
	return b
}

// decodeProposals reads what appendProposals wrote. The network is known
// already.
func (s *State) decodeProposals(d *cbor.Decoder) {
	s.Proposals = readList(d, MaxProposals, s.readProposal)
	s.Ended = readList(d, endedKept, readEndedProposal)
}

func (s *State) readProposal(d *cbor.Decoder) Proposal {
	var p Proposal
	d.Array(6)
	p.Proposer = d.Uint32()
	p.Envelope = d.Uint()
	p.LogTime = d.Uint()
	core := bytes.Clone(d.Bytes(act.TypeEdition.MaxCore()))
	p.Reason = d.Text(act.MaxReasonBytes)
	p.Approvals = readList(d, act.MaxApprovals, func(d *cbor.Decoder) act.Approval {
		a := act.DecodeApproval(d)
		a.Signature.MLDSA = bytes.Clone(a.Signature.MLDSA)
		return a
	})
	if d.Err() != nil {
		return p
	}
	a, err := act.DecodeCore(core)
	if err != nil {
		d.Fail("proposal: %v", err)
		return p
	}
	p.Act, p.ID = *a, act.ProposalID(s.Network, core)
	return p
}

func readEndedProposal(d *cbor.Decoder) EndedProposal {
	var e EndedProposal
	d.Array(6)
	d.BytesInto(e.ID[:])
	e.Type = act.Type(d.Uint16())
	e.Proposer = d.Uint32()
	e.Envelope = d.Uint()
	e.End = ProposalEnd(d.Uint8())
	e.At = d.Uint()
	return e
}
