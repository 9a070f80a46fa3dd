package state_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// exchange is a request of hospital 3 to holder 2 and what came back.
type exchange struct {
	t         testing.TB
	net       *foundingtest.Network
	s         *state.State
	request   pseudonym.Request
	elements  [][32]byte
	share     keyshare.Share
	evaluated [][32]byte
	response  pseudonym.Response
	asker     *sign.PrivateKey
	answerer  *sign.PrivateKey
}

func newExchange(t testing.TB, net *foundingtest.Network, s *state.State) *exchange {
	t.Helper()
	_, elements, err := pseudonym.Blind([][]byte{{1}, {2}})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange{
		t: t, net: net, s: s, elements: elements, share: net.Hospitals[1].Share,
		asker: net.Hospitals[2].Request, answerer: net.Hospitals[1].Response,
		request: pseudonym.Request{
			Network: s.Network, KeyID: s.OPRF.KeyID, Epoch: s.OPRF.Epoch, Holder: 2, Hospital: 3, RequestID: [16]byte{9},
			QuotaDay: today, N: 2, ElementsHash: pseudonym.HashElements(elements),
		},
	}
	x.answer()
	return x
}

// answer makes the response of the holder of share to the request.
func (x *exchange) answer() {
	x.t.Helper()
	var proof [64]byte
	var err error
	if x.evaluated, proof, err = pseudonym.Evaluate(x.share, x.request, x.elements); err != nil {
		x.t.Fatal(err)
	}
	x.response = pseudonym.NewResponse(x.request, x.evaluated, proof)
}

// lie answers with another holder's share.
func (x *exchange) lie() {
	x.share = x.net.Hospitals[0].Share
	x.share.Holder = 2
	x.answer()
}

// redo signs and hashes the evaluated elements anew, with the proof as it was.
func (x *exchange) redo() {
	x.response = pseudonym.NewResponse(x.request, x.evaluated, x.response.Proof)
}

func (x *exchange) evidence() *act.Falsehood {
	x.t.Helper()
	f := &act.Falsehood{
		Request: x.request.AppendCBOR(nil), Response: x.response.AppendCBOR(nil), Elements: x.elements, Evaluated: x.evaluated,
	}
	var err error
	if f.RequestSignature, err = x.asker.Sign(labelOf(x.asker), f.Request); err != nil {
		x.t.Fatal(err)
	}
	if f.ResponseSignature, err = x.answerer.Sign(labelOf(x.answerer), f.Response); err != nil {
		x.t.Fatal(err)
	}
	return f
}

func labelOf(k *sign.PrivateKey) sign.Label {
	if k.Purpose() == sign.PurposeRequest {
		return sign.LabelRequest
	}
	return sign.LabelResponse
}

func falsehoodAct(f *act.Falsehood) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeFalsehood, Payload: f.Marshal()}
}

