package envelope_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
)

func TestEveryChangedByteIsRefused(t *testing.T) {
	raw := bytes.Clone(readPinned(t))
	if err := check(raw); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		flip := byte(1) << (i % 8)
		raw[i] ^= flip
		if check(raw) == nil {
			t.Errorf("byte %d of %d can be changed unseen", i, len(raw))
		}
		raw[i] ^= flip
	}
}

func TestEveryCutAndEveryTailIsRefused(t *testing.T) {
	raw := readPinned(t)
	for n := range raw {
		if _, err := envelope.Decode(raw[:n]); !errors.Is(err, cbor.ErrEncoding) {
			t.Fatalf("%d of %d bytes: got %v, want ENC001", n, len(raw), err)
		}
	}
	if _, err := envelope.Decode(append(bytes.Clone(raw), 0)); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("a byte more: got %v, want ENC001", err)
	}
}

func TestEnvelopesThatAreNotOneAreRefused(t *testing.T) {
	e, _ := build(t, plains(2))
	for name, tc := range map[string]struct {
		change func(*envelope.Header, []seal.Body) []seal.Body
		want   error
	}{
		"as built": {func(_ *envelope.Header, b []seal.Body) []seal.Body { return b }, nil},
		"bodies exchanged": {func(_ *envelope.Header, b []seal.Body) []seal.Body {
			return []seal.Body{b[1], b[0]}
		}, envelope.ErrBodies},
		"a body twice": {func(_ *envelope.Header, b []seal.Body) []seal.Body {
			return []seal.Body{b[0], b[0]}
		}, envelope.ErrBodies},
		"a body less than the header says": {func(_ *envelope.Header, b []seal.Body) []seal.Body {
			return b[:1]
		}, cbor.ErrEncoding},
		"no bodies": {func(_ *envelope.Header, b []seal.Body) []seal.Body { return nil }, cbor.ErrEncoding},
		"a count of zero": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Count = 0
			return nil
		}, cbor.ErrEncoding},
		"a count of 1025": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Count = 1025
			return make([]seal.Body, 1025)
		}, cbor.ErrEncoding},
		"21 wraps": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Wraps = make([]seal.Wrap, 21)
			return b
		}, cbor.ErrEncoding},
		"a wrap's key id of 31 bytes": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Wraps = []seal.Wrap{{KeyID: make([]byte, 31)}}
			return b
		}, cbor.ErrEncoding},
		"another sequence": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Sequence++
			return b
		}, envelope.ErrBodies}, // commitments are bound to it
		"another signing time": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.SignedAt++
			return b
		}, sign.ErrMLDSA},
		"another kind": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Kind = envelope.KindAct
			return b
		}, sign.ErrSignature},
		"an unknown kind": {func(h *envelope.Header, b []seal.Body) []seal.Body {
			h.Kind = 9
			return b
		}, sign.ErrPurpose},
	} {
		h := e.Header
		bodies := tc.change(&h, e.Bodies)
		out, err := envelope.Assemble(h.Marshal(), e.Signature, bodies)
		if err == nil {
			err = check(out.Marshal())
		}
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestSignatureOfOneKindDoesNotServeAnother(t *testing.T) {
	e, err := envelope.BuildAct(link, []byte("an act"), senderKey)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := senderKey.Sign(sign.LabelEntries, e.HeaderBytes)
	if err != nil {
		t.Fatal(err)
	}
	out, err := envelope.Assemble(e.HeaderBytes, sig, e.Bodies)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.VerifySignature(senderKey.Public()); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestLeafHasNinetyBytes(t *testing.T) {
	for _, n := range []int{0, 89, 91} {
		if _, err := envelope.ParseLeaf(make([]byte, n)); err == nil {
			t.Errorf("a leaf of %d bytes was read", n)
		}
	}
}
