package machine_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// BenchmarkApply measures what a follower does with each envelope: full ones
// of 93 entries that pad to 512 bytes, and such of a single entry. A batch is
// what Raft or a peer hands over at once.
func BenchmarkApply(b *testing.B) {
	const batch, batches = 16, 32
	for name, count := range map[string]int{"64 KiB": 93, "one entry": 1} {
		b.Run(name, func(b *testing.B) {
			net := foundingtest.New(b, 3)
			log := commands(b, net, batch*batches, count)
			m := open(b, b.TempDir(), net.Genesis)
			start := snapshot(b, m)
			next := 0
			for b.Loop() {
				if next == len(log) {
					b.StopTimer()
					if err := m.Restore(start); err != nil {
						b.Fatal(err)
					}
					next = 0
					b.StartTimer()
				}
				if _, err := m.ApplyBatch(log[next : next+batch]); err != nil {
					b.Fatal(err)
				}
				next += batch
			}
			perBatch := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(perBatch/batch/1000, "us/envelope")
			b.ReportMetric(float64(batch*count)/perBatch*1e9, "entries/s")
		})
	}
}

// commands returns a hospital's first envelopes of count entries.
func commands(b *testing.B, net *foundingtest.Network, envelopes, count int) []machine.Command {
	b.Helper()
	m := open(b, b.TempDir(), net.Genesis)
	plain := make([]envelope.Plain, count)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: bytes.Repeat([]byte{byte(i)}, 480)}
	}
	hospital := net.Hospitals[1]
	member, _ := m.View().Member(hospital.Number)
	set, _ := m.View().ReadersFor(hospital.Number)
	link := envelope.Link{Network: m.View().Network, Hospital: hospital.Number, Attempt: 1,
		Sequence: member.Chain.Sequence + 1, Previous: member.Chain.ID, SignedAt: now}
	log := make([]machine.Command, envelopes)
	for i := range log {
		e, _, err := envelope.BuildEntries(link, set, plain, hospital.Envelope, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		log[i] = machine.Command{Raw: e.Marshal(), LeaderTime: now + uint64(i)}
		link.Sequence, link.Previous = link.Sequence+1, e.ID()
	}
	return log
}
