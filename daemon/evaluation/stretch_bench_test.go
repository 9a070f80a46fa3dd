package evaluation

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
)

// backfill is the number of patients that a hospital brings at once, for which
// the figure is printed.
const backfill = 3000

// BenchmarkStretch stretches identities as a real network does, on all
// processors, and says how long a hospital's backfill takes by that alone.
func BenchmarkStretch(b *testing.B) {
	params := pseudonym.Params{KDF: pseudonym.KDFArgon2id, Time: 1, MemoryKiB: 19456, Parallelism: 1}
	s := New(Config{Node: &testNode{view: &state.State{Identity: params}}})
	ids := identities(64)
	for b.Loop() {
		if _, err := s.stretch(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
	each := b.Elapsed().Seconds() / float64(b.N*len(ids))
	b.ReportMetric(each*1000, "ms/identity")
	b.ReportMetric(each*backfill, "s/3000-patients")
}
