package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// results is everything measured, in the order it first came.
type results struct {
	Began     time.Time `json:"began"`
	Seconds   float64   `json:"seconds"`
	Cores     int       `json:"cores"`
	Load      string    `json:"load"` // average of 1, 5, 15 minutes before the run: what else the machine did
	Go        string    `json:"go"`
	Clients   int       `json:"clients"`   // of raresync and raw
	Envelopes int64     `json:"envelopes"` // of the loaded network
	Entries   int64     `json:"entries"`
	Notes     []string  `json:"notes"`
	Series    []*series `json:"series"`
	Later     []later   `json:"later,omitempty"` // runs of parts alone, whose figures are among these
}

// series is one figure, once for each round.
type series struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
}

func newResults(o options) *results {
	return &results{
		Began: time.Now().UTC(), Load: loadAverage(), Cores: runtime.NumCPU(), Go: runtime.Version(), Clients: hospitals,
		Notes: []string{
			fmt.Sprintf("a window is %d envelopes; %d rounds; the spread is over rounds", o.envelopes, o.rounds),
			"raw applies nothing, checks nothing and signs nothing; etcd runs without TLS",
		},
	}
}

// add notes a figure of a round.
func (r *results) add(name, unit string, value float64) {
	s := r.find(name)
	if s == nil {
		s = &series{Name: name, Unit: unit}
		r.Series = append(r.Series, s)
	}
	s.Values = append(s.Values, value)
	s.Median, s.Min, s.Max = median(s.Values), slices.Min(s.Values), slices.Max(s.Values)
}

// window notes a stretch of load; the CPU time is of one node on average.
func (r *results) window(name string, w window) {
	r.add(name+": rate", "/s", w.rate())
	r.latencies(name+": commit", w.commits)
	r.add(name+": CPU per value and node", "us", micros(w.cpu)/float64(w.values)/voters)
}

func (r *results) latencies(name string, took []time.Duration) {
	p50, p99 := quantile(took, 0.5), quantile(took, 0.99)
	r.add(name+" p50", "ms", ms(p50))
	r.add(name+" p99", "ms", ms(p99))
}

// quantile returns the value that a share q of the values does not exceed.
func quantile[T int | float64 | time.Duration](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// median returns the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// values returns a series' figures by round, nil if it was not measured.
func (r *results) values(name string) []float64 {
	if s := r.find(name); s != nil {
		return s.Values
	}
	return nil
}

// find returns a series, nil if it was not measured.
func (r *results) find(name string) *series {
	i := slices.IndexFunc(r.Series, func(s *series) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return r.Series[i]
}

// compare notes what f makes of two series, round by round.
func (r *results) compare(name, unit, a, b string, f func(a, b float64) float64) {
	x, y := r.values(a), r.values(b)
	for i := range min(len(x), len(y)) {
		r.add(name, unit, f(x[i], y[i]))
	}
}

// relate adds the figures that put one system beside another.
func (r *results) relate() {
	ratio := func(a, b float64) float64 { return a / b }
	r.compare("raresync by raw: rate", "x", "raresync: rate", "raw: rate", ratio)
	r.compare("raresync by raw, long windows: rate", "x", "raresync, long: rate", "raw, long: rate", ratio)
	r.compare("raresync above raw: CPU per envelope and node", "us",
		"raresync: CPU per value and node", "raw: CPU per value and node", func(a, b float64) float64 { return a - b })
	r.compare("raresync: commit p99 by p50", "x", "raresync: commit p99", "raresync: commit p50", ratio)
	r.compare("raresync in entries by etcd's 512 B puts", "x", "raresync: rate", "etcd 512 B: rate",
		func(a, b float64) float64 { return a * entriesPerEnvelope / b })
	r.compare("commits of others during an erasure by before it: p99", "x",
		"during an erasure: others' commit p99", "before an erasure: others' commit p99", ratio)
	r.compare("raresync by etcd's 64 KiB values", "x", "raresync: rate", "etcd 64 KiB: rate", ratio)
	r.toNoMirrors(mirrorsCPUFigure, mirrorsName(0)+": leader's CPU per envelope", mirrorsAll+": leader's CPU per envelope")
	r.toNoMirrors(mirrorsEgressFigure, mirrorsName(0)+": leader's egress per envelope", mirrorsAll+": leader's egress per envelope")
}

// toNoMirrors adds what each round with mirrors comes to by the median of those
// without, which are before and after them.
func (r *results) toNoMirrors(name, without, with string) {
	if base := r.find(without); base != nil {
		for _, v := range r.values(with) {
			r.add(name, "x", v/base.Median)
		}
	}
}

// print writes the table.
func (r *results) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "median\tmin\tmax\tn\tunit\t  figure\n")
	for _, s := range r.Series {
		fmt.Fprintf(w, "%.4g\t%.4g\t%.4g\t%d\t%s\t  %s", s.Median, s.Min, s.Max, len(s.Values), s.Unit, s.Name)
		if v := verdict(s); v != "" {
			fmt.Fprintf(w, "  [%s]", v)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // a table that cannot be shown is in the file
	fmt.Fprintf(out, "%d cores, %.0f s, load average %s\n", r.Cores, r.Seconds, r.Load)
	for _, name := range r.unmeasured() {
		fmt.Fprintln(out, "not measured:", name)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(out, "note:", n)
	}
}

// write writes every figure to the results file.
func (r *results) write(path string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

func ms(d time.Duration) float64     { return micros(d) / 1000 }
func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
