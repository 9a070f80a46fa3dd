package quota

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

// TestAHolderCannotShowUseThatTheHospitalDidNotAskFor counts a week of two
// hospitals and bends what the holder shows of it.
func TestAHolderCannotShowUseThatTheHospitalDidNotAskFor(t *testing.T) {
	keys := map[uint32]*sign.PrivateKey{}
	for _, hospital := range []uint32{1, 2, 3} {
		key, err := sign.Generate(sign.PurposeRequest)
		if err != nil {
			t.Fatal(err)
		}
		keys[hospital] = key
	}
	s := newShelf(t)
	s.Advance(monday)
	for i := range uint16(6) {
		asked := signed(t, keys[1+uint32(i)%2], 1+uint32(i)%2, i, 100)
		want(t, "count", s.Count(asked, always(10_000)), nil)
	}
	s.clock = clockOn(monday + 7)
	s.Advance(monday + 7)
	const week = monday / act.DaysInWeek
	posted, err := s.Usage(week)
	if err != nil {
		t.Fatal(err)
	}
	proofsOf := func(hospital uint32) []Proof {
		proofs, err := s.Prove(week, hospital)
		if err != nil || len(proofs) != 3 {
			t.Fatalf("%d proofs, %v", len(proofs), err)
		}
		return proofs
	}
	for _, c := range []struct {
		name string
		bend func(*Shown, *act.Usage)
		says string // "": it holds
	}{
		{"as it was", func(*Shown, *act.Usage) {}, ""},
		{"more posted than shown", func(_ *Shown, u *act.Usage) { u.Totals[0].Bucket++ }, "300 elements are shown, at least 512 were posted"},
		{"a request left out", func(s *Shown, _ *act.Usage) { s.Proofs = s.Proofs[1:] }, "200 elements are shown, at least 256"},
		{"a request twice", func(s *Shown, _ *act.Usage) { s.Proofs[1] = s.Proofs[0] }, "request 2: it is shown twice"},
		{"another hospital's", func(s *Shown, _ *act.Usage) { s.Proofs = append(s.Proofs, proofsOf(2)...) }, "request 4: no request key of the hospital signed it"},
		{"a changed request", func(s *Shown, _ *act.Usage) { s.Proofs[0].Leaf[40] ^= 1 }, "request 1: "},
		{"another place", func(s *Shown, _ *act.Usage) { s.Proofs[2].Index-- }, "request 3: "},
		{"a smaller tree", func(s *Shown, _ *act.Usage) { s.Proofs[0].Size-- }, "it is one of 5, the usage has 6"},
		{"another week", func(s *Shown, _ *act.Usage) { s.Week-- }, "beside the usage of week"},
		{"nothing", func(s *Shown, _ *act.Usage) { s.Proofs = nil }, "0 elements are shown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shown, usage := &Shown{Week: week, Hospital: 1, Proofs: proofsOf(1)}, posted
			usage.Totals = slices.Clone(posted.Totals)
			c.bend(shown, &usage)
			elements, err := shown.Check(&usage, keys[3].Public(), keys[1].Public())
			switch {
			case c.says == "" && (err != nil || elements != 300):
				t.Errorf("%d elements, %v; want 300", elements, err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

// signed is a request that its hospital did sign.
func signed(t *testing.T, key *sign.PrivateKey, hospital uint32, id, n uint16) Signed {
	t.Helper()
	r := pseudonym.Request{Hospital: hospital, QuotaDay: monday, N: n}
	binary.BigEndian.PutUint16(r.RequestID[:], id)
	sig, err := key.Sign(sign.LabelRequest, r.AppendCBOR(nil))
	if err != nil {
		t.Fatal(err)
	}
	return Signed{Request: r, Signature: sig}
}
