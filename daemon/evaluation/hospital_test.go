package evaluation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/peer"
)

func (w *world) pseudonyms(node string, identities [][]byte) []pseudonym.Pseudonym {
	w.t.Helper()
	got, err := w.services[node].Pseudonyms(w.t.Context(), identities)
	must(w.t, err)
	return got
}

func TestAnyThreeOfFiveHoldersGiveTheSamePseudonyms(t *testing.T) {
	ids := identities(3)
	want := newWorld(t, five()).pseudonyms("h1", ids)
	for live := range 1 << 5 {
		w := newWorld(t, five())
		count := 0
		for i := range 5 {
			if live>>i&1 == 1 {
				count++
			} else {
				w.bend[fmt.Sprintf("h%d", i+1)] = down
			}
		}
		got, err := w.services["reader"].Pseudonyms(t.Context(), ids)
		switch {
		case count < 3 && !errors.Is(err, ErrHolders):
			t.Errorf("holders %05b: got %v, want too few holders", live, err)
		case count >= 3 && (err != nil || !slices.Equal(got, want)):
			t.Errorf("holders %05b: got %x, %v; want %x", live, got, err, want)
		}
	}
	for _, hospital := range []string{"h2", "h3", "h4", "h5"} {
		if got := newWorld(t, five()).pseudonyms(hospital, ids); !slices.Equal(got, want) {
			t.Errorf("%s got %x, want %x", hospital, got, want)
		}
	}
}

func TestDifferentPeopleGetDifferentPseudonymsAndTheSameTheSame(t *testing.T) {
	w := newWorld(t, five())
	ids := identities(2)
	got := w.pseudonyms("h1", [][]byte{ids[0], ids[1], ids[0], ids[0]})
	if got[0] != got[2] || got[0] != got[3] || got[0] == got[1] {
		t.Errorf("got %x", got)
	}
	if again := w.pseudonyms("h1", [][]byte{ids[1], ids[0]}); again[0] != got[1] || again[1] != got[0] {
		t.Errorf("asked again in another order: %x", again)
	}
	if none := w.pseudonyms("h1", nil); len(none) != 0 {
		t.Errorf("of nobody got %x", none)
	}
}

func TestEqualIdentitiesAreAskedOnce(t *testing.T) {
	w := newWorld(t, five())
	elements := 0
	w.bend["h2"] = func(_ context.Context, e, honest peer.Evaluation) (peer.Evaluation, error) {
		elements = len(e.Elements)
		return honest, nil
	}
	w.pseudonyms("h1", slices.Repeat(identities(2), 50))
	if elements != 2 {
		t.Errorf("%d elements were sent, want 2", elements)
	}
}

func TestMoreIdentitiesThanABatchHoldsGoInSeveral(t *testing.T) {
	w := newWorld(t, five())
	ids := identities(9)
	want := w.pseudonyms("h1", ids)
	if n := w.services["h1"].batchMax; n != 4096 {
		t.Errorf("a batch holds %d identities, want 4096", n)
	}
	var sizes []int
	w.bend["h2"] = func(_ context.Context, e, honest peer.Evaluation) (peer.Evaluation, error) {
		sizes = append(sizes, len(e.Elements))
		return honest, nil
	}
	w.services["h1"].batchMax = 4
	if got := w.pseudonyms("h1", ids); !slices.Equal(got, want) || !slices.Equal(sizes, []int{4, 4, 1}) {
		t.Errorf("in batches of %v got %x, want %x", sizes, got, want)
	}
}

// signed returns an answer with a message of the liar's making, signed as the
// holder signs.
func (w *world) signed(holder int, message []byte, elements [][32]byte) (peer.Evaluation, error) {
	sig, err := w.founded.Hospitals[holder-1].Response.Sign(sign.LabelResponse, message)
	return peer.Evaluation{Message: message, Signature: sig, Elements: elements}, err
}

