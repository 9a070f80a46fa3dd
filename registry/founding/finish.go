package founding

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
	"github.com/raresync/raresync/registry/envelope"
)

// Approve signs the draft for an institution.
func (d *Draft) Approve(number uint32, key *sign.PrivateKey) (act.Approval, error) {
	return d.Act.Approve(d.Act.NetworkID(), number, key)
}

// MarshalApproval returns an approval as an armoured text file. It names the
// network it is for.
func (d *Draft) MarshalApproval(p act.Approval) []byte {
	id := d.Act.NetworkID()
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendBytes(b, id[:])
	return armour.Wrap(blockApproval, cbor.AppendBytes(b, carrier(p)))
}

// carrier encodes an approval as the only one of an act without payload.
func carrier(p act.Approval) []byte {
	a := act.Act{Version: act.Version, Type: act.TypeGenesis, Approvals: []act.Approval{p}}
	return a.Marshal()
}

// ParseApproval reads an armoured approval of this draft and verifies it.
func (d *Draft) ParseApproval(file []byte) (act.Approval, error) {
	p, err := d.parseApproval(file)
	if err != nil {
		return act.Approval{}, fmt.Errorf("approval: %w", err)
	}
	return p, nil
}

func (d *Draft) parseApproval(file []byte) (act.Approval, error) {
	raw, err := disarm(blockApproval, file)
	if err != nil {
		return act.Approval{}, err
	}
	dec := cbor.NewDecoder(raw)
	dec.Array(2)
	id := dec.BytesFixed(32)
	inner := dec.Bytes(act.MaxBytes)
	if err := dec.Done(); err != nil {
		return act.Approval{}, err
	}
	network := d.Act.NetworkID()
	if !slices.Equal(id, network[:]) {
		return act.Approval{}, fmt.Errorf("it is for another draft (%x, this one is %x)", id[:4], network[:4])
	}
	a, err := act.Decode(inner)
	if err != nil {
		return act.Approval{}, err
	}
	if len(a.Approvals) != 1 {
		return act.Approval{}, fmt.Errorf("%d approvals in one file", len(a.Approvals))
	}
	if !slices.Equal(inner, carrier(a.Approvals[0])) {
		return act.Approval{}, errors.New("it holds more than an approval")
	}
	return a.Approvals[0], d.verify(&a.Approvals[0])
}

func (d *Draft) verify(p *act.Approval) error {
	if p.Hospital == 0 || int(p.Hospital) > len(d.Genesis.Institutions) {
		return fmt.Errorf("by institution %d, which is no founder", p.Hospital)
	}
	return d.Act.VerifyApproval(d.Act.NetworkID(), p, d.Genesis.Institutions[p.Hospital-1].Envelope)
}

// Finish puts all founders' approvals into the genesis and signs its envelope
// as hospital 1. signedAt is in milliseconds since 1970 and becomes the first
// log time.
func (d *Draft) Finish(approvals []act.Approval, signedAt uint64, key *sign.PrivateKey) (*envelope.Envelope, error) {
	approvals = slices.Clone(approvals)
	slices.SortFunc(approvals, func(a, b act.Approval) int { return int(a.Hospital) - int(b.Hospital) })
	for i := range d.Genesis.Institutions {
		number := uint32(i + 1)
		switch {
		case i > 0 && i < len(approvals) && approvals[i].Hospital == number-1:
			return nil, fmt.Errorf("finish: the approval of institution %d is given twice", number-1)
		case i >= len(approvals) || approvals[i].Hospital != number:
			return nil, fmt.Errorf("finish: the approval of institution %d is missing", number)
		}
		if err := d.verify(&approvals[i]); err != nil {
			return nil, fmt.Errorf("finish: approval of institution %d: %w", number, err)
		}
	}
	if len(approvals) != len(d.Genesis.Institutions) {
		return nil, fmt.Errorf("finish: %d approvals of %d founders", len(approvals), len(d.Genesis.Institutions))
	}
	if key.Public().ID() != d.Genesis.Institutions[0].Envelope.ID() {
		return nil, fmt.Errorf("finish: only hospital 1 (%s) can finish", d.Genesis.Institutions[0].NameEN)
	}
	complete := *d.Act
	complete.Approvals = approvals
	return envelope.BuildAct(envelope.Link{
		Network: d.Act.NetworkID(), Hospital: 1, Sequence: 1, Attempt: 1, SignedAt: signedAt,
	}, complete.Marshal(), key)
}

// MarshalGenesis returns a genesis envelope as an armoured text file.
func MarshalGenesis(e *envelope.Envelope) []byte { return armour.Wrap(blockGenesis, e.Marshal()) }

// ParseGenesis reads an armoured genesis envelope. Whether it founds a network
// is the state machine's to say (consensus/state.Found).
func ParseGenesis(file []byte) (*envelope.Envelope, error) {
	raw, err := disarm(blockGenesis, file)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	e, err := envelope.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return e, nil
}
