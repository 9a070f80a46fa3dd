package keyshare

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/group"

	"github.com/raresync/raresync/crypto/cbor"
)

// negated returns the encoding of minus the element.
func negated(t testing.TB, b [32]byte) [32]byte {
	t.Helper()
	e := group.Ristretto255.NewElement()
	if err := e.UnmarshalBinary(b[:]); err != nil {
		t.Fatal(err)
	}
	return mustEncode(e.Neg(e))
}

func TestCheckDKGRefuses(t *testing.T) {
	c := newDKG(t, 5)
	other := newDKG(t, 5)
	for name, tc := range map[string]struct {
		spoil  func(*Run, *Deal)
		honest bool // the commit hash is made anew, as a liar in good time would
		reason string
	}{
		"what was not committed to":             {func(_ *Run, d *Deal) { d.Nonce[0] ^= 1 }, false, "not what the dealer committed to"},
		"another polynomial than committed to":  {func(_ *Run, d *Deal) { d.Commitments = other.deals[1].Commitments }, false, "not what the dealer committed to"},
		"another dealer's deal":                 {func(_ *Run, d *Deal) { *d = c.deals[2] }, false, "not what the dealer committed to"},
		"another dealer's number":               {func(_ *Run, d *Deal) { d.Dealer = 3 }, true, "its proof"},
		"dealer zero":                           {func(_ *Run, d *Deal) { d.Dealer = 0 }, true, "dealers"},
		"a dealer that is not":                  {func(_ *Run, d *Deal) { d.Dealer = 6 }, true, "dealers"},
		"another run's number":                  {func(r *Run, _ *Deal) { r.Number++ }, true, "its proof"},
		"another network":                       {func(r *Run, _ *Deal) { r.Network[0] ^= 1 }, true, "its proof"},
		"a constant term that cancels another":  {func(_ *Run, d *Deal) { d.Commitments[0] = negated(t, c.deals[0].Commitments[0]) }, true, "its proof"},
		"a constant term copied, proof and all": {func(_ *Run, d *Deal) { d.Commitments, d.Proof = c.deals[0].Commitments, c.deals[0].Proof }, true, "its proof"},
		"another last coefficient":              {func(_ *Run, d *Deal) { d.Commitments[2] = other.deals[1].Commitments[2] }, true, "its proof"},
		"a proof of another run":                {func(_ *Run, d *Deal) { d.Proof = other.deals[1].Proof }, true, "its proof"},
		"a proof of zeros":                      {func(_ *Run, d *Deal) { d.Proof = [64]byte{} }, true, "its proof"},
		"a proof that is not reduced":           {func(_ *Run, d *Deal) { d.Proof[31] |= 0xf0 }, true, "its proof"},
		"the identity as constant term":         {func(_ *Run, d *Deal) { d.Commitments[0] = [32]byte{} }, true, "commitment 0"},
		"the identity as last coefficient":      {func(_ *Run, d *Deal) { d.Commitments[2] = [32]byte{} }, true, "commitment 2"},
		"a non-canonical commitment":            {func(_ *Run, d *Deal) { d.Commitments[1] = [32]byte(bytes.Repeat([]byte{0xff}, 32)) }, true, "commitment 1"},
		"a polynomial that is zero at a holder": {func(_ *Run, d *Deal) { d.Commitments = zeroShareCommitments(t) }, true, "holder 2 has the identity"},
		"a commitment missing":                  {func(_ *Run, d *Deal) { d.Commitments = d.Commitments[:2] }, true, "2 commitments, want 3"},
		"a commitment too many":                 {func(_ *Run, d *Deal) { d.Commitments = append(d.Commitments, d.Commitments[1]) }, true, "4 commitments, want 3"},
		"a sealed share missing":                {func(_ *Run, d *Deal) { d.Sealed = d.Sealed[:4] }, true, "4 sealed shares, want 5"},
		"a sealed share too many":               {func(_ *Run, d *Deal) { d.Sealed = append(d.Sealed, d.Sealed[0]) }, true, "6 sealed shares, want 5"},
		"a sealed share cut short":              {func(_ *Run, d *Deal) { d.Sealed[4] = d.Sealed[4][1:] }, true, "sealed share 5"},
	} {
		run, d := c.run, cloneDeal(c.deals[1])
		if err := d.CheckDKG(run, c.commits[1]); err != nil {
			t.Fatalf("%s: untouched: %v", name, err)
		}
		tc.spoil(&run, &d)
		commit := c.commits[1]
		if tc.honest {
			commit = commitHash(run, d.Dealer, d.Nonce, d.Commitments)
		}
		if err := d.CheckDKG(run, commit); !errors.Is(err, ErrDeal) || !strings.Contains(err.Error(), tc.reason) {
			t.Errorf("%s: got %v, want %v: ...%s...", name, err, ErrDeal, tc.reason)
		}
	}
}

