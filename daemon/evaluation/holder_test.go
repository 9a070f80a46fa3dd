package evaluation

import (
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
		ok     bool
	}{
		"as it should be":           {func(*world, *asked) {}, true},
		"of yesterday":              {func(_ *world, a *asked) { a.request.QuotaDay-- }, true},
		"of tomorrow":               {func(_ *world, a *asked) { a.request.QuotaDay++ }, true},
		"of the day before":         {func(_ *world, a *asked) { a.request.QuotaDay -= 2 }, false},
		"of the day after tomorrow": {func(_ *world, a *asked) { a.request.QuotaDay += 2 }, false},
		"of the first day":          {func(_ *world, a *asked) { a.request.QuotaDay = 0 }, false},
		"of the last day there is":  {func(_ *world, a *asked) { a.request.QuotaDay = 1<<32 - 1 }, false},
		"for another network":       {func(_ *world, a *asked) { a.request.Network[0] ^= 1 }, false},
		"in another's name":         {func(_ *world, a *asked) { a.request.Hospital = 3 }, false},
		"in nobody's name":          {func(_ *world, a *asked) { a.request.Hospital = 0 }, false},
		"carried by another's node": {func(_ *world, a *asked) { a.from = "h3" }, false},
		"carried by a stranger":     {func(_ *world, a *asked) { a.from = "h9" }, false},
		"signed by another": {func(w *world, a *asked) {
			a.key = w.founded.Hospitals[2].Request
		}, false},
		"signed as a response": {func(w *world, a *asked) { a.key = w.founded.Hospitals[1].Response }, false},
		"for another key":      {func(_ *world, a *asked) { a.request.KeyID[0] ^= 1 }, false},
		"for another epoch":    {func(_ *world, a *asked) { a.request.Epoch++ }, false},
		"for another holder":   {func(_ *world, a *asked) { a.request.Holder = 2 }, false},
		"with other elements": {func(_ *world, a *asked) {
			a.elements = [][32]byte{a.elements[1], a.elements[0], a.elements[2]}
		}, false},
		"with an element more": {func(_ *world, a *asked) { a.elements = append(a.elements, a.elements[0]) }, false},
		"with the identity element": {func(_ *world, a *asked) {
			a.elements = [][32]byte{{}}
			a.request.N, a.request.ElementsHash = 1, pseudonym.HashElements(a.elements)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, five())
			a := w.request()
			tc.change(w, &a)
			_, err := w.evaluate(a)
			if tc.ok && err != nil || !tc.ok && !errors.Is(err, ErrRequest) {
				t.Errorf("got %v, answered: want %v", err, tc.ok)
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

func TestAHolderRemembersABoundedNumberOfRequests(t *testing.T) {
	var l requestLog
	id := func(i int) pseudonym.Request {
		return pseudonym.Request{Hospital: 1, RequestID: [16]byte{byte(i), byte(i >> 8), byte(i >> 16)}}
	}
	for i := range requestsKept + 10 {
		if !l.add(id(i)) {
			t.Fatalf("request %d is not new", i)
		}
	}
	if len(l.seen) != requestsKept || len(l.order) != requestsKept {
		t.Errorf("remembers %d requests in order of %d, want %d", len(l.seen), len(l.order), requestsKept)
	}
	other := id(requestsKept)
	other.N = 9
	if l.add(other) {
		t.Error("another request under a recent id is taken")
	}
}

func TestANodeWithoutAShareAnswersNobody(t *testing.T) {
	w := newWorld(t, five())
	if _, err := w.services["reader"].Evaluate("h2", peer.Evaluation{}); !errors.Is(err, ErrRequest) {
		t.Errorf("got %v, want a refused request", err)
	}
}
