package envelope_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

func TestReadersOpenWhatTheyHaveARightTo(t *testing.T) {
	p := keys(t)
	e, _ := build(t, plains(9)) // three are genetic
	for name, tc := range map[string]struct {
		reader *seal.ReaderPrivate
		may    seal.Rights
		want   int
		err    error
	}{
		"own hospital":                               {p.own, both, 9, nil},
		"national reader with genetics":              {p.withGenetics, both, 9, nil},
		"national reader without genetics":           {p.clinicalOnly, clinical, 6, nil},
		"province reader":                            {p.province, clinical, 6, nil},
		"reader with genetics reading clinical only": {p.withGenetics, clinical, 6, nil},
		"reader without genetics claiming it":        {p.clinicalOnly, both, 0, seal.ErrCommitment},
		"stranger":                                   {p.stranger, both, 0, envelope.ErrNotAReader},
	} {
		got, err := e.Open(tc.reader, tc.may)
		if !errors.Is(err, tc.err) || len(got) != tc.want {
			t.Errorf("%s: opened %d entries, %v, want %d, %v", name, len(got), err, tc.want, tc.err)
		}
		for _, o := range got {
			if o.Err != nil || o.Part == seal.Genetic && !tc.may.Genetic || len(o.CBOR) == 0 {
				t.Errorf("%s: place %d: %s, %v", name, o.Place, o.Part, o.Err)
			}
		}
	}
}

// openKEKs returns an envelope's keys as its own hospital sees them.
func openKEKs(t testing.TB, e *envelope.Envelope) seal.KEKs {
	t.Helper()
	o, err := e.Context().Unwrap(keys(t).own, e.Wraps[0], e.CommitC, e.CommitG)
	if err != nil {
		t.Fatal(err)
	}
	return o.KEKs
}

// rewrap replaces a wrap by one that a sender makes with the keys it likes.
func rewrap(t testing.TB, e *envelope.Envelope, i int, make func(seal.Context, seal.KEKs) (seal.Wrap, error)) *envelope.Envelope {
	t.Helper()
	w, err := make(e.Context(), openKEKs(t, e))
	if err != nil {
		t.Fatal(err)
	}
	return rebuild(t, e, func(h *envelope.Header, _ []seal.Body) { h.Wraps[i] = w })
}

func TestAddresseeFindsItsSlotByTrying(t *testing.T) {
	p := keys(t)
	e, _ := build(t, plains(1))
	for _, slot := range []int{4, 5} {
		letter := rewrap(t, e, slot, func(c seal.Context, k seal.KEKs) (seal.Wrap, error) {
			return c.WrapSlot(p.stranger.Public(), k, clinical, random)
		})
		if got, err := letter.Open(p.stranger, clinical); err != nil || len(got) != 1 || string(got[0].CBOR) != "entry 0" {
			t.Errorf("slot %d: opened %v, %v", slot, got, err)
		}
	}
}

func TestAnAddresseeChangesNothingThatOthersSee(t *testing.T) {
	p, set := keys(t), keys(t).readers()
	set.Addressee = &envelope.Reader{Key: p.stranger.Public(), Rights: clinical}
	letter, _, err := envelope.BuildEntries(link, set, plains(3), senderKey, random)
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := build(t, plains(3))
	if len(letter.Marshal()) != len(plain.Marshal()) || len(letter.Wraps) != len(plain.Wraps) {
		t.Errorf("%d bytes and %d wraps, without an addressee %d and %d", len(letter.Marshal()), len(letter.Wraps), len(plain.Marshal()), len(plain.Wraps))
	}
	for i, w := range letter.Wraps {
		if !bytes.Equal(w.KeyID, plain.Wraps[i].KeyID) || len(w.Data) != len(plain.Wraps[i].Data) {
			t.Errorf("wrap %d differs in form", i)
		}
	}
	if keys, err := letter.UnwrapSlot(p.stranger); err != nil || !keys.HasClinical || keys.HasGenetic {
		t.Errorf("the addressee got %t %t, %v", keys.HasClinical, keys.HasGenetic, err)
	}
	for name, k := range map[string]*seal.ReaderPrivate{"own": p.own, "national": p.withGenetics, "province": p.province} {
		if _, err := letter.UnwrapSlot(k); !errors.Is(err, envelope.ErrNotAReader) {
			t.Errorf("the %s key opens a slot: %v", name, err)
		}
	}
	if _, err := plain.UnwrapSlot(p.stranger); !errors.Is(err, envelope.ErrNotAReader) {
		t.Errorf("an empty slot opens: %v", err)
	}
}

func TestKeyGivenWithoutRightOpensNothing(t *testing.T) {
	p := keys(t)
	e, _ := build(t, plains(9))
	generous := rewrap(t, e, 3, func(c seal.Context, k seal.KEKs) (seal.Wrap, error) {
		return c.Wrap(p.province.Public(), k, both, random)
	})
	got, err := generous.Open(p.province, clinical)
	if err != nil || len(got) != 6 {
		t.Errorf("opened %d entries, %v, want the 6 clinical ones", len(got), err)
	}
}

func TestReaderGivenAnotherKeySeesIt(t *testing.T) {
	p := keys(t)
	e, _ := build(t, plains(1))
	for name, tc := range map[string]struct {
		may  seal.Rights
		want error
	}{
		"both keys wrong":   {seal.Rights{}, seal.ErrCommitment},
		"genetic key wrong": {clinical, seal.ErrCommitment},
		"both keys right":   {both, nil},
	} {
		mean := rewrap(t, e, 0, func(c seal.Context, k seal.KEKs) (seal.Wrap, error) {
			return c.Wrap(p.own.Public(), k, tc.may, random)
		})
		if _, err := mean.Open(p.own, both); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestWrapThatDoesNotOpenIsNamed(t *testing.T) {
	e, _ := build(t, plains(1))
	broken := rebuild(t, e, func(h *envelope.Header, _ []seal.Body) { h.Wraps[0].Data[7] ^= 1 })
	if _, err := broken.Open(keys(t).own, both); !errors.Is(err, seal.ErrWrap) || !errors.Is(err, seal.ErrCommitment) {
		t.Errorf("got %v, want SEAL003 because the wrap does not open", err)
	}
}

func TestOneBadBodyIsReportedInItsPlace(t *testing.T) {
	e, _ := build(t, plains(4))
	broken := rebuild(t, e, func(_ *envelope.Header, b []seal.Body) {
		b[2].Ciphertext = bytes.Clone(b[2].Ciphertext)
		b[2].Ciphertext[100] ^= 1
	})
	got, err := broken.Open(keys(t).own, both)
	if err != nil || len(got) != 4 {
		t.Fatalf("opened %d entries, %v", len(got), err)
	}
	for _, o := range got {
		if bad := o.Place == 2; bad != errors.Is(o.Err, seal.ErrBody) || bad != (o.CBOR == nil) {
			t.Errorf("place %d: %q, %v", o.Place, o.CBOR, o.Err)
		}
	}
}
