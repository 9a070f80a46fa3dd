package pseudonym

import (
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/internal/ristretto"
	"github.com/raresync/raresync/crypto/keyshare"
)

func TestHolderRefuses(t *testing.T) {
	h := dealKey(t, testKey(), 5, 3, 1)
	_, good := mustBlind(t, 3)
	withElement := func(e [32]byte) func(*Request, *keyshare.Share, *[][32]byte) {
		return func(r *Request, _ *keyshare.Share, elements *[][32]byte) {
			(*elements)[1] = e
			r.ElementsHash = HashElements(*elements)
		}
	}
	for name, tc := range map[string]struct {
		spoil func(*Request, *keyshare.Share, *[][32]byte)
		want  error
	}{
		"a request for another key":       {func(r *Request, _ *keyshare.Share, _ *[][32]byte) { r.KeyID[0] ^= 1 }, ErrRequest},
		"a request for another epoch":     {func(r *Request, _ *keyshare.Share, _ *[][32]byte) { r.Epoch++ }, ErrRequest},
		"a request for another holder":    {func(r *Request, _ *keyshare.Share, _ *[][32]byte) { r.Holder++ }, ErrRequest},
		"a count that is not the batch's": {func(r *Request, _ *keyshare.Share, _ *[][32]byte) { r.N++ }, ErrRequest},
		"a hash that is not the batch's":  {func(r *Request, _ *keyshare.Share, _ *[][32]byte) { r.ElementsHash[63] ^= 1 }, ErrRequest},
		"elements in another order": {func(_ *Request, _ *keyshare.Share, elements *[][32]byte) {
			slices.Reverse(*elements)
		}, ErrRequest},
		"the identity":            {withElement(identity), ErrElement},
		"a non-canonical element": {withElement(nonCanonical), ErrElement},
		"no elements": {func(r *Request, _ *keyshare.Share, elements *[][32]byte) {
			*elements, r.N, r.ElementsHash = nil, 0, HashElements(nil)
		}, ErrBatch},
		"more than 4096 elements": {func(r *Request, _ *keyshare.Share, elements *[][32]byte) {
			*elements = slices.Repeat((*elements)[:1], MaxBatch+1)
			r.N, r.ElementsHash = MaxBatch+1, HashElements(*elements)
		}, ErrBatch},
		"a share without a scalar": {func(_ *Request, s *keyshare.Share, _ *[][32]byte) {
			s.Scalar = keyshare.Scalar{}
		}, keyshare.ErrShare},
	} {
		req, share, elements := h.request(2, good), h.shares[1], slices.Clone(good)
		if _, _, err := Evaluate(share, req, elements); err != nil {
			t.Fatalf("%s: untouched: %v", name, err)
		}
		tc.spoil(&req, &share, &elements)
		evaluated, proof, err := Evaluate(share, req, elements)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if evaluated != nil || proof != [64]byte{} {
			t.Errorf("%s: answers beside the error", name)
		}
	}
}

func TestProofsDifferFromCallToCall(t *testing.T) {
	h := dealKey(t, testKey(), 3, 2, 1)
	_, elements := mustBlind(t, 2)
	req := h.request(1, elements)
	first, proof, err := Evaluate(h.shares[0], req, elements)
	if err != nil {
		t.Fatal(err)
	}
	second, again, err := Evaluate(h.shares[0], req, elements)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, second) {
		t.Error("one request, two evaluations")
	}
	if proof == again {
		t.Error("two proofs share a nonce")
	}
}

// Even with a random source that repeats itself, two proofs must not share a
// nonce: that would give the share away.
func TestNonceDependsOnShareAndTranscript(t *testing.T) {
	k := ours(t, testKey())
	other := new(ristretto.Scalar).Add(k, k)
	stuck := [32]byte{1}
	base := proofNonce(k, []byte("one batch"), stuck)
	for name, again := range map[string]*ristretto.Scalar{
		"another batch": proofNonce(k, []byte("another batch"), stuck),
		"another share": proofNonce(other, []byte("one batch"), stuck),
		"fresh bytes":   proofNonce(k, []byte("one batch"), [32]byte{2}),
	} {
		if base.Equal(again) == 1 {
			t.Errorf("%s: a nonce was used twice", name)
		}
	}
	if base.Equal(proofNonce(k, []byte("one batch"), stuck)) != 1 {
		t.Error("the nonce depends on something else: the test shows nothing")
	}
}
