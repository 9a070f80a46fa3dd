package daemon

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

const (
	maxTileConns  = 64               // at once; more wait to be accepted
	tileTimeout   = 10 * time.Second // for a request, and again for its answer
	forever       = "public, max-age=31536000, immutable"
	notLong       = "public, max-age=2"
	checkpointWay = "/checkpoint"
)

// answerTiles answers as C2SP tlog-tiles wants: a checkpoint, tiles, and bundles of
// leaves, and nothing else of this node. Who asks is not asked.
func (s *service) answerTiles(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == checkpointWay {
		s.answerCheckpoint(w)
		return
	}
	tile, err := tlog.ParseTilePath(strings.TrimPrefix(r.URL.Path, "/"))
	var raw []byte
	if err == nil {
		raw, err = s.node.Tile(tile)
	}
	switch {
	case errors.Is(err, tlog.ErrMalformed), errors.Is(err, ledger.ErrOutOfRange):
		h.Set("Cache-Control", notLong) // it may be there soon
		http.Error(w, "not found", http.StatusNotFound)
		return
	case err != nil:
		s.unready(w, err)
		return
	}
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", forever)
	if tile.Entries {
		h.Set("Vary", "Accept-Encoding")
	}
	if tile.Entries && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(raw) // the asker has gone if it fails
		_ = z.Close()
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	_, _ = w.Write(raw)
}

func (s *service) answerCheckpoint(w http.ResponseWriter) {
	cp := s.node.Checkpoint()
	if err := s.node.Whole(); err != nil || cp.Size == 0 {
		s.unready(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", notLong)
	_, _ = w.Write(cp.Marshal())
}

// unready says to come again, and not to a stranger why.
func (s *service) unready(w http.ResponseWriter, err error) {
	s.log.Debug("no tile given", "reason", fmt.Sprint(err))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "10")
	http.Error(w, "not yet", http.StatusServiceUnavailable)
}

// acceptsGzip reports whether a request wants gzip. One that gives it a weight
// mostly does; a weight of zero is no.
func acceptsGzip(r *http.Request) bool {
	for way := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(way), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return err != nil || q > 0
	}
	return false
}

// serveOthers answers who is no node and no command, where that is configured, until
// stop is called.
func (s *service) serveOthers(ctx context.Context) (stop func(), err error) {
	stopMetrics, err := s.serveMonitor()
	if err != nil {
		return nil, err
	}
	stopTiles, err := s.serveTiles()
	if err != nil {
		stopMetrics()
		return nil, err
	}
	stopPage, err := s.servePage(ctx)
	if err != nil {
		stopTiles()
		stopMetrics()
		return nil, err
	}
	stopConsole, err := s.serveConsole()
	if err != nil {
		stopPage()
		stopTiles()
		stopMetrics()
		return nil, err
	}
	return func() { stopConsole(); stopPage(); stopTiles(); stopMetrics() }, nil
}

// serveTiles answers stock clients, if an address is configured, until stop is
// called.
func (s *service) serveTiles() (stop func(), err error) {
	if s.cfg.Listen.Tiles == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", s.cfg.Listen.Tiles)
	if err != nil {
		return nil, fmt.Errorf("listen.tiles: %w", err)
	}
	server := &http.Server{
		Handler:           s.meter.Timed("tiles", http.HandlerFunc(s.answerTiles)),
		ReadHeaderTimeout: tileTimeout, ReadTimeout: tileTimeout, WriteTimeout: 2 * tileTimeout,
		IdleTimeout: tileTimeout, MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.log.Info("tiles", "address", l.Addr().String())
	few := &fewAtOnce{Listener: l, places: make(chan struct{}, maxTileConns), closed: make(chan struct{})}
	return s.serveOn(few, server), nil
}

// fewAtOnce is a listener that accepts only as many connections as it has places.
type fewAtOnce struct {
	net.Listener
	places chan struct{} // holds a value for each connection
	closed chan struct{}
	once   sync.Once
}

func (l *fewAtOnce) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

func (l *fewAtOnce) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type placed struct {
	net.Conn
	leave func()
}

func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
