package outbox

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func FuzzDecodeItem(f *testing.F) {
	genesis := foundingtest.New(f, 1).Genesis
	f.Add((&item{env: genesis, ids: [][32]byte{{1}}}).marshal())
	f.Add([]byte{0x82, 0x40, 0x80})
	f.Fuzz(func(t *testing.T, raw []byte) {
		it, err := decodeItem(raw)
		if err == nil && !bytes.Equal(it.marshal(), raw) {
			t.Errorf("%x encodes to other bytes", raw)
		}
	})
}

func FuzzDecodeReceipt(f *testing.F) {
	f.Add(Receipt{Sequence: 3, Number: 9, First: 17, Count: 2, LogTime: 5, Checkpoint: []byte("note"), Entries: [][32]byte{{1}, {2}}}.marshal())
	f.Add([]byte{0x88})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := decodeReceipt(raw)
		if err == nil && !bytes.Equal(r.marshal(), raw) {
			t.Errorf("%x encodes to other bytes", raw)
		}
	})
}
