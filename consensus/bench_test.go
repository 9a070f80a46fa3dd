package consensus

import (
	"testing"
	"time"
)

// BenchmarkReceipt measures one hospital that waits for each receipt: three
// voters in memory, with the disk's fsyncs.
func BenchmarkReceipt(b *testing.B) {
	for name, at := range map[string]func(c *cluster) string{
		"at the leader":    (*cluster).leader,
		"at a follower":    (*cluster).follower,
		"through a mirror": func(c *cluster) string { return "reader" },
	} {
		b.Run(name, func(b *testing.B) {
			c := newCluster(b, 3)
			c.open(c.ids...)
			c.leader()
			n := c.node(at(c))
			h := c.chain(0)
			var commit time.Duration
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				raw := h.next(20).Marshal()
				b.StartTimer()
				began := time.Now()
				out, err := n.Submit(c.ctx, raw)
				if err != nil || out.Refusal != nil {
					b.Fatal(out.Refusal, err)
				}
				commit += time.Since(began)
				if _, err := n.WaitCheckpoint(c.ctx, out.First+uint64(out.Count)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(commit.Microseconds())/1000/float64(b.N), "ms/commit")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/receipt")
		})
	}
}
