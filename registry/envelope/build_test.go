package envelope_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
)

func TestBuiltEnvelopeDecodesToTheSameBytes(t *testing.T) {
	for _, n := range []int{1, 2, 100} {
		e, _ := build(t, plains(n))
		again, err := envelope.Decode(e.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		assembled, err := envelope.Assemble(again.HeaderBytes, again.Signature, again.Bodies)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(assembled.Marshal(), e.Marshal()) || again.ID() != e.ID() || assembled.ID() != e.ID() {
			t.Errorf("%d entries: bytes or id changed", n)
		}
		if err := check(e.Marshal()); err != nil {
			t.Errorf("%d entries: %v", n, err)
		}
	}
}

func TestHeaderSaysWhatTheLinkAndTheReaderSetSay(t *testing.T) {
	e, _ := build(t, plains(2))
	want := envelope.Link{
		Network: e.Network, Hospital: e.Hospital, Sequence: e.Sequence, Attempt: e.Attempt, Previous: e.Previous, SignedAt: e.SignedAt,
	}
	if want != link || e.ReaderSet != 5 || e.Count != 2 || e.KeyID != senderKey.Public().ID() || e.Kind != envelope.KindEntries {
		t.Errorf("header is %+v", e.Header)
	}
	ids := keys(t).readers().KeyIDs()
	if len(e.Wraps) != len(ids)+2 {
		t.Fatalf("%d wraps for %d readers", len(e.Wraps), len(ids))
	}
	for i, w := range e.Wraps {
		if slot := i >= len(ids); slot != (len(w.KeyID) == 0) || !slot && !bytes.Equal(w.KeyID, ids[i][:]) {
			t.Errorf("wrap %d names %x", i, w.KeyID)
		}
	}
	if bytes.Compare(ids[1][:], ids[2][:]) >= 0 {
		t.Error("national readers do not ascend by key id")
	}
}

func TestPlacesSayWhereEachEntryWent(t *testing.T) {
	entries := plains(60)
	e, places := build(t, entries)
	opened, err := e.Open(keys(t).own, both)
	if err != nil || len(opened) != len(entries) {
		t.Fatalf("opened %d entries, %v", len(opened), err)
	}
	moved := 0
	for i, place := range places {
		got := opened[place]
		if got.Err != nil || got.Part != entries[i].Part || !bytes.Equal(got.CBOR, entries[i].CBOR) {
			t.Errorf("place %d holds %s %q, %v, want entry %d", place, got.Part, got.CBOR, got.Err, i)
		}
		if int(place) != i {
			moved++
		}
	}
	if moved < 30 {
		t.Errorf("only %d of 60 entries moved", moved)
	}
}

func TestTwoBuildsOfOneEntryShareNoSecret(t *testing.T) {
	a, _ := build(t, plains(1))
	b, _ := build(t, plains(1))
	if a.CommitC == b.CommitC || a.CommitG == b.CommitG || a.Bodies[0].Salt == b.Bodies[0].Salt || a.ID() == b.ID() {
		t.Error("a key or salt was used twice")
	}
}

func TestWhatDoesNotFitAnEnvelopeIsNotBuilt(t *testing.T) {
	large := func(n, size int) []envelope.Plain {
		out := make([]envelope.Plain, n)
		for i := range out {
			out[i] = envelope.Plain{Part: seal.Clinical, CBOR: make([]byte, size)}
		}
		return out
	}
	for name, tc := range map[string]struct {
		entries []envelope.Plain
		want    error
	}{
		"one entry of the largest size":          {large(1, seal.MaxPlaintextBytes), nil},
		"no entry":                               {nil, envelope.ErrCount},
		"1025 entries":                           {large(1025, 1), envelope.ErrCount},
		"1024 entries, which are too many bytes": {large(1024, 1), envelope.ErrTooLarge},
		"two entries of the largest size":        {large(2, seal.MaxPlaintextBytes), envelope.ErrTooLarge},
		"one entry above the largest size":       {large(1, seal.MaxPlaintextBytes+1), seal.ErrTooLarge},
	} {
		_, _, err := envelope.BuildEntries(link, keys(t).readers(), tc.entries, senderKey, rand.Reader)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestBytesAboveTheLimitAreNotDecoded(t *testing.T) {
	if _, err := envelope.Decode(make([]byte, envelope.MaxBytes+1)); !errors.Is(err, envelope.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

func TestRandomnessThatEndsIsAnError(t *testing.T) {
	for n := range 5 {
		short := io.LimitReader(rand.Reader, int64(n*70))
		if _, _, err := envelope.BuildEntries(link, keys(t).readers(), plains(3), senderKey, short); err == nil {
			t.Errorf("built from %d random bytes", n*70)
		}
	}
}

func TestKeyOfAnotherPurposeBuildsNothing(t *testing.T) {
	key := sign.NewFromSeeds(sign.PurposeRequest, [32]byte{1}, [32]byte{2})
	if _, err := envelope.BuildAct(link, []byte("an act"), key); !errors.Is(err, sign.ErrPurpose) {
		t.Errorf("got %v, want ErrPurpose", err)
	}
}

func TestActTravelsInClearWithoutKeys(t *testing.T) {
	e, err := envelope.BuildAct(link, []byte("an act"), senderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(e.Marshal()); err != nil {
		t.Error(err)
	}
	if e.Kind != envelope.KindAct || e.Count != 1 || len(e.Wraps) != 0 || e.ReaderSet != 0 || e.CommitC != [32]byte{} ||
		string(e.Bodies[0].Ciphertext) != "an act" || e.Bodies[0].Salt != [32]byte{} {
		t.Errorf("act envelope is %+v", e)
	}
	if _, err := e.Open(keys(t).own, both); !errors.Is(err, envelope.ErrNotAReader) {
		t.Errorf("opening an act: got %v, want ErrNotAReader", err)
	}
}

// docs/PROTOCOL.md gives these sizes for planning.
func TestSizesAreThoseOfTheProtocol(t *testing.T) {
	one, _ := build(t, plains(1))
	hundred, _ := build(t, plains(100))
	for name, tc := range map[string]struct{ got, low, high int }{
		"header with 6 wraps":            {len(one.HeaderBytes), 7_550, 7_700},
		"envelope of one entry":          {len(one.Marshal()), 11_400, 11_700},
		"envelope of 100 entries, 512 B": {len(hundred.Marshal()), 68_500, 69_500},
		"leaf":                           {len(one.Leaf(0, 0, [32]byte{}).Append(nil)), 90, 90},
	} {
		if tc.got < tc.low || tc.got > tc.high {
			t.Errorf("%s: %d bytes, want %d to %d", name, tc.got, tc.low, tc.high)
		}
	}
}
