package machine_test

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkFollow measures what a fresh mirror does with what it pulls, on its
// disk: full envelopes of 93 entries, and such of a single entry, as many as a
// peer answers with at once. CPU time says more than the rate on a busy machine.
func BenchmarkFollow(b *testing.B) {
	for name, tc := range map[string]struct{ count, batch int }{"64 KiB": {93, 64}, "one entry": {1, 256}} {
		b.Run(name, func(b *testing.B) {
			const batches = 4
			h := newHistory(b)
			log := commands(b, h.net, tc.batch*batches, tc.count)
			m := open(b, b.TempDir(), h.net.Genesis)
			start := snapshot(b, m)
			next := 0
			var cpu time.Duration
			for b.Loop() {
				if next == len(log) {
					b.StopTimer()
					if err := m.Restore(start); err != nil {
						b.Fatal(err)
					}
					next = 0
					b.StartTimer()
				}
				began := cpuTime()
				if err := m.Follow(log[next:next+tc.batch], 1<<40); err != nil {
					b.Fatal(err)
				}
				cpu += cpuTime() - began
				next += tc.batch
			}
			envelopes := float64(b.N * tc.batch)
			b.ReportMetric(float64(cpu.Nanoseconds())/1000/envelopes, "cpu-us/envelope")
			b.ReportMetric(envelopes/b.Elapsed().Seconds(), "envelopes/s")
			b.ReportMetric(envelopes*float64(tc.count)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// cpuTime is what this process has used of all processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
