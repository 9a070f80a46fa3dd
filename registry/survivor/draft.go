package survivor

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
)

const (
	blockDraft    = "RARESYNC RECOVERY DRAFT"
	blockApproval = "RARESYNC RECOVERY APPROVAL"

	// MaxDraftBytes bounds a draft and an approval file.
	MaxDraftBytes = 2 << 20
	// MaxSurveys is how many survivors one draft compares at most.
	MaxSurveys = 32
)

// Draft is a recovery that waits for approvals, with the surveys it was made of.
type Draft struct {
	Act      *act.Act // without approvals
	Recovery *act.Recovery
	Base     string // node whose copy is the longest: it made the draft and finishes it
	Surveys  []*Survey
}

// Marshal returns the draft as an armoured text file.
func (d *Draft) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendBytes(b, d.Act.Core())
	b = cbor.AppendText(b, d.Base)
	return armour.Wrap(blockDraft, appendSurveys(b, d.Surveys))
}

func appendSurveys(b []byte, list []*Survey) []byte {
	b = cbor.AppendArray(b, len(list))
	for _, s := range list {
		b = cbor.AppendBytes(b, s.raw())
	}
	return b
}

func readSurveys(d *cbor.Decoder) (list []*Survey) {
	for range d.ArrayMax(MaxSurveys) {
		raw := d.Bytes(maxSurveyBytes)
		if d.Err() != nil {
			return nil
		}
		s, err := decodeSurvey(raw)
		if err != nil {
			d.Fail("%v", err)
			return nil
		}
		list = append(list, s)
	}
	return list
}

// ParseDraft reads an armoured draft of a recovery that could be.
func ParseDraft(file []byte) (*Draft, error) {
	out := &Draft{}
	raw, err := armour.Unwrap(blockDraft, file, MaxDraftBytes)
	if err == nil {
		d := cbor.NewDecoder(raw)
		d.Array(3)
		core := d.Bytes(act.MaxCoreBytes)
		out.Base = d.Text(maxNodeIDBytes)
		out.Surveys = readSurveys(d)
		if err = d.Done(); err == nil {
			out.Act, err = act.DecodeCore(core)
		}
	}
	if err == nil {
		out.Recovery, err = payloadOf(out.Act)
	}
	if err != nil {
		return nil, fmt.Errorf("recovery draft: %w", err)
	}
	return out, nil
}

func payloadOf(a *act.Act) (*act.Recovery, error) {
	if a.Version != act.Version || a.Type != act.TypeRecovery {
		return nil, fmt.Errorf("it holds an act of type %s", a.Type)
	}
	r, err := act.DecodeRecovery(a.Payload)
	if err != nil {
		return nil, err
	}
	return r, r.Validate()
}

// MarshalApproval returns an approval of the draft as an armoured text file.
func (d *Draft) MarshalApproval(p act.Approval) []byte {
	id := sha256.Sum256(d.Act.Core())
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendBytes(b, id[:])
	return armour.Wrap(blockApproval, p.AppendCBOR(b))
}

// ParseApproval reads an armoured approval of this draft. Its signature is not
// looked at.
func (d *Draft) ParseApproval(file []byte) (act.Approval, error) {
	raw, err := armour.Unwrap(blockApproval, file, MaxDraftBytes)
	if err != nil {
		return act.Approval{}, fmt.Errorf("recovery approval: %w", err)
	}
	var id [32]byte
	dec := cbor.NewDecoder(raw)
	dec.Array(2)
	dec.BytesInto(id[:])
	p := act.DecodeApproval(dec)
	err = dec.Done()
	if err == nil && id != sha256.Sum256(d.Act.Core()) {
		err = errors.New("it is for another draft")
	}
	if err != nil {
		return act.Approval{}, fmt.Errorf("recovery approval: %w", err)
	}
	return p, nil
}
