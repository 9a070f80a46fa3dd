package envelope_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

// hexBytes is a byte string that JSON holds in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// golden was made by testdata/golden.py from the protocol alone.
type golden struct {
	Header, ID, Envelope hexBytes
	LogTime              uint64 `json:"log_time"`
	Commitments, Leaves  []hexBytes
}

func readGolden(t testing.TB) (g golden) {
	t.Helper()
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestBytesAreThoseOfAnotherImplementation(t *testing.T) {
	g := readGolden(t)
	e, err := envelope.Decode(g.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	if id := e.ID(); !bytes.Equal(id[:], g.ID) {
		t.Errorf("id %s, want %x", id, g.ID)
	}
	if got := e.Header.Marshal(); !bytes.Equal(got, g.Header) || !bytes.Equal(e.HeaderBytes, g.Header) {
		t.Errorf("header encodes to\n%x, want\n%x", got, g.Header)
	}
	if err := e.CheckBodies(e.Commitments()); err != nil {
		t.Error(err)
	}
	for place, c := range e.Commitments() {
		if !bytes.Equal(c[:], g.Commitments[place]) {
			t.Errorf("commitment %d is %x, want %x", place, c, g.Commitments[place])
		}
		leaf := e.Leaf(uint32(place), g.LogTime, c)
		if got := leaf.Append(nil); !bytes.Equal(got, g.Leaves[place]) {
			t.Errorf("leaf %d is %x, want %x", place, got, g.Leaves[place])
		}
		if got, err := envelope.ParseLeaf(g.Leaves[place]); err != nil || got != leaf {
			t.Errorf("leaf %d reads as %+v, %v", place, got, err)
		}
	}
}

func TestHeaderFieldsAreThoseOfAnotherImplementation(t *testing.T) {
	h, err := envelope.DecodeHeader(readGolden(t).Header)
	if err != nil {
		t.Fatal(err)
	}
	if h.Version != 1 || h.Suite != 1 || h.Kind != envelope.KindEntries || h.Network[31] != 31 || h.Hospital != 7 ||
		h.KeyID[0] != 0x66 || h.Sequence != 300 || h.Attempt != 2 || h.Previous[0] != 0x77 ||
		h.SignedAt != 1_790_000_000_123 || h.ReaderSet != 42 || h.Count != 2 || len(h.Wraps) != 4 ||
		h.Wraps[1].KeyID[0] != 0x51 || h.Wraps[2].KeyID != nil || h.Wraps[3].Data[1199] != (3+1199)%256 {
		t.Errorf("header reads as %+v", h)
	}
	keks := goldenKEKs()
	if c := h.Context(); h.CommitC != c.CommitKEK(seal.Clinical, keks.Clinical) || h.CommitG != c.CommitKEK(seal.Genetic, keks.Genetic) {
		t.Error("key commitments are other ones")
	}
}

func TestBodiesOfAnotherImplementationOpen(t *testing.T) {
	e, err := envelope.Decode(readGolden(t).Envelope)
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range []struct {
		part  seal.Part
		plain string
	}{{seal.Clinical, "a clinical entry"}, {seal.Genetic, string(bytes.Repeat([]byte("a genetic entry"), 40))}} {
		b := e.Bodies[place]
		part, plain, err := e.Context().Open(uint32(place), goldenKEKs(), b)
		if err != nil || part != want.part || string(plain) != want.plain {
			t.Errorf("place %d opens to %s %q, %v", place, part, plain, err)
		}
		again, err := e.Context().Seal(uint32(place), part, goldenKEKs().Of(part), b.Salt, plain)
		if err != nil || again.Tag != b.Tag || !bytes.Equal(again.Ciphertext, b.Ciphertext) {
			t.Errorf("place %d seals to other bytes: %v", place, err)
		}
	}
}

func goldenKEKs() (k seal.KEKs) {
	for i := range k.Clinical {
		k.Clinical[i], k.Genetic[i] = 0x11, 0x22
	}
	return k
}

// The pinned envelope was built by this package with the keys of keys and
// senderKey. Signatures and wraps are random, so it can only be read: a release
// that cannot verify and open it has changed the format.
func TestPinnedEnvelopeStillVerifiesAndOpens(t *testing.T) {
	raw := readPinned(t)
	if err := check(raw); err != nil {
		t.Fatal(err)
	}
	e, err := envelope.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if want := "6a4e52176dfbafa7bba33864e92dddbe46366ed97c8e9162eb506c7b4e6b904d"; e.ID().String() != want {
		t.Errorf("id %s, want %s", e.ID(), want)
	}
	p := keys(t)
	for name, tc := range map[string]struct {
		reader *seal.ReaderPrivate
		may    seal.Rights
		want   int
	}{
		"the hospital itself":       {p.own, both, 2},
		"a reader with genetics":    {p.withGenetics, both, 2},
		"a reader without genetics": {p.clinicalOnly, clinical, 1},
		"the province's reader":     {p.province, clinical, 1},
	} {
		if got, err := e.Open(tc.reader, tc.may); err != nil || len(got) != tc.want {
			t.Errorf("%s opens %d entries, %v, want %d", name, len(got), err, tc.want)
		}
	}
}

func readPinned(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/pinned.hex")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
