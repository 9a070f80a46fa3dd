package envelope_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

// erased is the pinned envelope without the body at place 0.
func erased(t testing.TB) (whole, held *envelope.Envelope) {
	t.Helper()
	whole, err := envelope.Decode(readPinned(t))
	if err != nil {
		t.Fatal(err)
	}
	return whole, whole.Erase(func(place int) bool { return place == 0 })
}

func TestAnErasedBodyLeavesItsCommitmentAndTheSignatureHolds(t *testing.T) {
	whole, held := erased(t)
	again, err := envelope.DecodeHeld(held.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != whole.ID() || !bytes.Equal(again.HeaderBytes, whole.HeaderBytes) || again.CheckBodies(again.Commitments()) != nil {
		t.Error("the header does not cover what is left")
	}
	b := again.Bodies[0]
	if b.Erased == nil || *b.Erased != whole.Commitments()[0] || b.Salt != [32]byte{} || len(b.Ciphertext) != len(whole.Bodies[0].Ciphertext) {
		t.Errorf("left of the body: %+v", b)
	}
	if bytes.Contains(held.Marshal(), whole.Bodies[0].Ciphertext[:32]) || bytes.Contains(held.Marshal(), whole.Bodies[0].Salt[:]) {
		t.Error("the bytes still hold the body")
	}
	if len(whole.Bodies[0].Ciphertext) == 0 || whole.Bodies[0].Erased != nil {
		t.Error("the envelope itself was changed")
	}
	if same := held.Erase(func(place int) bool { return place == 0 }); same != held {
		t.Error("what is erased already is erased again")
	}
	if _, _, err := again.Context().Open(0, seal.KEKs{}, b); !errors.Is(err, seal.ErrErased) {
		t.Errorf("opening what is erased: %v", err)
	}
}

func TestASenderCannotLeaveABodyOut(t *testing.T) {
	_, held := erased(t)
	if _, err := envelope.Decode(held.Marshal()); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("got %v, want ENC001", err)
	}
}

func TestErasedBodiesOfAnotherFormAreRefused(t *testing.T) {
	whole, held := erased(t)
	for name, change := range map[string]func(*seal.Body){
		"a length that is no size class": func(b *seal.Body) { b.Ciphertext = make([]byte, 600) },
		"no length":                      func(b *seal.Body) { b.Ciphertext = nil },
		"the length of another size":     nil,
	} {
		bodies := append([]seal.Body(nil), held.Bodies...)
		want := cbor.ErrEncoding
		if change == nil { // nothing in the envelope says how long it was
			want, change = nil, func(b *seal.Body) { b.Ciphertext = make([]byte, 1024+16) }
		}
		change(&bodies[0])
		if _, err := envelope.Assemble(whole.HeaderBytes, whole.Signature, bodies); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
	many := make([]seal.Body, 3)
	for i := range many {
		many[i] = seal.Body{Ciphertext: make([]byte, 131_072+16), Erased: new([32]byte)}
	}
	if _, err := envelope.Assemble(whole.HeaderBytes, whole.Signature, many); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("a few bytes that stand for more than an envelope holds: %v", err)
	}
}

func FuzzDecodeHeld(f *testing.F) {
	whole, held := erased(f)
	f.Add(whole.Marshal())
	f.Add(held.Marshal())
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := envelope.DecodeHeld(in)
		if err != nil {
			return
		}
		again, err := envelope.Assemble(e.Header.Marshal(), e.Signature, e.Bodies)
		if err != nil || !bytes.Equal(again.Marshal(), in) {
			t.Errorf("what decodes encodes to other bytes: %v", err)
		}
		_ = e.CheckBodies(e.Commitments()) // must not panic, whatever it says
	})
}
