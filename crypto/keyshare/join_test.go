package keyshare

import (
	"errors"
	"strings"
	"testing"
)

// Whichever old holders deal, the new shares are of the same key, though each
// choice gives another polynomial.
func TestAnyOldHoldersMayReshare(t *testing.T) {
	old, shares := newDKG(t, 5).finishDKG(t)
	seen := map[[32]byte]bool{}
	for _, dealers := range choose(shares, 3) {
		record, fresh := newReshare(t, old, dealers, 4).finishReshare(t, old)
		if record.KeyID != old.KeyID {
			t.Errorf("dealers %v: another key", dealers)
		}
		if got := keyOf(t, fresh[1:]); got != old.PublicKey() {
			t.Errorf("dealers %v: the new shares make %x, want %x", dealers, got, old.PublicKey())
		}
		seen[record.Commitments[1]] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d different polynomials, want 10", len(seen))
	}
}

// Old shares and new ones lie on different polynomials: t-1 new holders gain
// nothing from one who was dropped and kept its share.
func TestOldShareAndNewSharesDoNotJoin(t *testing.T) {
	old, shares := newDKG(t, 5).finishDKG(t)
	record, fresh := newReshare(t, old, shares[:3], 5).finishReshare(t, old)
	for _, new := range choose(fresh[:4], 2) {
		mixed := append([]Share{shares[4]}, new...) // holder 5 of old with new ones of 1 to 4
		if got := keyOf(t, mixed); got == old.PublicKey() {
			t.Errorf("old share 5 and new shares %d and %d make the key", new[0].Holder, new[1].Holder)
		}
	}
	if got := keyOf(t, append([]Share{fresh[4]}, fresh[:2]...)); got != record.PublicKey() {
		t.Error("three new shares do not make the key: the test shows nothing")
	}
	if err := CheckShare(record, shares[4]); !errors.Is(err, ErrShare) {
		t.Errorf("the old share under the new record: got %v, want %v", err, ErrShare)
	}
}

func TestJoinRefuses(t *testing.T) {
	c := newDKG(t, 5)
	record, shares := c.finishDKG(t)
	pieces := c.pieces(t, 3)
	other := newDKG(t, 5)
	otherRecord, _ := other.finishDKG(t)
	nextRun := c.run
	nextRun.Number++
	reshare := newReshare(t, record, shares[:3], 5)
	newRecord, _ := reshare.finishReshare(t, record)
	for name, tc := range map[string]struct {
		run    Run
		record Record
		pieces []Piece
		want   error
		reason string
	}{
		"no pieces":                  {c.run, record, nil, ErrPieces, "of 0 dealers"},
		"a dealer missing":           {c.run, record, pieces[:4], ErrPieces, "of 4 dealers"},
		"t-1 dealers":                {c.run, record, pieces[:2], ErrPieces, "of 2 dealers"},
		"a dealer twice":             {c.run, record, append(pieces[:4:4], pieces[0]), ErrPieces, "dealer 1 comes twice"},
		"a dealer too many":          {c.run, record, append(pieces[:5:5], pieces[0]), ErrPieces, "of 6 dealers"},
		"another holder's piece":     {c.run, record, append(pieces[:4:4], c.pieces(t, 4)[4]), ErrPieces, "another run or holder"},
		"a piece of another run":     {nextRun, record, pieces, ErrPieces, "another run or holder"},
		"a piece nobody opened":      {c.run, record, append(pieces[:4:4], Piece{}), ErrPieces, "another run or holder"},
		"another key's record":       {c.run, otherRecord, pieces, ErrShare, "holder 3"},
		"another ceremony's pieces":  {c.run, record, append(pieces[:4:4], other.pieces(t, 3)[4]), ErrShare, "holder 3"},
		"a record of another epoch":  {c.run, newRecord, pieces, ErrRun, "another run"},
		"a record bound to nothing":  {c.run, unboundRecord(record), pieces, ErrRun, "another run"},
		"a reshare, t-1 dealers":     {reshare.run, newRecord, reshare.pieces(t, 3)[:2], ErrShare, "holder 3"},
		"a reshare, a dealer twice":  {reshare.run, newRecord, append(reshare.pieces(t, 3)[:2], reshare.pieces(t, 3)[0]), ErrPieces, "comes twice"},
		"a run that is not":          {Run{}, record, pieces, ErrRun, "origin"},
		"a threshold of half of six": {Run{Origin: DKG, Epoch: 1, Threshold: 3, Holders: 6, Dealers: 6}, record, pieces, ErrRun, "threshold 3"},
	} {
		s, err := Join(tc.run, tc.record, tc.pieces)
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.reason) || s.Holder != 0 {
			t.Errorf("%s: got holder %d, %v, want %v: ...%s...", name, s.Holder, err, tc.want, tc.reason)
		}
	}
	got, err := Join(c.run, record, pieces)
	if err != nil || got.Holder != 3 || got.KeyID != record.KeyID || got.Epoch != 1 {
		t.Errorf("all pieces: holder %d, epoch %d, %v", got.Holder, got.Epoch, err)
	}
}

