package machine_test

import "testing"

// BenchmarkRead measures what a peer that pulls costs the one it pulls from: an
// envelope read from the ledger, with every byte accounted for.
func BenchmarkRead(b *testing.B) {
	for name, count := range map[string]int{"64 KiB": 93, "one entry": 1} {
		b.Run(name, func(b *testing.B) {
			h := newHistory(b)
			m := open(b, b.TempDir(), h.net.Genesis)
			const envelopes = 256
			if _, err := m.ApplyBatch(commands(b, h.net, envelopes, count)); err != nil {
				b.Fatal(err)
			}
			var bytes int
			next := uint64(0)
			for b.Loop() {
				e, _, err := m.Envelope(1 + next%envelopes)
				if err != nil {
					b.Fatal(err)
				}
				bytes = len(e.Marshal())
				next++
			}
			b.SetBytes(int64(bytes))
		})
	}
}
