package evaluation

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/peer"
)

// asked is a request of hospital 2 to holder 1 on its way.
type asked struct {
	request  pseudonym.Request
	elements [][32]byte
	key      *sign.PrivateKey
	from     string
}

func (w *world) request() asked {
	w.t.Helper()
	_, elements, err := pseudonym.Blind(identities(3))
	must(w.t, err)
	view := w.node.view
	return asked{
		request: pseudonym.Request{
			Network: view.Network, KeyID: view.OPRF.KeyID, Epoch: view.OPRF.Epoch, Holder: 1, Hospital: 2, RequestID: [16]byte{7},
			QuotaDay: pseudonym.QuotaDay(checkpointTime * 1000), N: 3, ElementsHash: pseudonym.HashElements(elements),
		},
		elements: elements, key: w.founded.Hospitals[1].Request, from: "h2",
	}
}

func TestAHolderAnswersOnlyWhatAMemberSignedForItNow(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *world, a *asked)
		want   string // "" = answered
	}{
		"as it should be":           {func(*world, *asked) {}, ""},
		"of yesterday":              {func(_ *world, a *asked) { a.request.QuotaDay-- }, ""},
		"of tomorrow":               {func(_ *world, a *asked) { a.request.QuotaDay++ }, "QT002"},
		"of the day before":         {func(_ *world, a *asked) { a.request.QuotaDay -= 2 }, "QT002"},
		"of the first day":          {func(_ *world, a *asked) { a.request.QuotaDay = 0 }, "QT002"},
		"of the last day there is":  {func(_ *world, a *asked) { a.request.QuotaDay = 1<<32 - 1 }, "QT002"},
		"for another network":       {func(_ *world, a *asked) { a.request.Network[0] ^= 1 }, "another network"},
		"in another's name":         {func(_ *world, a *asked) { a.request.Hospital = 3 }, "does not speak for institution 3"},
		"in nobody's name":          {func(_ *world, a *asked) { a.request.Hospital = 0 }, "does not speak for institution 0"},
		"carried by another's node": {func(_ *world, a *asked) { a.from = "h3" }, "node h3 does not speak"},
		"carried by a stranger":     {func(_ *world, a *asked) { a.from = "h9" }, "node h9 does not speak"},
		"signed by another": {func(w *world, a *asked) {
			a.key = w.founded.Hospitals[2].Request
		}, "signature refused"},
		"signed as a response": {func(w *world, a *asked) { a.key = w.founded.Hospitals[1].Response }, "signature refused"},
		"for another key":      {func(_ *world, a *asked) { a.request.KeyID[0] ^= 1 }, "another key"},
		"for another epoch":    {func(_ *world, a *asked) { a.request.Epoch++ }, "for epoch 2"},
		"for another holder":   {func(_ *world, a *asked) { a.request.Holder = 2 }, "for holder 2, this is holder 1"},
		"with other elements": {func(_ *world, a *asked) {
			a.elements = [][32]byte{a.elements[1], a.elements[0], a.elements[2]}
		}, "not those of the request"},
		"with an element more": {func(_ *world, a *asked) { a.elements = append(a.elements, a.elements[0]) }, "not those of the request"},
		"with the identity element": {func(_ *world, a *asked) {
			a.elements = [][32]byte{{}}
			a.request.N, a.request.ElementsHash = 1, pseudonym.HashElements(a.elements)
		}, "PS003: not a group element to use: the identity"},
		"with what is no element": {func(_ *world, a *asked) {
			a.elements = [][32]byte{[32]byte(bytes.Repeat([]byte{255}, 32))}
			a.request.N, a.request.ElementsHash = 1, pseudonym.HashElements(a.elements)
		}, "PS003"},
		"with a batch above the quota":  {func(w *world, a *asked) { w.node.view.Policy.QuotaFloor = 2 }, "QT001: over quota: 3 elements on day 20717, 2 of 2 are left"},
		"while its shares are replaced": {func(w *world, a *asked) { w.node.view.OPRF.Epoch++ }, "holds no share"},
		"to a holder without a count":   {func(w *world, a *asked) { w.services["h1"].Count = nil }, "holds no share"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, five())
			a := w.request()
			tc.change(w, &a)
			_, err := w.evaluate(a)
			if tc.want == "" && err != nil || tc.want != "" && (!errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// evaluate signs with a key of another purpose too, as a cheat would.
func (w *world) evaluate(a asked) (peer.Evaluation, error) {
	w.t.Helper()
	label := sign.LabelRequest
	if a.key.Purpose() == sign.PurposeResponse {
		label = sign.LabelResponse
	}
	message := a.request.AppendCBOR(nil)
	sig, err := a.key.Sign(label, message)
	must(w.t, err)
	return w.services["h1"].Evaluate(a.from, peer.Evaluation{Message: message, Signature: sig, Elements: a.elements})
}

func TestEveryFlippedByteOfARequestIsRefused(t *testing.T) {
	w := newWorld(t, five())
	a := w.request()
	message := a.request.AppendCBOR(nil)
	sig, err := a.key.Sign(sign.LabelRequest, message)
	must(t, err)
	for i := range message {
		bent := append([]byte(nil), message...)
		bent[i] ^= 0x01
		if _, err := w.services["h1"].Evaluate("h2", peer.Evaluation{Message: bent, Signature: sig, Elements: a.elements}); !errors.Is(err, ErrRequest) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
	}
}

func TestARequestIdServesOneRequest(t *testing.T) {
	w := newWorld(t, five())
	first := w.request()
	for range 2 {
		if _, err := w.evaluate(first); err != nil {
			t.Errorf("the same request: %v", err)
		}
	}
	second := w.request() // same id, other elements
	if _, err := w.evaluate(second); !errors.Is(err, ErrRequest) || !strings.Contains(err.Error(), "request id") {
		t.Errorf("another request under the same id: %v", err)
	}
	if !strings.Contains(w.logged.text(), "hospital=2") {
		t.Errorf("nobody is told: %s", w.logged.text())
	}
	third := w.request()
	third.request.Hospital, third.key, third.from = 3, w.founded.Hospitals[2].Request, "h3"
	if _, err := w.evaluate(third); err != nil {
		t.Errorf("another hospital's request with that id: %v", err)
	}
}

func TestANodeWithoutAShareAnswersNobody(t *testing.T) {
	w := newWorld(t, five())
	if _, err := w.services["reader"].Evaluate("h2", peer.Evaluation{}); !errors.Is(err, ErrRequest) {
		t.Errorf("got %v, want a refused request", err)
	}
}
