package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/cloudflare/circl/hpke"

	"github.com/raresync/raresync/crypto/seal"
)

var (
	bothRights   = seal.Rights{Clinical: true, Genetic: true}
	clinicalOnly = seal.Rights{Clinical: true}
	geneticOnly  = seal.Rights{Genetic: true}
)

func newReader(t testing.TB) *seal.ReaderPrivate {
	t.Helper()
	r, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func commits(c seal.Context, k seal.KEKs) (clinical, genetic [32]byte) {
	return c.CommitKEK(seal.Clinical, k.Clinical), c.CommitKEK(seal.Genetic, k.Genetic)
}

// mustWrap wraps keks to r in testContext.
func mustWrap(t testing.TB, r *seal.ReaderPrivate, keks seal.KEKs, may seal.Rights) seal.Wrap {
	t.Helper()
	w, err := testContext.Wrap(r.Public(), keks, may, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWrapGivesTheKeysOfTheReadersRights(t *testing.T) {
	r, keks := newReader(t), newKEKs(t)
	commitC, commitG := commits(testContext, keks)
	for name, may := range map[string]seal.Rights{
		"both parts": bothRights, "clinical": clinicalOnly, "genetic": geneticOnly, "neither": {},
	} {
		w := mustWrap(t, r, keks, may)
		if id := r.Public().ID(); !bytes.Equal(w.KeyID, id[:]) {
			t.Errorf("%s: the wrap names key %x", name, w.KeyID)
		}
		o, err := testContext.Unwrap(r, w, commitC, commitG)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := seal.Opened{HasClinical: may.Clinical, HasGenetic: may.Genetic}
		if may.Clinical {
			want.Clinical = keks.Clinical
		}
		if may.Genetic {
			want.Genetic = keks.Genetic
		}
		if o != want {
			t.Errorf("%s: opened to other keys: clinical %t, genetic %t", name, o.HasClinical, o.HasGenetic)
		}
		if err := o.CheckRights(may); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := o.CheckRights(bothRights); (err == nil) != (may == bothRights) || (err != nil && !errors.Is(err, seal.ErrCommitment)) {
			t.Errorf("%s, with a right to both: got %v, want SEAL003", name, err)
		}
	}
}

func TestWrapMovedElsewhereDoesNotOpen(t *testing.T) {
	r, keks := newReader(t), newKEKs(t)
	w := mustWrap(t, r, keks, bothRights)
	slot := seal.Wrap{Data: w.Data}
	commitC, commitG := commits(testContext, keks)
	otherSequence := testContext
	otherSequence.Sequence++
	for name, open := range map[string]func() (seal.Opened, error){
		"by another key":               func() (seal.Opened, error) { return testContext.Unwrap(newReader(t), w, commitC, commitG) },
		"by another key, as a slot":    func() (seal.Opened, error) { return testContext.Unwrap(newReader(t), slot, commitC, commitG) },
		"in another envelope":          func() (seal.Opened, error) { return otherSequence.Unwrap(r, w, commitC, commitG) },
		"with another clinical commit": func() (seal.Opened, error) { return testContext.Unwrap(r, w, [32]byte{}, commitG) },
		"with another genetic commit":  func() (seal.Opened, error) { return testContext.Unwrap(r, w, commitC, [32]byte{}) },
		"with the commits exchanged":   func() (seal.Opened, error) { return testContext.Unwrap(r, w, commitG, commitC) },
		"with a shortened key id": func() (seal.Opened, error) {
			return testContext.Unwrap(r, seal.Wrap{KeyID: w.KeyID[:31], Data: w.Data}, commitC, commitG)
		},
	} {
		if o, err := open(); !errors.Is(err, seal.ErrWrap) || o != (seal.Opened{}) {
			t.Errorf("%s: got %v, want SEAL001", name, err)
		}
	}
}

func TestEveryChangedByteOfAWrapIsSeen(t *testing.T) {
	r, keks := newReader(t), newKEKs(t)
	w := mustWrap(t, r, keks, bothRights)
	commitC, commitG := commits(testContext, keks)
	for i := range w.Data {
		bad := w
		bad.Data[i] ^= 1
		if _, err := testContext.Unwrap(r, bad, commitC, commitG); !errors.Is(err, seal.ErrWrap) {
			t.Fatalf("byte %d: got %v, want SEAL001", i, err)
		}
	}
}

func TestSlotsNameNoReaderAndOpenForTheAddresseeAlone(t *testing.T) {
	addressee, other, keks := newReader(t), newReader(t), newKEKs(t)
	commitC, commitG := commits(testContext, keks)
	filled, err := testContext.WrapSlot(addressee.Public(), keks, bothRights, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := testContext.EmptySlot(keks, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(filled.KeyID) != 0 || len(empty.KeyID) != 0 {
		t.Error("a slot names its reader")
	}
	for name, tc := range map[string]struct {
		slot seal.Wrap
		by   *seal.ReaderPrivate
		ok   bool
	}{
		"the addressee's slot, by the addressee": {filled, addressee, true},
		"the addressee's slot, by another":       {filled, other, false},
		"the empty slot, by the addressee":       {empty, addressee, false},
		"the empty slot, by another":             {empty, other, false},
	} {
		o, err := testContext.Unwrap(tc.by, tc.slot, commitC, commitG)
		if tc.ok != (err == nil) || (!tc.ok && !errors.Is(err, seal.ErrWrap)) || tc.ok != (o.KEKs == keks) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyOfZerosIsNoKeyEvenIfCommittedTo(t *testing.T) {
	r, keks := newReader(t), newKEKs(t)
	keks.Clinical = seal.KEK{}
	commitC, commitG := commits(testContext, keks)
	o, err := testContext.Unwrap(r, mustWrap(t, r, keks, bothRights), commitC, commitG)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.CheckRights(clinicalOnly); !errors.Is(err, seal.ErrCommitment) {
		t.Errorf("got %v, want SEAL003", err)
	}
}

func TestTwoWrapsOfTheSameKeysHaveNothingInCommon(t *testing.T) {
	r, keks := newReader(t), newKEKs(t)
	a, b := mustWrap(t, r, keks, bothRights), mustWrap(t, r, keks, bothRights)
	for i := 0; i+16 <= len(a.Data); i += 16 {
		if bytes.Equal(a.Data[i:i+16], b.Data[i:i+16]) {
			t.Errorf("bytes %d to %d are equal", i, i+16)
		}
	}
}

func TestNoRandomnessNoKeysAndNoWrap(t *testing.T) {
	short := func() io.Reader { return io.LimitReader(rand.Reader, 63) }
	if _, err := seal.NewKEKs(short()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("keys: %v", err)
	}
	if _, err := testContext.Wrap(newReader(t).Public(), newKEKs(t), clinicalOnly, short()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("wrap: %v", err)
	}
	if _, err := testContext.EmptySlot(newKEKs(t), short()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("empty slot: %v", err)
	}
}

// wrapInfo is the info of a wrap, spelled out once more.
func wrapInfo(c seal.Context, id seal.KeyID, commitC, commitG [32]byte) []byte {
	b := c.Append([]byte("raresync/v1/wrap\x00"))
	b = append(b, id[:]...)
	b = append(b, commitC[:]...)
	return append(b, commitG[:]...)
}

func TestWrapsAreHPKEToAnotherImplementation(t *testing.T) {
	suite := hpke.NewSuite(hpke.KEM_XWING, hpke.KDF_HKDF_SHA256, hpke.AEAD_AES256GCM)
	r, keks := newReader(t), newKEKs(t)
	commitC, commitG := commits(testContext, keks)
	info := wrapInfo(testContext, r.Public().ID(), commitC, commitG)
	seed, both := r.Seed(), append(keks.Clinical[:], keks.Genetic[:]...)

	private, err := hpke.KEM_XWING.Scheme().UnmarshalBinaryPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := suite.NewReceiver(private, info)
	if err != nil {
		t.Fatal(err)
	}
	w := mustWrap(t, r, keks, bothRights)
	opener, err := receiver.Setup(w.Data[:1120])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := opener.Open(w.Data[1120:], nil); err != nil || !bytes.Equal(got, both) {
		t.Errorf("circl opens our wrap to other bytes: %v", err)
	}

	public, err := hpke.KEM_XWING.Scheme().UnmarshalBinaryPublicKey(r.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := suite.NewSender(public, info)
	if err != nil {
		t.Fatal(err)
	}
	enc, sealer, err := sender.Setup(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ct, err := sealer.Seal(both, nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs := seal.Wrap{Data: append(enc, ct...)}
	if o, err := testContext.Unwrap(r, theirs, commitC, commitG); err != nil || o.KEKs != keks {
		t.Errorf("we open circl's wrap to other keys: %v", err)
	}
}

func ExampleContext_Unwrap() {
	c := seal.Context{Hospital: 7, Sequence: 12, Attempt: 1}
	reader, _ := seal.GenerateReader()
	keks, _ := seal.NewKEKs(rand.Reader)
	var salt [32]byte
	rand.Read(salt[:])
	body, _ := c.Seal(0, seal.Clinical, keks.Clinical, salt, []byte("an entry"))
	wrap, _ := c.Wrap(reader.Public(), keks, seal.Rights{Clinical: true}, rand.Reader)

	commitC := c.CommitKEK(seal.Clinical, keks.Clinical) // in the envelope's header
	commitG := c.CommitKEK(seal.Genetic, keks.Genetic)
	opened, _ := c.Unwrap(reader, wrap, commitC, commitG)
	part, entry, err := c.Open(0, opened.KEKs, body)
	fmt.Printf("%s: %s, %v\n", part, entry, err)
	fmt.Println(opened.CheckRights(seal.Rights{Clinical: true, Genetic: true}))
	// Output:
	// clinical: an entry, <nil>
	// SEAL003: key does not match its commitment: genetic
}
