package keyshare

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/cloudflare/circl/group"

	"github.com/raresync/raresync/crypto/cbor"
)

func TestKeyIDIsTheHashOfLabelNetworkAndKey(t *testing.T) {
	r, _ := mustDeal(t, 3)
	network := sha256.Sum256([]byte("a network"))
	pk := r.PublicKey()
	want := sha256.Sum256(slices.Concat([]byte("raresync/v1/toprf-key\x00"), network[:], pk[:]))
	if got := r.Bind(network).KeyID; got != want {
		t.Errorf("key id %x, want %x", got, want)
	}
	if r.KeyID != [32]byte{} {
		t.Error("Bind changed the record it was called on")
	}
	if other := sha256.Sum256([]byte("another network")); r.Bind(other).KeyID == want {
		t.Error("two networks give one key id")
	}
}

func TestRecordBytesAreFrozen(t *testing.T) {
	r, _, err := DealAll(3, 2, bytes.NewReader(make([]byte, 128)))
	if err != nil {
		t.Fatal(err)
	}
	got := r.AppendCBOR(nil)
	a := r.Commitments
	want := slices.Concat([]byte{0x86, 1, 1, 1, 2, 3, 0x82, 0x58, 32}, a[0][:], []byte{0x58, 32}, a[1][:])
	if !bytes.Equal(got, want) {
		t.Errorf("record\n got %x\nwant %x", got, want)
	}
	back, err := DecodeRecord(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.AppendCBOR(nil), got) || back.KeyID != [32]byte{} {
		t.Errorf("decoded %+v", back)
	}
}

func TestValidateRefuses(t *testing.T) {
	identity := [32]byte{}
	nonCanonical := [32]byte(bytes.Repeat([]byte{0xff}, 32))
	for name, spoil := range map[string]func(*Record){
		"an unknown origin":                  func(r *Record) { r.Origin = 3 },
		"no origin":                          func(r *Record) { r.Origin = 0 },
		"epoch zero":                         func(r *Record) { r.Epoch = 0 },
		"no holders":                         func(r *Record) { r.Holders = 0 },
		"too many holders":                   func(r *Record) { r.Holders = MaxHolders + 1 },
		"a threshold below the majority":     func(r *Record) { r.Threshold, r.Commitments = 2, r.Commitments[:2] },
		"a threshold above the holders":      func(r *Record) { r.Holders = 2 },
		"a commitment missing":               func(r *Record) { r.Commitments = r.Commitments[:2] },
		"a commitment too many":              func(r *Record) { r.Commitments = append(r.Commitments, r.Commitments[0]) },
		"the identity as public key":         func(r *Record) { r.Commitments[0] = identity },
		"the identity as last coefficient":   func(r *Record) { r.Commitments[2] = identity },
		"a non-canonical commitment":         func(r *Record) { r.Commitments[1] = nonCanonical },
		"a holder whose key is the identity": func(r *Record) { r.Commitments = zeroShareCommitments(t) },
	} {
		r, _ := mustDeal(t, 5)
		spoil(&r)
		if err := r.Validate(); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: got %v, want %v", name, err, ErrRecord)
		}
		if _, err := DecodeRecord(r.AppendCBOR(nil)); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: decoded: got %v, want %v", name, err, cbor.ErrEncoding)
		}
	}
}

// zeroShareCommitments commits to x² + x - 6, which is zero at holder 2.
func zeroShareCommitments(t *testing.T) [][32]byte {
	t.Helper()
	g := group.Ristretto255
	one := g.NewScalar().SetUint64(1)
	minusSix := g.NewScalar().Neg(g.NewScalar().SetUint64(6))
	var out [][32]byte
	for _, c := range []group.Scalar{minusSix, one, one} {
		b, err := encodePoint(g.NewElement().MulGen(c))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestHolderKeyRefusesStrangers(t *testing.T) {
	r, _ := mustDeal(t, 5)
	for _, i := range []uint16{0, 6, 65535} {
		if _, err := r.HolderKey(i); !errors.Is(err, ErrRecord) {
			t.Errorf("holder %d: got %v, want %v", i, err, ErrRecord)
		}
	}
	if _, err := (Record{Holders: 5}).HolderKey(1); !errors.Is(err, ErrRecord) {
		t.Errorf("record without commitments: got %v, want %v", err, ErrRecord)
	}
	if got := (Record{}).PublicKey(); got != [32]byte{} {
		t.Errorf("public key of an empty record: %x", got)
	}
}

func TestTimesIsTheScalarProduct(t *testing.T) {
	g := group.Ristretto255
	e := g.HashToElement([]byte("e"), nil)
	for _, n := range []uint16{0, 1, 2, 3, 7, 8, 31, 32, 33, 65535} {
		if want := g.NewElement().Mul(e, g.NewScalar().SetUint64(uint64(n))); !times(n, e).IsEqual(want) {
			t.Errorf("%d times: not the scalar product", n)
		}
	}
}

func TestReadRecordInsideALongerEncoding(t *testing.T) {
	r, _ := mustDeal(t, 3)
	b := cbor.AppendUint(r.AppendCBOR(cbor.AppendArray(nil, 2)), 7)
	d := cbor.NewDecoder(b)
	d.Array(2)
	got, after := ReadRecord(d), d.Uint()
	if err := d.Done(); err != nil || after != 7 || got.PublicKey() != r.PublicKey() {
		t.Errorf("got %+v, %d, %v", got, after, err)
	}
}

func TestOriginsHaveNames(t *testing.T) {
	for o, want := range map[Origin]string{Dealt: "dealt", DKG: "dkg", 9: "origin(9)"} {
		if got := o.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, n := range []int{1, 3, 5} {
		r, _ := mustDeal(f, n)
		f.Add(r.AppendCBOR(nil))
	}
	bad, _ := hex.DecodeString("8601010102038258")
	f.Add(bad)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRecord(b)
		if err != nil {
			return
		}
		if got := r.AppendCBOR(nil); !bytes.Equal(got, b) {
			t.Errorf("what parses encodes back to %x, want %x", got, b)
		}
		if err := r.Validate(); err != nil {
			t.Errorf("what parses is valid: %v", err)
		}
	})
}
