package daemon

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/raresync/raresync/daemon/site"
)

const (
	maxPageConns = 128 // at once; more wait to be accepted
	pageTimeout  = 30 * time.Second
)

// webSite says where a web site of the node is served, and how.
type webSite struct {
	name, listen, cert, key string
	plain                   bool
}

// serveSite answers browsers until stop is called; an answer may take as long as
// answer.
func (s *service) serveSite(w webSite, h http.Handler, answer time.Duration) (stop func(), err error) {
	l, err := net.Listen("tcp", w.listen)
	if err != nil {
		return nil, fmt.Errorf("%s.listen: %w", w.name, err)
	}
	// Few at once below TLS: a handshake that never ends takes a place, not memory.
	var few net.Listener = &fewAtOnce{Listener: l, places: make(chan struct{}, maxPageConns), closed: make(chan struct{})}
	fingerprint := "none: plain"
	if !w.plain {
		var conf *tls.Config
		conf, fingerprint, err = site.TLS(s.cfg.Node.DataDir, w.name, w.cert, w.key, w.listen, s.clock)
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		few = tls.NewListener(few, conf)
	}
	server := &http.Server{
		Handler: s.meter.Timed(w.name, h), ReadHeaderTimeout: pageTimeout, ReadTimeout: pageTimeout, WriteTimeout: answer,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.log.Info(w.name, "address", l.Addr().String(), "certificate", fingerprint)
	return s.serveOn(few, server), nil
}
