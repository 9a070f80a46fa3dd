package envelope_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/raresync/raresync/registry/envelope"
)

var random = rand.Reader

func FuzzDecode(f *testing.F) {
	f.Add(readPinned(f))
	f.Add([]byte(readGolden(f).Envelope))
	f.Add([]byte{0x84, 0x40, 0x40, 0x40, 0x80})
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := envelope.Decode(in)
		if err != nil {
			return
		}
		again, err := envelope.Assemble(e.Header.Marshal(), e.Signature, e.Bodies)
		if err != nil || !bytes.Equal(again.Marshal(), in) || again.ID() != e.ID() {
			t.Errorf("what decodes encodes to other bytes: %v", err)
		}
		_ = check(in) // must not panic, whatever it says
	})
}

func FuzzDecodeHeader(f *testing.F) {
	f.Add([]byte(readGolden(f).Header))
	f.Add([]byte{0x90, 1, 1, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		h, err := envelope.DecodeHeader(in)
		if err == nil && !bytes.Equal(h.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, h.Marshal())
		}
	})
}

func FuzzParseLeaf(f *testing.F) {
	f.Add([]byte(readGolden(f).Leaves[0]))
	f.Add(make([]byte, 91))
	f.Fuzz(func(t *testing.T, in []byte) {
		l, err := envelope.ParseLeaf(in)
		if err == nil && !bytes.Equal(l.Append(nil), in) {
			t.Errorf("%x encodes back to %x", in, l.Append(nil))
		}
	})
}