func cloneDeal(d Deal) Deal {
	d.Commitments, d.Sealed = slices.Clone(d.Commitments), slices.Clone(d.Sealed)
	for i := range d.Sealed {
		d.Sealed[i] = bytes.Clone(d.Sealed[i])
	}
	return d
}

func TestCheckReshareRefuses(t *testing.T) {
	old, shares := newDKG(t, 3).finishDKG(t)
	c := newReshare(t, old, shares[:2], 5)
	stranger, strangers := newDKG(t, 3).finishDKG(t)
	foreign := newReshare(t, stranger, strangers[:2], 5)
	for name, tc := range map[string]struct {
		spoil  func(*Run, *Record, *Deal)
		want   error
		reason string
	}{
		"a share of another key":               {func(_ *Run, _ *Record, d *Deal) { *d = foreign.deals[0] }, ErrDeal, "not the dealer's share"},
		"another old holder's share":           {func(_ *Run, _ *Record, d *Deal) { d.Dealer = 2 }, ErrDeal, "not the dealer's share"},
		"an old holder that is not":            {func(_ *Run, _ *Record, d *Deal) { d.Dealer = 4 }, ErrDeal, "dealers"},
		"a nonce changed":                      {func(_ *Run, _ *Record, d *Deal) { d.Nonce[0] ^= 1 }, ErrDeal, "its proof"},
		"another run's number":                 {func(r *Run, _ *Record, _ *Deal) { r.Number++ }, ErrDeal, "its proof"},
		"a later epoch":                        {func(r *Run, _ *Record, _ *Deal) { r.Epoch++ }, ErrRun, "does not follow"},
		"a run that makes a key":               {func(r *Run, _ *Record, _ *Deal) { r.Epoch, r.Dealers = 1, r.Holders }, ErrRun, "makes a key"},
		"another network":                      {func(r *Run, _ *Record, _ *Deal) { r.Network[0] ^= 1 }, ErrRun, "not bound to this network"},
		"a record bound to no network":         {func(_ *Run, old *Record, _ *Deal) { old.KeyID = [32]byte{} }, ErrRun, "not bound to this network"},
		"another origin":                       {func(r *Run, _ *Record, _ *Deal) { r.Origin = Dealt }, ErrRun, "origin"},
		"as many dealers as there are holders": {func(r *Run, _ *Record, _ *Deal) { r.Dealers = 5 }, ErrRun, "dealers"},
	} {
		run, record, d := c.run, old, cloneDeal(c.deals[0])
		if err := d.CheckReshare(run, record); err != nil {
			t.Fatalf("%s: untouched: %v", name, err)
		}
		tc.spoil(&run, &record, &d)
		if err := d.CheckReshare(run, record); !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.reason) {
			t.Errorf("%s: got %v, want %v: ...%s...", name, err, tc.want, tc.reason)
		}
	}
	if err := c.deals[0].CheckDKG(c.run, c.commits[0]); !errors.Is(err, ErrRun) {
		t.Errorf("a reshare's deal as a DKG's: got %v, want %v", err, ErrRun)
	}
}

