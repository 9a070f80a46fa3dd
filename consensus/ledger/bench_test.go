package ledger

import (
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
)

// BenchmarkAppend measures the files alone: envelopes of 93 entries that pad
// to 512 bytes, 64 KiB together, and of a single entry.
func BenchmarkAppend(b *testing.B) {
	for name, count := range map[string]int{"64 KiB": 93, "one entry": 1} {
		b.Run(name, func(b *testing.B) {
			l := open(b, b.TempDir())
			envelope := newBuilder(b).next(1, count, 528)
			envelope.Header, envelope.PrevOfHospital = make([]byte, 7600), None
			b.SetBytes(int64(count * 528))
			for b.Loop() {
				envelope.Hashes = hashesAt(l.Lengths().TreeSize, uint64(count))
				if err := l.Append(envelope); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// hashesAt returns as many hashes as count leaves complete in a tree of size.
func hashesAt(size, count uint64) (out [4][]tlog.Hash) {
	for i, height := range hashHeights {
		out[i] = make([]tlog.Hash, (size+count)>>height-size>>height)
	}
	return out
}
