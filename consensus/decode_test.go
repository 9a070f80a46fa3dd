package consensus

import (
	"bytes"
	"testing"
)

func FuzzDecodeCommand(f *testing.F) {
	f.Add(encodeCommand(1_790_000_000_000, []byte("an envelope")))
	f.Add(encodeCommand(0, nil))
	f.Add([]byte{0x82, 0x18, 0x01, 0x40}) // an integer not in shortest form
	f.Fuzz(func(t *testing.T, cmd []byte) {
		leaderTime, raw, err := decodeCommand(cmd)
		if err == nil && !bytes.Equal(encodeCommand(leaderTime, raw), cmd) {
			t.Errorf("%x encodes to other bytes", cmd)
		}
	})
}

func FuzzDecodeCosigned(f *testing.F) {
	f.Add(cosigned{Size: 7, RaftIndex: 9, Term: 2, Root: [32]byte{1}}.marshal())
	f.Add([]byte{0x84})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := decodeCosigned(raw)
		if err == nil && !bytes.Equal(c.marshal(), raw) {
			t.Errorf("%x encodes to other bytes", raw)
		}
	})
}
