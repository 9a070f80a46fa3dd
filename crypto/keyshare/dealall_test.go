package keyshare

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
)

func TestThresholdIsAMajority(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 7: 4, 9: 5} {
		if got := Threshold(n); got != want {
			t.Errorf("Threshold(%d) = %d, want %d", n, got, want)
		}
	}
}

func mustDeal(t testing.TB, n int) (Record, []Share) {
	t.Helper()
	r, shares, err := DealAll(n, Threshold(n), rand.Reader)
	if err != nil {
		t.Fatalf("DealAll(%d): %v", n, err)
	}
	return r, shares
}

func TestDealtSharesFitTheRecord(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 7, 9, MaxHolders} {
		r, shares := mustDeal(t, n)
		if err := r.Validate(); err != nil {
			t.Errorf("n = %d: Validate: %v", n, err)
		}
		if r.Origin != Dealt || r.Epoch != 1 || len(shares) != n {
			t.Errorf("n = %d: origin %v, epoch %d, %d shares", n, r.Origin, r.Epoch, len(shares))
		}
		for i, s := range shares {
			if int(s.Holder) != i+1 {
				t.Errorf("n = %d: share %d is of holder %d", n, i, s.Holder)
			}
			if err := CheckShare(r, s); err != nil {
				t.Errorf("n = %d: holder %d: %v", n, s.Holder, err)
			}
		}
	}
}

// The library's own secret sharing recovers the key from any t shares, and
// accepts each share against the commitments: an independent second opinion.
func TestAnyMajorityOfSharesIsTheKey(t *testing.T) {
	r, shares := mustDeal(t, 5)
	commitments, err := r.points()
	if err != nil {
		t.Fatal(err)
	}
	g := group.Ristretto255
	all := make([]secretsharing.Share, len(shares))
	for i, s := range shares {
		raw := s.Scalar.Reveal()
		all[i] = secretsharing.Share{ID: g.NewScalar().SetUint64(uint64(s.Holder)), Value: g.NewScalar()}
		if err := all[i].Value.UnmarshalBinary(raw[:]); err != nil {
			t.Fatal(err)
		}
		if !secretsharing.Verify(uint(r.Threshold-1), all[i], commitments) {
			t.Errorf("holder %d: the library refuses the share", s.Holder)
		}
	}
	for _, subset := range [][]int{{0, 1, 2}, {0, 2, 4}, {4, 3, 1}, {2, 0, 3}} {
		var some []secretsharing.Share
		for _, i := range subset {
			some = append(some, all[i])
		}
		key, err := secretsharing.Recover(uint(r.Threshold-1), some)
		if err != nil {
			t.Fatal(err)
		}
		got, err := encodePoint(g.NewElement().MulGen(key))
		if err != nil {
			t.Fatal(err)
		}
		if got != r.PublicKey() {
			t.Errorf("shares %v: public key %x, want %x", subset, got, r.PublicKey())
		}
	}
}

func TestDealUsesTheRandomItIsGiven(t *testing.T) {
	seed := bytes.Repeat([]byte{1, 2, 3, 4}, 16*3)
	a, sharesA, errA := DealAll(5, 3, bytes.NewReader(seed))
	b, sharesB, errB := DealAll(5, 3, bytes.NewReader(seed))
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if !bytes.Equal(a.AppendCBOR(nil), b.AppendCBOR(nil)) {
		t.Error("the same random bytes gave two records")
	}
	if sharesA[4].Scalar.Reveal() != sharesB[4].Scalar.Reveal() {
		t.Error("the same random bytes gave two shares")
	}
	if _, _, err := DealAll(5, 3, bytes.NewReader(seed[:191])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("random that ends early: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	c, _ := mustDeal(t, 5)
	if c.PublicKey() == a.PublicKey() {
		t.Error("other random bytes gave the same key")
	}
}

func TestDealRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ n, t int }{
		"no holders":                     {0, 0},
		"a negative number of holders":   {-1, 0},
		"more holders than a record has": {MaxHolders + 1, Threshold(MaxHolders + 1)},
		"a minority that suffices":       {5, 2},
		"half that suffices":             {4, 2},
		"more shares than there are":     {3, 4},
	} {
		if _, _, err := DealAll(tc.n, tc.t, rand.Reader); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: got %v, want %v", name, err, ErrRecord)
		}
	}
}
