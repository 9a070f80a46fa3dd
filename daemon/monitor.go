package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// answerMonitors answers monitoring systems, on the admin socket too.
func (s *service) answerMonitors(mux *http.ServeMux) {
	mux.Handle("GET /metrics", s.meter.Handler())
	mux.HandleFunc("GET /livez", s.answerLive)
	mux.HandleFunc("GET /readyz", s.answerReady)
}

// serveMonitor answers on a loopback address, if one is configured, until stop
// is called.
func (s *service) serveMonitor() (stop func(), err error) {
	if s.cfg.Listen.Metrics == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", s.cfg.Listen.Metrics)
	if err != nil {
		return nil, fmt.Errorf("listen.metrics: %w", err)
	}
	mux := http.NewServeMux()
	s.answerMonitors(mux)
	server := &http.Server{
		Handler: s.meter.Timed("monitor", mux), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.log.Info("metrics", "address", l.Addr().String())
	return s.serveOn(l, server), nil
}

// serveOn answers on a listener until stop is called, which gives answers that are
// under way a second.
func (s *service) serveOn(l net.Listener, server *http.Server) (stop func()) {
	ended := make(chan struct{})
	s.workers.Go(func() {
		defer close(ended)
		_ = server.Serve(l) // ends with Close
	})
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	}
}
