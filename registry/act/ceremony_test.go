package act_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
)

// ceremonyPayloads are the payloads of a ceremony, by the type of their act.
func ceremonyPayloads(t testing.TB) map[act.Type][]byte {
	t.Helper()
	run := keyshare.Run{Number: 7, Origin: keyshare.DKG, Epoch: 1, Threshold: 2, Holders: 3, Dealers: 3}
	key, err := keyshare.NewCeremonyKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := key.Public(run)
	if err != nil {
		t.Fatal(err)
	}
	dealing, err := keyshare.NewDealing(run, 2, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	deal, err := dealing.Deal(keys)
	if err != nil {
		t.Fatal(err)
	}
	return map[act.Type][]byte{
		act.TypeCeremony:  (&act.Ceremony{Epoch: 2, Threshold: 2, Holders: []uint32{4, 1, 3}, Deadline: 1 << 41}).Marshal(),
		act.TypeJoin:      (&act.Join{Ceremony: 7, Keys: keys, Commit: dealing.Commit()}).Marshal(),
		act.TypeDeal:      (&act.Deal{Ceremony: 7, Deal: deal}).Marshal(),
		act.TypeConfirm:   (&act.Confirm{Ceremony: 7, Transcript: [32]byte{1}}).Marshal(),
		act.TypeComplaint: (&act.Complaint{Ceremony: 7, Accused: 2, Seed: [32]byte{2}}).Marshal(),
		act.TypeActivate:  (&act.Activate{Ceremony: 7, Checkpoint: []byte("a note")}).Marshal(),
		act.TypeCanary:    (&act.Canary{Epoch: 3, Hash: [32]byte{3}}).Marshal(),
	}
}

// recode decodes a payload of a type and encodes it again.
func recode(typ act.Type, raw []byte) ([]byte, error) {
	type payload interface{ Marshal() []byte }
	var p payload
	var err error
	switch typ {
	case act.TypeCeremony:
		p, err = act.DecodeCeremony(raw)
	case act.TypeJoin:
		p, err = act.DecodeJoin(raw)
	case act.TypeDeal:
		p, err = act.DecodeDeal(raw)
	case act.TypeConfirm:
		p, err = act.DecodeConfirm(raw)
	case act.TypeComplaint:
		p, err = act.DecodeComplaint(raw)
	case act.TypeActivate:
		p, err = act.DecodeActivate(raw)
	case act.TypeCanary:
		p, err = act.DecodeCanary(raw)
	}
	if err != nil {
		return nil, err
	}
	return p.Marshal(), nil
}

func TestCeremonyPayloadsEncodeBackToTheSameBytes(t *testing.T) {
	for typ, raw := range ceremonyPayloads(t) {
		if again, err := recode(typ, raw); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s: %v", typ, err)
		}
		if _, err := recode(typ, append(bytes.Clone(raw), 0)); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s with a byte behind it: %v", typ, err)
		}
		for n := range min(len(raw), 200) {
			if _, err := recode(typ, raw[:n]); !errors.Is(err, cbor.ErrEncoding) {
				t.Errorf("%d bytes of %s: %v", n, typ, err)
			}
		}
	}
}

func FuzzCeremonyPayloads(f *testing.F) {
	for typ, raw := range ceremonyPayloads(f) {
		f.Add(uint16(typ), raw)
	}
	f.Fuzz(func(t *testing.T, typ uint16, raw []byte) {
		if typ < uint16(act.TypeCeremony) || typ > uint16(act.TypeCanary) {
			return
		}
		if again, err := recode(act.Type(typ), raw); err == nil && !bytes.Equal(again, raw) {
			t.Errorf("%s decodes and encodes to other bytes", act.Type(typ))
		}
	})
}
