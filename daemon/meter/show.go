package meter

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Gauge is a figure as it is now.
type Gauge struct {
	Name    string // without the program's prefix
	Help    string
	Labels  []string // names
	Samples []Sample // a gauge without any is not shown
	Counts  bool     // it only grows while the daemon runs
}

// A Sample is a value of a gauge.
type Sample struct {
	Labels []string // values, in the order of the gauge's names
	Value  float64
}

// gauges asks for figures at each scrape.
type gauges func() []Gauge

// Describe says nothing: which figures there are is known when they are asked.
func (g gauges) Describe(chan<- *prometheus.Desc) {}

// Collect sends what there is.
func (g gauges) Collect(out chan<- prometheus.Metric) {
	for _, one := range g() {
		desc, kind := prometheus.NewDesc(prefix+one.Name, one.Help, one.Labels, nil), prometheus.GaugeValue
		if one.Counts {
			kind = prometheus.CounterValue
		}
		for _, s := range one.Samples {
			out <- prometheus.MustNewConstMetric(desc, kind, s.Value, s.Labels...)
		}
	}
}

// Gauges has ask called at each scrape, by several at once if several scrape.
func (m *Meter) Gauges(ask func() []Gauge) { m.registry.MustRegister(gauges(ask)) }

// Handler answers a scrape, in the format that is asked for.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Timed returns a handler that times the requests of one of this daemon's
// servers. They are told apart by the pattern of the mux that they match, not by
// what was asked for.
func (m *Meter) Timed(server string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, seen := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			pattern := r.Pattern
			if pattern == "" {
				pattern = "none"
			}
			code := strconv.Itoa(seen.status)
			m.requests.WithLabelValues(server, strings.TrimSpace(pattern), code).Observe(time.Since(began).Seconds())
		}()
		h.ServeHTTP(seen, r)
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Flush sends what is there, for what streams.
func (w *statusWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap returns the writer beneath, for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
