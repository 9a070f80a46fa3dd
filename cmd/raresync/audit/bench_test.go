package audit_test

import "testing"

// BenchmarkCopy verifies a node's copy of 100 envelopes of 250 entries, bodies and
// salts included, and BenchmarkStatic a static copy of the same without bodies.
func BenchmarkCopy(b *testing.B) {
	c, entries := benchCopy(b)
	note := c.whole()
	for b.Loop() {
		if _, err := c.verify(note); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkStatic(b *testing.B) {
	c, entries := benchCopy(b)
	address := "file://" + c.static(false, nil)
	for b.Loop() {
		if _, err := c.verifyStatic(address); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func benchCopy(b *testing.B) (c *copied, entries int) {
	b.Helper()
	counts := make([]int, 100)
	for i := range counts {
		counts[i] = 250
		entries += 250
	}
	return newCopy(b, counts...), entries
}
