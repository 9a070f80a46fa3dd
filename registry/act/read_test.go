package act

import (
	"bytes"
	"testing"
)

func TestReadsAndNoticesComeBackAsTheyWere(t *testing.T) {
	for _, p := range Purposes() {
		purpose, ok := ParsePurpose(p)
		want := Read{Purpose: purpose, Day: 20_785, Hash: [32]byte{7, 8}}
		got, err := DecodeRead(want.Marshal())
		if !ok || err != nil || got != want || len(want.Marshal()) != len(Read{Purpose: 1, Day: 20_785}.Marshal()) {
			t.Errorf("%s: %+v, %v, %v", p, got, ok, err)
		}
	}
	n := &Notices{Day: 20_785}
	for h := uint32(1); h <= MaxNotices; h++ {
		n.To = append(n.To, Notice{Hospital: h * 1000, Sealed: bytes.Repeat([]byte{byte(h)}, SealedNoticeBytes)})
	}
	a := Act{Version: Version, Type: TypeNotices, Payload: n.Marshal()}
	if raw := a.Marshal(); len(raw) > MaxBytes {
		t.Errorf("%d notices make an act of %d bytes", MaxNotices, len(raw))
	}
	got, err := DecodeNotices(n.Marshal())
	if err != nil || !bytes.Equal(got.Marshal(), n.Marshal()) {
		t.Errorf("notices: %v", err)
	}
}

func FuzzDecodeRead(f *testing.F) {
	f.Add(Read{Purpose: 1, Day: 20_785}.Marshal())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := DecodeRead(raw); err == nil && !bytes.Equal(r.Marshal(), raw) {
			t.Errorf("%x decodes, and encodes to %x", raw, r.Marshal())
		}
	})
}

func FuzzDecodeNotices(f *testing.F) {
	n := Notices{Day: 20_785, To: []Notice{{Hospital: 1, Sealed: make([]byte, SealedNoticeBytes)}}}
	f.Add(n.Marshal())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n, err := DecodeNotices(raw); err == nil && !bytes.Equal(n.Marshal(), raw) {
			t.Errorf("%x decodes, and encodes to %x", raw, n.Marshal())
		}
	})
}