func TestOnlyWhatShowsAFalsehoodIsEvidence(t *testing.T) {
	net, s := found(t)
	for name, tc := range map[string]struct {
		change func(*exchange)
		want   string // "" = evidence
	}{
		"evaluated with another share":   {func(x *exchange) { x.lie() }, ""},
		"a proof that does not verify":   {func(x *exchange) { x.response.Proof[0] ^= 1 }, ""},
		"a proof that is no proof":       {func(x *exchange) { x.response.Proof = [64]byte(bytes.Repeat([]byte{255}, 64)) }, ""},
		"the blinded elements sent back": {func(x *exchange) { x.evaluated = x.elements; x.redo() }, ""},
		"an element too few":             {func(x *exchange) { x.evaluated = x.evaluated[:1]; x.redo() }, ""},
		"the identity sent back":         {func(x *exchange) { x.evaluated = [][32]byte{{}, x.evaluated[1]}; x.redo() }, ""},
		"what is no element sent back": {func(x *exchange) {
			x.evaluated = [][32]byte{[32]byte(bytes.Repeat([]byte{255}, 32)), x.evaluated[1]}
			x.redo()
		}, ""},
		"an honest answer":               {func(*exchange) {}, "the proof verifies"},
		"an answer to another request":   {func(x *exchange) { x.lie(); x.request.RequestID[0] ^= 1 }, "to another request"},
		"elements that were not signed":  {func(x *exchange) { x.evaluated = slices.Clone(x.evaluated); slices.Reverse(x.evaluated) }, "not those of the response"},
		"other elements than were asked": {func(x *exchange) { x.lie(); x.elements = x.elements[1:] }, "not those of the request"},
		"a request the hospital did not sign": {func(x *exchange) { x.lie(); x.asker = x.net.Hospitals[1].Request },
			"not signed by institution 3"},
		"a request signed as a response":    {func(x *exchange) { x.lie(); x.asker = x.net.Hospitals[2].Response }, "not signed by institution 3"},
		"a response another holder signed":  {func(x *exchange) { x.lie(); x.answerer = x.net.Hospitals[0].Response }, "not signed by institution 2"},
		"a request for another network":     {func(x *exchange) { x.request.Network[0] ^= 1; x.redo() }, "another network"},
		"a request for another key":         {func(x *exchange) { x.request.KeyID[0] ^= 1; x.redo() }, "key or epoch"},
		"a request for another epoch":       {func(x *exchange) { x.request.Epoch++; x.redo() }, "key or epoch"},
		"a request to a share there is not": {func(x *exchange) { x.request.Holder = 4; x.redo() }, "no share 4"},
		"a request to share 0":              {func(x *exchange) { x.request.Holder = 0; x.redo() }, "no share 0"},
		"a request of nobody":               {func(x *exchange) { x.request.Hospital = 9; x.redo() }, "institution 9 is no member"},
		"a request with the identity": {func(x *exchange) {
			x.elements = [][32]byte{{}, x.elements[1]}
			x.request.ElementsHash = pseudonym.HashElements(x.elements)
			x.redo()
		}, "own elements"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newExchange(t, net, s)
			tc.change(x)
			f := x.evidence()
			holder, epoch, err := s.CheckFalsehood(f)
			_, r := admit(s, actOf(t, s, net.Hospitals[2], falsehoodAct(f)).Marshal(), now)
			switch {
			case tc.want == "":
				if err != nil || holder != 2 || epoch != 1 || r != nil {
					t.Errorf("holder %d in epoch %d, %v; the act: %v", holder, epoch, err, r)
				}
			case !errors.Is(err, state.ErrNoFalsehood) || !strings.Contains(err.Error(), tc.want):
				t.Errorf("got %v, want %q", err, tc.want)
			case r == nil || r.Code != state.CodeActPayload:
				t.Errorf("the act: %v, want %s", r, state.CodeActPayload)
			}
		})
	}
}

func TestEveryFlippedByteOfEvidenceIsRefused(t *testing.T) {
	net, s := found(t)
	x := newExchange(t, net, s)
	x.lie()
	valid := x.evidence()
	for part, bytesOf := range map[string]func(*act.Falsehood) []byte{
		"request":   func(f *act.Falsehood) []byte { f.Request = bytes.Clone(f.Request); return f.Request },
		"response":  func(f *act.Falsehood) []byte { f.Response = bytes.Clone(f.Response); return f.Response },
		"element":   func(f *act.Falsehood) []byte { f.Elements = slices.Clone(f.Elements); return f.Elements[1][:] },
		"evaluated": func(f *act.Falsehood) []byte { f.Evaluated = slices.Clone(f.Evaluated); return f.Evaluated[0][:] },
		"ed25519":   func(f *act.Falsehood) []byte { return f.ResponseSignature.Ed25519[:] },
	} {
		for i := range bytesOf(valid) {
			bent := *valid
			bytesOf(&bent)[i] ^= 1
			if _, _, err := s.CheckFalsehood(&bent); !errors.Is(err, state.ErrNoFalsehood) {
				t.Errorf("byte %d of the %s flipped: %v", i, part, err)
			}
		}
	}
	if _, _, err := s.CheckFalsehood(valid); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func TestAFalsehoodIsRecordedOnceForEachHolderAndEpoch(t *testing.T) {
	net, s := found(t)
	x := newExchange(t, net, s)
	x.lie()
	a := falsehoodAct(x.evidence())
	clone := s.Clone()
	accept(t, s, actOf(t, s, net.Hospitals[2], a).Marshal(), now)
	s = deepCopy(t, s)
	want := state.Falsehood{Epoch: 1, Holder: 2, Reporter: 3, Envelope: 1}
	if len(s.Falsehoods) != 1 || s.Falsehoods[0] != want || !s.KnownFalsehood(1, 2) || s.KnownFalsehood(1, 1) {
		t.Errorf("got %+v, want %+v", s.Falsehoods, want)
	}
	if len(clone.Falsehoods) != 0 {
		t.Error("a clone changed with its origin")
	}
	x.request.RequestID[0]++
	x.lie()
	wantRefusal(t, s, net.Hospitals[0], falsehoodAct(x.evidence()), now, state.CodeActPayload, "on the log already")
	wantRefusal(t, s, net.Hospitals[0], act.Act{Version: 1, Type: act.TypeFalsehood, Payload: []byte("?")}, now, state.CodeActPayload, "ENC001")
	a.Expiry = 7
	wantRefusal(t, clone, net.Hospitals[2], a, now, state.CodeActApproval, "needs no approvals")
}