func unboundRecord(r Record) Record {
	r.KeyID = [32]byte{}
	return r
}

func TestRecordRefuses(t *testing.T) {
	c := newDKG(t, 3)
	cancelling := cloneDeal(c.deals[2])
	cancelling.Commitments[1] = negated(t, mustSum(t, c.deals[0].Commitments[1], c.deals[1].Commitments[1]))
	for name, tc := range map[string]struct {
		deals  []Deal
		reason string
	}{
		"no deals":                      {nil, "of 0 dealers"},
		"a deal missing":                {c.deals[:2], "of 2 dealers"},
		"a dealer twice":                {[]Deal{c.deals[0], c.deals[1], c.deals[1]}, "comes twice"},
		"coefficients that cancel":      {[]Deal{c.deals[0], c.deals[1], cancelling}, "commitment 1"},
		"a deal of another size of run": {append(c.deals[:2:2], newDKG(t, 5).deals[2]), "commitments, want 2"},
	} {
		if _, err := RecordOfDKG(c.run, tc.deals); !errors.Is(err, ErrDeal) || !strings.Contains(err.Error(), tc.reason) {
			t.Errorf("%s: got %v, want %v: ...%s...", name, err, ErrDeal, tc.reason)
		}
	}
	old, shares := c.finishDKG(t)
	r := newReshare(t, old, shares, 3) // one dealer more than is needed
	foreign, foreigners := newDKG(t, 3).finishDKG(t)
	other := newReshare(t, foreign, foreigners[:2], 3)
	for name, tc := range map[string]struct {
		deals  []Deal
		reason string
	}{
		"t-1 deals":              {r.deals[:1], "1 deals, want 2"},
		"t+1 deals":              {r.deals, "3 deals, want 2"},
		"a dealer twice":         {[]Deal{r.deals[0], r.deals[0]}, "comes twice"},
		"a deal of another key":  {[]Deal{r.deals[0], other.deals[1]}, "another key"},
		"a dealer that is not":   {[]Deal{r.deals[0], withDealer(r.deals[1], 4)}, "dealers"},
		"another dealer's deal":  {[]Deal{r.deals[0], withDealer(r.deals[2], 2)}, "another key"},
		"deals with a sign lost": {[]Deal{r.deals[0], withConstant(r.deals[1], negated(t, r.deals[1].Commitments[0]))}, "another key"},
	} {
		if _, err := RecordOfReshare(r.run, old, tc.deals); !errors.Is(err, ErrDeal) || !strings.Contains(err.Error(), tc.reason) {
			t.Errorf("reshare, %s: got %v, want %v: ...%s...", name, err, ErrDeal, tc.reason)
		}
	}
	if _, err := RecordOfDKG(r.run, r.deals); !errors.Is(err, ErrRun) {
		t.Errorf("a reshare's deals as a DKG's: got %v, want %v", err, ErrRun)
	}
	if _, err := RecordOfReshare(r.run, foreign, r.deals[:2]); !errors.Is(err, ErrDeal) {
		t.Errorf("another old record: got %v, want %v", err, ErrDeal)
	}
}

func withDealer(d Deal, dealer uint16) Deal {
	d.Dealer = dealer
	return d
}

func withConstant(d Deal, constant [32]byte) Deal {
	d = cloneDeal(d)
	d.Commitments[0] = constant
	return d
}

func mustSum(t *testing.T, a, b [32]byte) [32]byte {
	t.Helper()
	points, err := (Record{Commitments: [][32]byte{a, b}}).points()
	if err != nil {
		t.Fatal(err)
	}
	return mustEncode(points[0].Add(points[0], points[1]))
}