// lies are what holder 2 may answer in place of the truth.
var lies = map[string]func(w *world, e, honest peer.Evaluation) (peer.Evaluation, error){
	"evaluated with another share": func(w *world, e, _ peer.Evaluation) (peer.Evaluation, error) {
		req, err := pseudonym.DecodeRequest(e.Message)
		must(w.t, err)
		share := w.founded.Hospitals[4].Share
		share.Holder = 2
		evaluated, proof, err := pseudonym.Evaluate(share, req, e.Elements)
		must(w.t, err)
		return w.signed(2, pseudonym.NewResponse(req, evaluated, proof).AppendCBOR(nil), evaluated)
	},
	"a proof of nothing": func(w *world, e, honest peer.Evaluation) (peer.Evaluation, error) {
		resp, err := pseudonym.DecodeResponse(honest.Message)
		must(w.t, err)
		resp.Proof[0] ^= 1
		return w.signed(2, resp.AppendCBOR(nil), honest.Elements)
	},
	"another holder's answer": func(w *world, e, honest peer.Evaluation) (peer.Evaluation, error) {
		sig, err := w.founded.Hospitals[2].Response.Sign(sign.LabelResponse, honest.Message)
		return peer.Evaluation{Message: honest.Message, Signature: sig, Elements: honest.Elements}, err
	},
	"an answer to an earlier request": func(w *world, e, honest peer.Evaluation) (peer.Evaluation, error) {
		req, err := pseudonym.DecodeRequest(e.Message)
		must(w.t, err)
		req.RequestID[0] ^= 1
		evaluated, proof, err := pseudonym.Evaluate(w.founded.Hospitals[1].Share, req, e.Elements)
		must(w.t, err)
		return w.signed(2, pseudonym.NewResponse(req, evaluated, proof).AppendCBOR(nil), evaluated)
	},
	"a signature with a flipped bit": func(_ *world, _, honest peer.Evaluation) (peer.Evaluation, error) {
		honest.Signature.Ed25519[5] ^= 1
		return honest, nil
	},
	"the other half of the signature flipped": func(_ *world, _, honest peer.Evaluation) (peer.Evaluation, error) {
		honest.Signature.MLDSA = bytes.Clone(honest.Signature.MLDSA)
		honest.Signature.MLDSA[5] ^= 1
		return honest, nil
	},
	"elements in another order": func(_ *world, _, honest peer.Evaluation) (peer.Evaluation, error) {
		honest.Elements = slices.Clone(honest.Elements)
		slices.Reverse(honest.Elements)
		return honest, nil
	},
	"the blinded elements sent back": func(w *world, e, honest peer.Evaluation) (peer.Evaluation, error) {
		req, err := pseudonym.DecodeRequest(e.Message)
		must(w.t, err)
		return w.signed(2, pseudonym.NewResponse(req, e.Elements, [64]byte{}).AppendCBOR(nil), e.Elements)
	},
	"an element too few": func(_ *world, _, honest peer.Evaluation) (peer.Evaluation, error) {
		honest.Elements = honest.Elements[1:]
		return honest, nil
	},
	"no message": func(w *world, _, honest peer.Evaluation) (peer.Evaluation, error) {
		return w.signed(2, nil, honest.Elements)
	},
	"nothing": func(*world, peer.Evaluation, peer.Evaluation) (peer.Evaluation, error) { return peer.Evaluation{}, nil },
}

func TestALyingHolderIsLeftOutAndAnotherAsked(t *testing.T) {
	ids := identities(2)
	want := newWorld(t, five()).pseudonyms("h1", ids)
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, five())
			w.bend["h2"] = func(_ context.Context, e, honest peer.Evaluation) (peer.Evaluation, error) { return lie(w, e, honest) }
			if got := w.pseudonyms("h1", ids); !slices.Equal(got, want) {
				t.Errorf("got %x, want %x", got, want)
			}
			if asked := w.whoWasAsked(); !slices.Contains(asked, "h4") {
				t.Errorf("asked %v, and nobody in the liar's place", asked)
			}
			if !strings.Contains(w.logged.text(), "share=2 institution=2") {
				t.Errorf("nobody is told of holder 2: %s", w.logged.text())
			}
		})
	}
}

func TestTooManyLiarsAreTooFewHolders(t *testing.T) {
	w := newWorld(t, five())
	for _, liar := range []string{"h2", "h3", "h4"} {
		w.bend[liar] = func(_ context.Context, _, honest peer.Evaluation) (peer.Evaluation, error) {
			honest.Signature.Ed25519[0] ^= 1
			return honest, nil
		}
	}
	ids := identities(2)
	_, err := w.services["h1"].Pseudonyms(t.Context(), ids)
	if !errors.Is(err, ErrHolders) || !strings.Contains(err.Error(), "share holder Hospital 3 (3), share 3: ") {
		t.Errorf("got %v, want too few holders with reasons", err)
	}
	if strings.Contains(fmt.Sprint(err, w.logged.text()), "person") {
		t.Errorf("an identity is in what is said: %v", err)
	}
}

func TestHoldersThatDoNotAnswerAreWorkedAround(t *testing.T) {
	five()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, five())
		ids := identities(2)
		want := w.pseudonyms("h1", ids)
		w.bend["h2"], w.bend["h3"] = hangs, hangs
		began := time.Now()
		if got := w.pseudonyms("h1", ids); !slices.Equal(got, want) {
			t.Errorf("got %x, want %x", got, want)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("two holders that do not answer cost %s", took)
		}
		w.bend["h4"] = hangs
		if _, err := w.services["h1"].Pseudonyms(t.Context(), ids); !errors.Is(err, ErrHolders) {
			t.Errorf("with two of five answering got %v", err)
		}
	})
}

func TestACallEndsWithItsContext(t *testing.T) {
	five()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, five())
		for _, h := range []string{"h2", "h3", "h4", "h5"} {
			w.bend[h] = hangs
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := w.services["h1"].Pseudonyms(ctx, identities(2))
		if !errors.Is(err, ErrHolders) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("after %s got %v, want the end of the context", time.Since(began), err)
		}
		if _, err := w.services["h1"].Pseudonyms(ctx, identities(1000)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stretching went on: %v", err)
		}
	})
}

func TestBeforeTheFirstCheckpointThereIsNoDay(t *testing.T) {
	w := newWorld(t, five())
	w.node.checkpoint = tlog.SignedCheckpoint{}
	if _, err := w.services["h1"].Pseudonyms(t.Context(), identities(1)); !errors.Is(err, consensus.ErrNotYet) {
		t.Errorf("got %v, want not yet", err)
	}
}
