// Package meter counts and times what a daemon does, and shows it to Prometheus.
// It is the home of the client library: everything else knows counters, times
// and gauges by the names here.
//
//	m := meter.New()
//	m.Gauges(func() []meter.Gauge { return list })   // asked at each scrape
//	m.Committed(took)                                 // consensus.Meter
//	mux.Handle("GET /metrics", m.Handler())
//	handler = m.Timed("peer", handler)
//
// # Promises
//
//  1. No label holds anything of a patient, of a file or of an entry: labels are
//     node ids, codes of rules and refusals, and words of this program.
//  2. A label has as many values as the program has words or the roster nodes:
//     nobody who asks makes more of them.
//  3. A meter belongs to one daemon. Several in one process do not meet.
//
// Times are seconds and sizes bytes, as Prometheus wants them; docs/OPERATIONS.md
// lists the names.
package meter
