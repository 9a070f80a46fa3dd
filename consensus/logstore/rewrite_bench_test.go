package logstore

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// BenchmarkStoringWhileTheOldLogIsDestroyed rewrites a log of 64 MiB while
// another goroutine stores records of 64 KiB, as Raft does, and says how long
// those waited: at most, and one in a hundred at least. The rewriting is what an
// erasure needs; others' commits are what it may not hold up.
func BenchmarkStoringWhileTheOldLogIsDestroyed(b *testing.B) {
	const records = 1024
	data := make([]byte, 64<<10)
	var worst, p99, took []time.Duration
	for range b.N {
		s, _ := openLog(b, logPath(b), nil)
		var last uint64
		store := func(n int) {
			logs := make([]*raft.Log, n)
			for i := range logs {
				last++
				logs[i] = record(last, 1)
				logs[i].Data = data
			}
			if err := s.StoreLogs(logs); err != nil {
				b.Error(err)
			}
		}
		for range records / 16 {
			store(16)
		}
		s.SetApplied(records)
		s.SetSnapshot(records)
		ended := make(chan time.Duration)
		began := time.Now()
		go func() {
			if err := s.Rewrite(records); err != nil {
				b.Error(err)
			}
			ended <- time.Since(began)
		}()
		var waited []time.Duration
		for rewriting := true; rewriting; {
			select {
			case d := <-ended:
				took, rewriting = append(took, d), false
			default:
				at := time.Now()
				store(1)
				waited = append(waited, time.Since(at))
			}
		}
		slices.Sort(waited)
		worst, p99 = append(worst, waited[len(waited)-1]), append(p99, waited[len(waited)*99/100])
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	for unit, list := range map[string][]time.Duration{"max-ms": worst, "p99-ms": p99, "rewrite-ms": took} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2])/1e6, unit)
	}
}
