package pseudonym

import (
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/keyshare"
)

// answer is everything a verification looks at.
type answer struct {
	record              keyshare.Record
	req                 Request
	elements, evaluated [][32]byte
	proof               [64]byte
}

func (a answer) verify() error {
	_, err := VerifyEvaluation(a.record, a.req, a.elements, a.evaluated, a.proof)
	return err
}

func (h holders) answer(t testing.TB, holder int, elements [][32]byte) answer {
	t.Helper()
	req := h.request(holder, elements)
	evaluated, proof, err := Evaluate(h.shares[holder-1], req, elements)
	if err != nil {
		t.Fatal(err)
	}
	return answer{h.record, req, slices.Clone(elements), evaluated, proof}
}

func TestHospitalRefuses(t *testing.T) {
	h := dealKey(t, testKey(), 5, 3, 1)
	reshared := dealKey(t, testKey(), 5, 3, 2)
	foreign := dealKey(t, circlGroup.NewScalar().SetUint64(5), 5, 3, 1)
	_, elements := mustBlind(t, 3)
	_, otherElements := mustBlind(t, 3)
	byTwo := h.answer(t, 2, elements)
	inNewEpoch := reshared.answer(t, 1, elements)
	ofOther := h.answer(t, 1, otherElements)
	wrongShare := h.shares[1]
	wrongShare.Holder = 1

	for name, tc := range map[string]struct {
		spoil func(*answer)
		want  error
	}{
		"an evaluation with another share": {func(a *answer) {
			evaluated, proof, err := Evaluate(wrongShare, a.req, a.elements)
			if err != nil {
				t.Fatal(err)
			}
			a.evaluated, a.proof = evaluated, proof
		}, ErrProof},
		"another holder's proof":                {func(a *answer) { a.proof = byTwo.proof }, ErrProof},
		"another holder's answer":               {func(a *answer) { a.evaluated, a.proof = byTwo.evaluated, byTwo.proof }, ErrProof},
		"another epoch's proof":                 {func(a *answer) { a.proof = inNewEpoch.proof }, ErrProof},
		"another epoch's answer":                {func(a *answer) { a.evaluated, a.proof = inNewEpoch.evaluated, inNewEpoch.proof }, ErrProof},
		"another batch's proof":                 {func(a *answer) { a.proof = ofOther.proof }, ErrProof},
		"another batch's answer":                {func(a *answer) { a.evaluated, a.proof = ofOther.evaluated, ofOther.proof }, ErrProof},
		"the proof replayed to another id":      {func(a *answer) { a.req.RequestID[0]++ }, ErrProof},
		"the proof replayed to a hospital":      {func(a *answer) { a.req.Hospital++ }, ErrProof},
		"the answer passed off as holder two's": {func(a *answer) { a.req.Holder = 2 }, ErrProof},
		"evaluations in another order":          {func(a *answer) { slices.Reverse(a.evaluated) }, ErrProof},
		"one evaluation replaced":               {func(a *answer) { a.evaluated[1] = a.evaluated[0] }, ErrProof},
		"an evaluation that is the identity":    {func(a *answer) { a.evaluated[2] = identity }, ErrElement},
		"an evaluation that is non-canonical":   {func(a *answer) { a.evaluated[2] = nonCanonical }, ErrElement},
		"an evaluation missing":                 {func(a *answer) { a.evaluated = a.evaluated[:2] }, ErrRequest},
		"an evaluation too many":                {func(a *answer) { a.evaluated = append(a.evaluated, a.evaluated[0]) }, ErrRequest},
		"other elements than were asked":        {func(a *answer) { a.elements = otherElements }, ErrRequest},
		"an element that is the identity": {func(a *answer) {
			a.elements[0] = identity
			a.req.ElementsHash = HashElements(a.elements)
		}, ErrElement},
		"no elements":                 {func(a *answer) { a.elements, a.evaluated, a.req.N = nil, nil, 0 }, ErrBatch},
		"another epoch's record":      {func(a *answer) { a.record = reshared.record }, ErrRequest},
		"another key's record":        {func(a *answer) { a.record = foreign.record }, ErrRequest},
		"another network":             {func(a *answer) { a.req.Network[0] ^= 1 }, ErrRequest},
		"a key id of nothing":         {func(a *answer) { a.req.KeyID = [32]byte{} }, ErrRequest},
		"a holder that is not":        {func(a *answer) { a.req.Holder = 6 }, keyshare.ErrRecord},
		"holder zero":                 {func(a *answer) { a.req.Holder = 0 }, keyshare.ErrRecord},
		"a proof of zeros":            {func(a *answer) { a.proof = [64]byte{} }, ErrProof},
		"a proof that is not reduced": {func(a *answer) { a.proof[31] |= 0xf0 }, ErrProof},
	} {
		a := h.answer(t, 1, elements)
		if err := a.verify(); err != nil {
			t.Fatalf("%s: untouched: %v", name, err)
		}
		tc.spoil(&a)
		if err := a.verify(); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestTamperingWithAnyByteOfAnAnswerIsSeen(t *testing.T) {
	h := dealKey(t, testKey(), 3, 2, 1)
	_, elements := mustBlind(t, 1)
	good := h.answer(t, 1, elements)
	for i := range 64 {
		a := good
		a.proof[i] ^= 1
		if err := a.verify(); !errors.Is(err, ErrProof) {
			t.Errorf("proof byte %d changed: got %v, want %v", i, err, ErrProof)
		}
	}
	for i := range 32 {
		a := good
		a.evaluated = slices.Clone(good.evaluated)
		a.evaluated[0][i] ^= 1
		if err := a.verify(); !errors.Is(err, ErrProof) && !errors.Is(err, ErrElement) {
			t.Errorf("evaluation byte %d changed: got %v", i, err)
		}
	}
}

func TestFinalizeRefuses(t *testing.T) {
	h := dealKey(t, testKey(), 5, 3, 1)
	reshared := dealKey(t, testKey(), 5, 3, 2)
	foreign := dealKey(t, circlGroup.NewScalar().SetUint64(5), 5, 3, 1)
	blinding, elements := mustBlind(t, 2)
	_, otherElements := mustBlind(t, 2)
	p := h.askAll(t, elements)
	stranger := p[2]
	stranger.holder = 6

	for name, tc := range map[string]struct {
		record keyshare.Record
		parts  []Part
	}{
		"no parts":                           {h.record, nil},
		"one part too few":                   {h.record, p[:2]},
		"one part too many":                  {h.record, p[:4]},
		"one holder twice":                   {h.record, []Part{p[0], p[1], p[0]}},
		"one holder twice over two requests": {h.record, []Part{p[0], p[1], h.ask(t, 1, elements)}},
		"parts of two epochs":                {h.record, []Part{p[0], p[1], reshared.ask(t, 3, elements)}},
		"all parts of another epoch":         {h.record, reshared.askAll(t, elements)[:3]},
		"a part of another key":              {h.record, []Part{p[0], p[1], foreign.ask(t, 3, elements)}},
		"a part of another batch":            {h.record, []Part{p[0], p[1], h.ask(t, 3, otherElements)}},
		"a part nobody made":                 {h.record, []Part{p[0], p[1], {}}},
		"a holder the record does not have":  {h.record, []Part{p[0], p[1], stranger}},
		"a record bound to no network":       {unbound(h.record), p[:3]},
		"no record":                          {keyshare.Record{}, nil},
	} {
		got, err := blinding.Finalize(tc.record, tc.parts)
		if !errors.Is(err, ErrParts) || got != nil {
			t.Errorf("%s: got %d pseudonyms, %v, want %v", name, len(got), err, ErrParts)
		}
	}
	if _, err := blinding.Finalize(h.record, []Part{p[4], p[0], p[2]}); err != nil {
		t.Errorf("three holders in any order: %v", err)
	}
}

func unbound(r keyshare.Record) keyshare.Record {
	r.KeyID = [32]byte{}
	return r
}

func TestPartNamesItsHolder(t *testing.T) {
	h := dealKey(t, testKey(), 3, 2, 1)
	_, elements := mustBlind(t, 1)
	if got := h.ask(t, 3, elements).Holder(); got != 3 {
		t.Errorf("holder %d, want 3", got)
	}
}

func TestBlindRefuses(t *testing.T) {
	for name, inputs := range map[string][][]byte{
		"no inputs":               nil,
		"more than 4096 inputs":   make([][]byte, MaxBatch+1),
		"an input above 65,535 B": {make([]byte, 65_536)},
	} {
		if b, elements, err := Blind(inputs); !errors.Is(err, ErrBatch) || b != nil || elements != nil {
			t.Errorf("%s: got %v, want %v", name, err, ErrBatch)
		}
	}
}

func TestBlindHidesEqualInputs(t *testing.T) {
	input := testInputs(1)[0]
	_, elements, err := Blind([][]byte{input, input})
	if err != nil {
		t.Fatal(err)
	}
	if elements[0] == elements[1] {
		t.Error("two blindings of one input are equal")
	}
}
