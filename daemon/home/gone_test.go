package home

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/sign"
)

// TestTheKeyFileRemembersWhichKeysItHeld goes through two rotations and a
// custody, loading the key file anew each time.
func TestTheKeyFileRemembersWhichKeysItHeld(t *testing.T) {
	quickPassphrases(t)
	cfg := newHome(t)
	first := loaded(t, cfg)
	r := ring(t, cfg).generated(t, everyKey)
	settle(t, r, nextInForce(r.Keys()), true)
	second := loaded(t, cfg)
	for name, tc := range map[string]struct {
		id      [32]byte
		was     bool
		purpose sign.Purpose
		holds   bool
	}{
		"a signing key that was replaced":      {id: first.Envelope.Public().ID(), was: true, purpose: sign.PurposeEnvelope},
		"the TLS key before, which stays":      {id: first.TLS.Public().ID(), holds: true},
		"the sealing key before, which stays":  {id: first.Sealing.Public().ID(), holds: true},
		"a present key":                        {id: second.Request.Public().ID(), holds: true},
		"a key that somebody else made":        {id: [32]byte{1}},
		"a response key that was replaced too": {id: first.Response.Public().ID(), was: true, purpose: sign.PurposeResponse},
	} {
		gone, was := second.WasHere(tc.id)
		if was != tc.was || was && gone.Purpose != tc.purpose || second.Holds(tc.id) != tc.holds {
			t.Errorf("%s: was here %t for %s, is here %t", name, was, gone.Purpose, second.Holds(tc.id))
		}
	}
	if _, err := TakeOffline(cfg, keepers(t.TempDir())); err != nil {
		t.Fatal(err)
	}
	r = ring(t, cfg).generated(t, Choice{TLS: true})
	settle(t, r, InForce{TLS: r.Keys().Next.TLS.Public().ID()}, true)
	third := loaded(t, cfg)
	if gone, was := third.WasHere(first.Sealing.Public().ID()); !was || gone.Purpose != 0 {
		t.Errorf("a sealing key in custody: was here %t for %s", was, gone.Purpose)
	}
	if gone, was := third.WasHere(first.TLS.Public().ID()); !was || gone.Purpose != sign.PurposeTLS || third.Holds(first.TLS.Public().ID()) {
		t.Errorf("the TLS key before the last: was here %t for %s", was, gone.Purpose)
	}
}

func TestTheOldestKeysThatWereHereAreForgotten(t *testing.T) {
	var list []Gone
	for i := range maxGone + 5 {
		list = withGone(list, Gone{ID: [32]byte{byte(i), byte(i >> 8)}})
	}
	if len(list) != maxGone || list[0].ID != ([32]byte{5}) {
		t.Errorf("%d are remembered, the oldest %x", len(list), list[0].ID[:2])
	}
	if again := withGone(list, list[7]); !slices.Equal(again, list) {
		t.Error("one that is there is added again")
	}
	back, err := parseGone(marshalGone(list))
	if err != nil || !slices.Equal(back, list) {
		t.Errorf("read back: %v", err)
	}
	for _, n := range []int{1, goneBytes - 1, goneBytes + 1, (maxGone + 1) * goneBytes} {
		if _, err := parseGone(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are read", n)
		}
	}
}
