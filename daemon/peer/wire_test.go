package peer

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

var (
	taken    = consensus.Outcome{Number: 7, First: 70, Count: 3, LogTime: 1_790_000_000_000, ID: [32]byte{1}, Duplicate: true}
	refused  = consensus.Outcome{ID: [32]byte{2}, Refusal: &state.Refusal{Code: state.CodeFork, Detail: "two envelopes"}}
	proposal = consensus.Proposal{
		Checkpoint: tlog.Checkpoint{Origin: "test.example/network/1", Size: 12, Root: tlog.Hash{3}}, RaftIndex: 9, Term: 2,
	}
	cosignatures = []tlog.NoteSignature{{Name: "test.example/v/h1", KeyID: 5, Blob: []byte("blob")}, {Name: "b", Blob: []byte{}}}
	pulled       = []consensus.Pulled{{LogTime: 5, Envelope: []byte("an envelope")}, {LogTime: 6, Envelope: []byte{}}}
	salts        = [][]byte{make([]byte, 32), bytes.Repeat([]byte{7}, 96)}
	lengths      = ledger.Lengths{
		Envelopes: 1, TreeSize: 2, LeavesBytes: 184, HashesBytes: [4]uint64{64}, EnvelopesBytes: 4000, IndexBytes: 80,
		BodiesBytes: 1088, BodyIndexBytes: 16, SaltsBytes: 64,
	}
	evaluation = Evaluation{
		Message: []byte("request"), Elements: [][32]byte{{1}, {2}},
		Signature: sign.Signature{Ed25519: [64]byte{4}, MLDSA: bytes.Repeat([]byte{9}, mldsa65Bytes)},
	}
)

func TestWhatIsSentIsWhatArrives(t *testing.T) {
	for name, tc := range map[string]struct {
		want any
		got  func() (any, error)
	}{
		"a place":        {taken, func() (any, error) { return decodeOutcome(appendOutcome(nil, taken)) }},
		"a refusal":      {refused, func() (any, error) { return decodeOutcome(appendOutcome(nil, refused)) }},
		"a proposal":     {proposal, func() (any, error) { return decodeProposal(appendProposal(nil, proposal)) }},
		"cosignatures":   {cosignatures, func() (any, error) { return decodeCosignatures(appendCosignatures(nil, cosignatures)) }},
		"envelopes":      {pulled, func() (any, error) { return decodePulled(appendPulled(nil, pulled)) }},
		"no envelopes":   {[]consensus.Pulled{}, func() (any, error) { return decodePulled(appendPulled(nil, nil)) }},
		"salts":          {salts, func() (any, error) { return decodeSalts(appendSalts(nil, salts)) }},
		"lengths":        {lengths, func() (any, error) { return decodeLengths(lengths.Append(nil)) }},
		"an evaluation":  {evaluation, func() (any, error) { return parseEvaluation(evaluation.marshal()) }},
		"the largest":    {largest(), func() (any, error) { return parseEvaluation(largest().marshal()) }},
		"a full refusal": {longRefusal(), func() (any, error) { return decodeOutcome(appendOutcome(nil, longRefusal())) }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.got()
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %.200v, %v\nwant %.200v", got, err, tc.want)
			}
		})
	}
}

func largest() Evaluation {
	e := evaluation
	e.Message, e.Elements = make([]byte, 1024), make([][32]byte, pseudonym.MaxBatch)
	return e
}

func longRefusal() consensus.Outcome {
	return consensus.Outcome{Refusal: &state.Refusal{Code: state.CodeSequence, Detail: strings.Repeat("x", 4096)}}
}

func TestTheLargestAnswersFitTheirLimits(t *testing.T) {
	full := make([]consensus.Pulled, 17)
	for i := range full { // a node stops at 4 MiB, with the envelope that reaches it
		full[i] = consensus.Pulled{LogTime: 1 << 60, Envelope: make([]byte, envelope.MaxBytes)}
	}
	fullSalts := make([][]byte, 17) // it stops at 512 KiB, likewise
	for i := range fullSalts {
		fullSalts[i] = make([]byte, 32*envelope.MaxEntries)
	}
	for name, tc := range map[string]struct{ got, limit int }{
		"4096 elements":         {len(largest().marshal()), maxEvaluateBytes},
		"17 largest envelopes":  {len(appendPulled(nil, full)), maxPullBytes},
		"17 largest salts":      {len(appendSalts(nil, fullSalts)), maxSaltsBytes},
		"a long refusal":        {len(appendOutcome(nil, longRefusal())), maxSmallBytes},
		"a proposal":            {len(appendProposal(nil, proposal)), maxSmallBytes},
		"a voter's cosignature": {len(appendCosignatures(nil, []tlog.NoteSignature{{Blob: make([]byte, 76)}, {Blob: make([]byte, 2432)}})), maxSmallBytes},
	} {
		if tc.got > tc.limit {
			t.Errorf("%s: %d bytes, the limit is %d", name, tc.got, tc.limit)
		}
	}
}