func TestProofOfPossessionNeedsTheSecret(t *testing.T) {
	g := group.Ristretto255
	a := g.RandomNonZeroScalar(rand.Reader)
	point := g.NewElement().MulGen(a)
	encoded, commit := mustEncode(point), [32]byte{1}
	proof := provePossession(a, encoded, commit)
	if !verifyPossession(point, encoded, commit, proof) {
		t.Fatal("an honest proof is refused")
	}
	for i := range proof {
		spoilt := proof
		spoilt[i] ^= 1
		if verifyPossession(point, encoded, commit, spoilt) {
			t.Errorf("byte %d changed: still accepted", i)
		}
	}
	if verifyPossession(point, encoded, [32]byte{2}, proof) {
		t.Error("accepted for another commitment")
	}
	other := g.NewElement().Add(point, g.Generator())
	if verifyPossession(other, mustEncode(other), commit, proof) {
		t.Error("accepted for another point")
	}
}

func TestDealBytesAreFrozen(t *testing.T) {
	c := newDKG(t, 1)
	d := c.deals[0]
	got := d.AppendCBOR(nil)
	want := slices.Concat([]byte{0x86, 1, 1, 0x58, 32}, d.Nonce[:], []byte{0x81, 0x58, 32}, d.Commitments[0][:],
		[]byte{0x58, 64}, d.Proof[:], []byte{0x81, 0x59, 0x04, 0x90}, d.Sealed[0])
	if !bytes.Equal(got, want) {
		t.Errorf("deal\n got %x\nwant %x", got, want)
	}
	back, err := DecodeDeal(got)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.CheckDKG(c.run, c.commits[0]); err != nil {
		t.Errorf("decoded: %v", err)
	}
}

func TestDecodeDealRefuses(t *testing.T) {
	good := newDKG(t, 3).deals[0]
	for name, spoil := range map[string]func(*Deal){
		"more commitments than holders can be":   func(d *Deal) { d.Commitments = make([][32]byte, MaxHolders+1) },
		"more sealed shares than holders can be": func(d *Deal) { d.Sealed = slices.Repeat([][]byte{d.Sealed[0]}, MaxHolders+1) },
		"a sealed share a byte short":            func(d *Deal) { d.Sealed[1] = d.Sealed[1][1:] },
		"a sealed share a byte long":             func(d *Deal) { d.Sealed[1] = append(d.Sealed[1], 0) },
	} {
		d := cloneDeal(good)
		spoil(&d)
		if _, err := DecodeDeal(d.AppendCBOR(nil)); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want %v", name, err, cbor.ErrEncoding)
		}
	}
	b := good.AppendCBOR(nil)
	for _, n := range []int{0, 1, 5, 40, 200, len(b) - 1} {
		if _, err := DecodeDeal(b[:n]); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("cut off at %d: got %v, want %v", n, err, cbor.ErrEncoding)
		}
	}
	if _, err := DecodeDeal(append(b, 0)); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("a byte too many: got %v, want %v", err, cbor.ErrEncoding)
	}
	b[1] = 2
	if _, err := DecodeDeal(b); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("another suite: got %v, want %v", err, cbor.ErrEncoding)
	}
}

func FuzzDecodeDeal(f *testing.F) {
	c := newDKG(f, 1)
	f.Add(c.deals[0].AppendCBOR(nil))
	f.Add(Deal{Dealer: 1}.AppendCBOR(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := DecodeDeal(b)
		if err != nil {
			return
		}
		if got := d.AppendCBOR(nil); !bytes.Equal(got, b) {
			t.Errorf("what parses encodes back to %x, want %x", got, b)
		}
		err = d.CheckDKG(c.run, c.commits[0])
		if err != nil && !errors.Is(err, ErrDeal) {
			t.Errorf("checked: got %v, want %v", err, ErrDeal)
		}
		if _, err := d.Open(c.run, 1, c.keys[0]); err != nil && !errors.Is(err, ErrDeal) {
			t.Errorf("opened: got %v, want %v", err, ErrDeal)
		}
	})
}
