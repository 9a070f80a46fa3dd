package meter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/raresync/raresync/consensus/state"
)

// prefix begins the name of each metric of this program.
const prefix = "raresync_"

// Buckets in seconds: of what waits for a disk or for other nodes, and of what
// waits for people's machines.
var (
	diskBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	taskBuckets = []float64{.005, .025, .1, .5, 1, 2.5, 5, 10, 30, 60}
)

// A Meter counts and times. It is safe for concurrent use.
type Meter struct {
	registry *prometheus.Registry

	commit, apply, synced prometheus.Histogram
	applied, leaders      prometheus.Counter
	differed, lies, trail prometheus.Counter
	refused, refusedFiles *prometheus.CounterVec
	asked, evaluated      *prometheus.CounterVec
	stages, requests      *prometheus.HistogramVec
}

// New returns a meter that shows the process and the Go runtime as well.
func New() *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),

		commit: histogram("raft_commit_duration_seconds", "Of an envelope on the leader, from Raft to its commit.", diskBuckets),
		apply:  histogram("fsm_apply_duration_seconds", "Of envelopes that were applied together.", diskBuckets),
		synced: histogram("store_sync_duration_seconds", "Of a write that waits for the disk: Raft's log, the state.", diskBuckets),

		applied:  counter("envelopes_applied_total", "Envelopes applied since the start, refused ones included."),
		leaders:  counter("raft_leader_changes_total", "Leaders that this voter came to know."),
		differed: counter("log_root_mismatch_total", "Roots that were not this node's."),
		lies:     counter("dleq_failures_total", "Signed answers of share holders that were false."),
		trail:    counter("audit_write_errors_total", "Lines that could not be written into the trail."),

		refused:      counters("envelopes_refused_total", "Envelopes refused by this voter, by code.", "reason"),
		refusedFiles: counters("files_refused_total", "Files of this hospital that a rule refused, by rule.", "reason"),
		asked:        counters("oprf_asked_total", "Requests of this hospital for pseudonyms, by what came of them.", "result"),
		evaluated:    counters("oprf_requests_total", "Requests of others to this share holder, by what came of them.", "result"),

		stages:   histograms("submit_duration_seconds", "Of a submission, by stage.", taskBuckets, "stage"),
		requests: histograms("http_request_duration_seconds", "Of requests, by whom they came from and what they asked.", taskBuckets, "server", "handler", "code"),
	}
	m.registry.MustRegister(
		m.commit, m.apply, m.synced, m.applied, m.leaders, m.differed, m.lies, m.trail,
		m.refused, m.refusedFiles, m.asked, m.evaluated, m.stages, m.requests,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.refused.WithLabelValues(string(state.CodeFork))                           // what somebody is to be woken for
	for _, result := range []string{resultOK, resultRefused, resultOverQuota} { // so that rates begin at 0
		m.evaluated.WithLabelValues(result)
	}
	for _, result := range []string{resultOK, resultFailed, resultOverQuota} {
		m.asked.WithLabelValues(result)
	}
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets})
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
}

// Committed, Applied, Refused, Synced, LeaderChanged and RootDiffered make the
// meter a consensus.Meter.

// Committed notes how long an envelope took to its commit.
func (m *Meter) Committed(took time.Duration) { m.commit.Observe(took.Seconds()) }

// Applied notes envelopes that were applied together.
func (m *Meter) Applied(envelopes int, took time.Duration) {
	m.applied.Add(float64(envelopes))
	m.apply.Observe(took.Seconds())
}

// Refused counts an envelope that was refused, by its code.
func (m *Meter) Refused(code string) { m.refused.WithLabelValues(code).Inc() }

// Synced notes how long a write waited for the disk.
func (m *Meter) Synced(took time.Duration) { m.synced.Observe(took.Seconds()) }

// LeaderChanged counts a new leader.
func (m *Meter) LeaderChanged() { m.leaders.Inc() }

// RootDiffered counts a root that was not this node's.
func (m *Meter) RootDiffered() { m.differed.Inc() }

// RefusedFile counts a file that was refused, once for each of the rules.
func (m *Meter) RefusedFile(rules map[string]bool) {
	for rule := range rules {
		m.refusedFiles.WithLabelValues(rule).Inc()
	}
}

// Lied counts a false answer of a share holder.
func (m *Meter) Lied() { m.lies.Inc() }

// TrailFailed counts a line that could not be written into the trail.
func (m *Meter) TrailFailed() { m.trail.Inc() }

// A Stage is a part of a submission's way.
type Stage string

// The stages that are timed.
const (
	Validate     Stage = "validate"     // read the files and check them
	Pseudonymise Stage = "pseudonymise" // ask the share holders
	Sign         Stage = "sign"         // seal, sign, and store in the outbox
	Commit       Stage = "commit"       // until the receipt, where the command waits for it
)

// Validated notes how long files took to read and check.
func (m *Meter) Validated(took time.Duration) { m.Took(Validate, took) }

// Took notes how long a stage of a submission took.
func (m *Meter) Took(s Stage, took time.Duration) {
	m.stages.WithLabelValues(string(s)).Observe(took.Seconds())
}
