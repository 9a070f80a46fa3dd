package machine_test

import (
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

var bothRights = seal.Rights{Clinical: true, Genetic: true}

// What is sealed the log cannot judge: these envelopes are accepted, and each
// reader sees by itself that something is wrong.
func TestWhatAHospitalCopiesIsLoggedAndOpensForNobody(t *testing.T) {
	h := newHistory(t)
	victim, err := envelope.Decode(h.log[0].raw)
	if err != nil {
		t.Fatal(err)
	}
	net, thief := h.net, h.net.Hospitals[1]
	keks, err := seal.NewKEKs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change         func(*envelope.Header, *[]seal.Body)
		reader, itself error // of the envelope
		entry          error // of each entry
	}{
		"body, wraps and key commitments": {
			change: func(h *envelope.Header, b *[]seal.Body) {
				*b, h.CommitC, h.CommitG = victim.Bodies, victim.CommitC, victim.CommitG
				for i := range h.Wraps {
					h.Wraps[i].Data = victim.Wraps[i].Data
				}
			},
			reader: seal.ErrWrap, itself: seal.ErrWrap,
		},
		"body and wraps, with commitments of its own": {
			change: func(h *envelope.Header, b *[]seal.Body) {
				*b = victim.Bodies
				c := h.Context()
				h.CommitC, h.CommitG = c.CommitKEK(seal.Clinical, keks.Clinical), c.CommitKEK(seal.Genetic, keks.Genetic)
				for i := range h.Wraps {
					h.Wraps[i].Data = victim.Wraps[i].Data
				}
			},
			reader: seal.ErrWrap, itself: seal.ErrWrap,
		},
		"body, with wraps that hold no key": {
			change: func(h *envelope.Header, b *[]seal.Body) {
				*b = victim.Bodies
				c := h.Context()
				h.CommitC, h.CommitG = c.CommitKEK(seal.Clinical, keks.Clinical), c.CommitKEK(seal.Genetic, keks.Genetic)
				for i, m := range []*foundingtest.Member{thief, net.Reader} {
					w, err := c.Wrap(m.Sealing.Public(), keks, seal.Rights{}, rand.Reader)
					if err != nil {
						t.Fatal(err)
					}
					h.Wraps[i] = w
				}
			},
			reader: seal.ErrCommitment, itself: seal.ErrCommitment,
		},
		"body alone": {
			change: func(h *envelope.Header, b *[]seal.Body) { *b = victim.Bodies },
			entry:  seal.ErrBody,
		},
	} {
		mine := entries(t, h.voter.View(), thief, 1, 1)
		e := forge(t, mine, thief.Envelope, tc.change)
		apply(t, h.voter, e.Marshal(), now)
		for who, c := range map[string]struct {
			key  *seal.ReaderPrivate
			want error
		}{"the national reader": {h.net.Reader.Sealing, tc.reader}, "the thief itself": {thief.Sealing, tc.itself}} {
			opened, err := e.Open(c.key, bothRights)
			if !errors.Is(err, c.want) {
				t.Errorf("%s, %s: got %v, want %v", name, who, err, c.want)
			}
			for _, o := range opened {
				if !errors.Is(o.Err, tc.entry) || o.CBOR != nil {
					t.Errorf("%s, %s: place %d opened to %x, %v", name, who, o.Place, o.CBOR, o.Err)
				}
			}
		}
		if _, err := e.Open(h.net.Hospitals[0].Sealing, bothRights); !errors.Is(err, envelope.ErrNotAReader) {
			t.Errorf("%s: the victim: got %v", name, err)
		}
	}
}

// crypto/seal shows the ciphertext that opens to two stories under two keys.
// Here its sender gets it into the log, and the header's commitment betrays it
// to the reader who was given the other key.
func TestOneCiphertextForTwoKeysIsLoggedAndSeenByItsReader(t *testing.T) {
	h := newHistory(t)
	sender := h.net.Hospitals[0]
	other, err := seal.NewKEKs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := forge(t, entries(t, h.voter.View(), sender, 1, 1), sender.Envelope, func(head *envelope.Header, _ *[]seal.Body) {
		head.Wraps[1].Data = wrapOther(t, head, h.net.Reader.Sealing.Public(), other)
	})
	apply(t, h.voter, e.Marshal(), now)
	if got, err := e.Open(sender.Sealing, bothRights); err != nil || len(got) != 1 || got[0].Err != nil {
		t.Errorf("the hospital itself: %v, %v", got, err)
	}
	if _, err := e.Open(h.net.Reader.Sealing, bothRights); !errors.Is(err, seal.ErrCommitment) {
		t.Errorf("the reader: got %v, want SEAL003", err)
	}
}

// wrapOther wraps keys that the header does not commit to, bound to what it
// does commit to.
func wrapOther(t *testing.T, h *envelope.Header, r seal.ReaderPublic, keks seal.KEKs) []byte {
	t.Helper()
	public, err := hpke.MLKEM768X25519().NewPublicKey(r.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	id := r.ID()
	info := h.Context().Append([]byte("raresync/v1/wrap\x00"))
	info = append(append(append(info, id[:]...), h.CommitC[:]...), h.CommitG[:]...)
	data, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info, append(keks.Clinical[:], keks.Genetic[:]...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