func TestAByteMoreOrLessIsNotRead(t *testing.T) {
	for name, tc := range map[string]struct {
		raw    []byte
		decode func([]byte) error
	}{
		"outcome":      {appendOutcome(nil, taken), func(b []byte) error { _, err := decodeOutcome(b); return err }},
		"proposal":     {appendProposal(nil, proposal), func(b []byte) error { _, err := decodeProposal(b); return err }},
		"cosignatures": {appendCosignatures(nil, cosignatures), func(b []byte) error { _, err := decodeCosignatures(b); return err }},
		"envelopes":    {appendPulled(nil, pulled), func(b []byte) error { _, err := decodePulled(b); return err }},
		"salts":        {appendSalts(nil, salts), func(b []byte) error { _, err := decodeSalts(b); return err }},
		"lengths":      {lengths.Append(nil), func(b []byte) error { _, err := decodeLengths(b); return err }},
		"report":       {appendReport(nil, reported), func(b []byte) error { _, err := decodeReport(b); return err }},
		"heard":        {appendHeard(nil, heard), func(b []byte) error { _, err := decodeHeard(b); return err }},
		"evaluation":   {evaluation.marshal(), func(b []byte) error { _, err := parseEvaluation(b); return err }},
	} {
		if err := tc.decode(append(bytes.Clone(tc.raw), 0)); err == nil {
			t.Errorf("%s: a trailing byte is read over", name)
		}
		for n := range tc.raw {
			if err := tc.decode(tc.raw[:n]); err == nil {
				t.Errorf("%s: read from %d of %d bytes", name, n, len(tc.raw))
			}
		}
	}
}

func TestTooManyOrTornElementsAreNotRead(t *testing.T) {
	many := largest()
	many.Elements = append(many.Elements, [32]byte{})
	if _, err := parseEvaluation(many.marshal()); err == nil {
		t.Error("4097 elements are read")
	}
	one := Evaluation{Signature: evaluation.Signature, Elements: [][32]byte{{}}}.marshal()
	torn := append(bytes.Clone(one[:len(one)-34]), 0x58, 31)
	if _, err := parseEvaluation(append(torn, make([]byte, 31)...)); err == nil {
		t.Error("an element of 31 bytes is read")
	}
}

func fuzz[T any](f *testing.F, decode func([]byte) (T, error), encode func(T) []byte, seeds ...[]byte) {
	for _, s := range append(seeds, nil, []byte{0x80}, []byte{0x9f, 0xff}) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := decode(raw)
		if err != nil {
			return
		}
		if got := encode(v); !bytes.Equal(got, raw) {
			t.Errorf("parsed %x, encodes back to %x", raw, got)
		}
	})
}

func FuzzOutcome(f *testing.F) {
	fuzz(f, decodeOutcome, func(o consensus.Outcome) []byte { return appendOutcome(nil, o) },
		appendOutcome(nil, taken), appendOutcome(nil, refused),
		appendOutcome(nil, consensus.Outcome{Refusal: &state.Refusal{Detail: "a detail of no refusal"}}))
}

func FuzzProposal(f *testing.F) {
	fuzz(f, decodeProposal, func(p consensus.Proposal) []byte { return appendProposal(nil, p) }, appendProposal(nil, proposal))
}

func FuzzCosignatures(f *testing.F) {
	fuzz(f, decodeCosignatures, func(s []tlog.NoteSignature) []byte { return appendCosignatures(nil, s) },
		appendCosignatures(nil, cosignatures))
}

func FuzzPulled(f *testing.F) {
	fuzz(f, decodePulled, func(p []consensus.Pulled) []byte { return appendPulled(nil, p) }, appendPulled(nil, pulled))
}

func FuzzSalts(f *testing.F) {
	fuzz(f, decodeSalts, func(s [][]byte) []byte { return appendSalts(nil, s) }, appendSalts(nil, salts))
}

func FuzzLengths(f *testing.F) {
	fuzz(f, decodeLengths, func(at ledger.Lengths) []byte { return at.Append(nil) }, lengths.Append(nil))
}

func FuzzEvaluation(f *testing.F) {
	fuzz(f, parseEvaluation, Evaluation.marshal, evaluation.marshal())
}

func FuzzReport(f *testing.F) {
	fuzz(f, decodeReport, func(r Report) []byte { return appendReport(nil, r) }, appendReport(nil, reported))
}

func FuzzHeard(f *testing.F) {
	fuzz(f, decodeHeard, func(h []Heard) []byte { return appendHeard(nil, h) }, appendHeard(nil, heard))
}
