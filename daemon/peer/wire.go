package peer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	maxSmallBytes    = 16 << 10 // proposals, cosignatures, outcomes
	maxNoteBytes     = 64 << 10
	maxPullBytes     = 8 << 20
	maxSaltsBytes    = 1 << 20   // of at most 4096 envelopes
	maxEvaluateBytes = 256 << 10 // 4096 elements with signatures
	mldsa65Bytes     = 3309
)

func appendOutcome(b []byte, o consensus.Outcome) []byte {
	b = cbor.AppendArray(b, 8)
	code, detail := "", ""
	if o.Refusal != nil {
		code, detail = string(o.Refusal.Code), o.Refusal.Detail
	}
	b = cbor.AppendText(b, code)
	b = cbor.AppendText(b, detail)
	b = cbor.AppendUint(b, o.Number)
	b = cbor.AppendUint(b, o.First)
	b = cbor.AppendUint(b, uint64(o.Count))
	b = cbor.AppendUint(b, o.LogTime)
	b = cbor.AppendBytes(b, o.ID[:])
	return cbor.AppendBool(b, o.Duplicate)
}

func decodeOutcome(raw []byte) (consensus.Outcome, error) {
	var o consensus.Outcome
	d := cbor.NewDecoder(raw)
	d.Array(8)
	code, detail := d.Text(16), d.Text(4096)
	o.Number = d.Uint()
	o.First = d.Uint()
	o.Count = d.Uint32()
	o.LogTime = d.Uint()
	d.BytesInto(o.ID[:])
	o.Duplicate = d.Bool()
	if code == "" && detail != "" {
		d.Fail("a detail of no refusal")
	}
	if err := d.Done(); err != nil {
		return consensus.Outcome{}, fmt.Errorf("outcome: %w", err)
	}
	if code != "" {
		o.Refusal = &state.Refusal{Code: state.Code(code), Detail: detail}
	}
	return o, nil
}

func appendProposal(b []byte, p consensus.Proposal) []byte {
	b = cbor.AppendArray(b, 5)
	b = cbor.AppendText(b, p.Checkpoint.Origin)
	b = cbor.AppendUint(b, p.Checkpoint.Size)
	b = cbor.AppendBytes(b, p.Checkpoint.Root[:])
	b = cbor.AppendUint(b, p.RaftIndex)
	return cbor.AppendUint(b, p.Term)
}

func decodeProposal(raw []byte) (consensus.Proposal, error) {
	var p consensus.Proposal
	d := cbor.NewDecoder(raw)
	d.Array(5)
	p.Checkpoint.Origin = d.Text(128)
	p.Checkpoint.Size = d.Uint()
	d.BytesInto(p.Checkpoint.Root[:])
	p.RaftIndex = d.Uint()
	p.Term = d.Uint()
	if err := d.Done(); err != nil {
		return consensus.Proposal{}, fmt.Errorf("proposal: %w", err)
	}
	return p, nil
}

func appendCosignatures(b []byte, sigs []tlog.NoteSignature) []byte {
	b = cbor.AppendArray(b, len(sigs))
	for _, s := range sigs {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendText(b, s.Name)
		b = cbor.AppendUint(b, uint64(s.KeyID))
		b = cbor.AppendBytes(b, s.Blob)
	}
	return b
}

func decodeCosignatures(raw []byte) ([]tlog.NoteSignature, error) {
	d := cbor.NewDecoder(raw)
	sigs := make([]tlog.NoteSignature, d.ArrayMax(4))
	for i := range sigs {
		d.Array(3)
		sigs[i].Name = d.Text(256)
		sigs[i].KeyID = d.Uint32()
		sigs[i].Blob = d.Bytes(maxSmallBytes)
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("cosignatures: %w", err)
	}
	return sigs, nil
}

func appendPulled(b []byte, list []consensus.Pulled) []byte {
	total := 0
	for _, p := range list {
		total += len(p.Envelope) + 16 // with the heads and the log time
	}
	b = slices.Grow(b, total+16)
	b = cbor.AppendArray(b, len(list))
	for _, p := range list {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, p.LogTime)
		b = cbor.AppendBytes(b, p.Envelope)
	}
	return b
}

func decodePulled(raw []byte) ([]consensus.Pulled, error) {
	d := cbor.NewDecoder(raw)
	list := make([]consensus.Pulled, d.ArrayMax(1024))
	for i := range list {
		d.Array(2)
		list[i].LogTime = d.Uint()
		list[i].Envelope = d.Bytes(envelope.MaxBytes)
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("envelopes: %w", err)
	}
	return list, nil
}

func appendSalts(b []byte, list [][]byte) []byte {
	b = cbor.AppendArray(b, len(list))
	for _, salts := range list {
		b = cbor.AppendBytes(b, salts)
	}
	return b
}

func decodeSalts(raw []byte) ([][]byte, error) {
	d := cbor.NewDecoder(raw)
	list := make([][]byte, d.ArrayMax(4096))
	for i := range list {
		list[i] = d.Bytes(32 * envelope.MaxEntries)
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("salts: %w", err)
	}
	return list, nil
}

func decodeLengths(raw []byte) (ledger.Lengths, error) {
	d := cbor.NewDecoder(raw)
	at := ledger.DecodeLengths(d)
	if err := d.Done(); err != nil {
		return ledger.Lengths{}, fmt.Errorf("lengths: %w", err)
	}
	return at, nil
}

// Evaluation is a signed request with its blinded elements, or a signed
// response with the evaluated ones: the message's CBOR, its signature, and the
// elements one after the other.
type Evaluation struct {
	Message   []byte
	Signature sign.Signature
	Elements  [][32]byte
}

func (e Evaluation) marshal() []byte {
	flat := make([]byte, 0, 32*len(e.Elements))
	for i := range e.Elements {
		flat = append(flat, e.Elements[i][:]...)
	}
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendBytes(b, e.Message)
	b = cbor.AppendBytes(b, e.Signature.Ed25519[:])
	b = cbor.AppendBytes(b, e.Signature.MLDSA)
	return cbor.AppendBytes(b, flat)
}

func parseEvaluation(raw []byte) (Evaluation, error) {
	var e Evaluation
	d := cbor.NewDecoder(raw)
	d.Array(4)
	e.Message = d.Bytes(1024)
	d.BytesInto(e.Signature.Ed25519[:])
	e.Signature.MLDSA = d.BytesFixed(mldsa65Bytes)
	flat := d.Bytes(32 * pseudonym.MaxBatch)
	if err := d.Done(); err != nil {
		return Evaluation{}, fmt.Errorf("evaluation: %w", err)
	}
	if len(flat)%32 != 0 {
		return Evaluation{}, errors.New("evaluation: elements have 32 bytes each")
	}
	for ; len(flat) > 0; flat = flat[32:] {
		e.Elements = append(e.Elements, [32]byte(flat[:32]))
	}
	return e, nil
}
