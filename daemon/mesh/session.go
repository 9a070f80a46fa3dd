package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// A session that lost a race lingers, since the peer may not know yet and may
// be opening a stream on it, and ends when it carries no stream any more.
const (
	lingerTime   = 500 * time.Millisecond
	maxFinishing = 30 * time.Second
)

var (
	errSessionLost = fmt.Errorf("the session has ended: %w", io.ErrUnexpectedEOF)
	errFinished    = errors.New("another session took its place")
	errStreamFlood = errors.New("the peer opened too many streams")
	errNoAnswer    = errors.New("the peer does not answer keep-alives")
)

// A session is one authenticated connection with a peer.
type session struct {
	m       *Mesh
	at      slot
	peer    Peer
	link    link
	since   time.Time
	conn    net.Conn       // TLS
	mux     *yamux.Session // set before started is closed
	rtt     atomic.Int64   // nanoseconds
	streams atomic.Int64   // opened by the peer, not yet closed here

	started chan struct{} // closed when mux can be used
	retired chan struct{} // closed when another session took its place
	ending  chan struct{} // closed by end
	done    chan struct{} // closed when the session has left the tables
	once    struct{ retire, end sync.Once }
	reason  error // set before ending is closed
}

func (m *Mesh) newSession(conn net.Conn, p Peer, class Class, l link) *session {
	return &session{
		m: m, at: slot{p.Node, class}, peer: p, link: l, since: time.Now(), conn: conn,
		started: make(chan struct{}), retired: make(chan struct{}),
		ending: make(chan struct{}), done: make(chan struct{}),
	}
}

// end makes the session close. It does not wait; the first reason counts.
func (s *session) end(reason error) {
	s.once.end.Do(func() {
		s.reason = reason
		close(s.ending)
	})
}

// retire makes the session end when its streams have.
func (s *session) retire() { s.once.retire.Do(func() { close(s.retired) }) }

// run is the life of an enrolled session. An accepted one begins with the
// welcome, which the peer waits for; a dialled one has none to send.
func (s *session) run(welcome []byte) {
	defer close(s.done)
	defer s.m.forget(s)
	defer s.conn.Close()
	if err := s.start(welcome); err != nil {
		s.m.cfg.Logger.Info("session not started", s.attrs(slog.String("reason", plain(err)))...)
		return
	}
	s.m.recheck(s) // the roster may have changed since the handshake
	s.m.cfg.Logger.Info("session up", s.attrs(slog.Bool("dialled", s.link.dialled),
		slog.String("remote", s.conn.RemoteAddr().String()))...)
	var wg sync.WaitGroup
	wg.Go(s.acceptStreams)
	wg.Go(s.keepAlive)
	wg.Go(s.finish)
	<-s.ending
	s.mux.Close()
	wg.Wait()
	s.m.cfg.Logger.Info("session down", s.attrs(slog.String("reason", plain(s.reason)),
		slog.Duration("lasted", time.Since(s.since)))...)
}

func (s *session) attrs(more ...any) []any {
	return append([]any{slog.String("node", s.at.node), slog.String("class", s.at.class.String())}, more...)
}

func (s *session) start(welcome []byte) (err error) {
	if welcome != nil {
		if _, err := s.conn.Write(welcome); err != nil {
			return fmt.Errorf("send welcome: %w", err)
		}
	}
	if err := s.conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	guarded := &guardedConn{Conn: s.conn, idle: s.m.cfg.IdleTimeout}
	if s.link.dialled {
		s.mux, err = yamux.Client(guarded, s.muxConfig())
	} else {
		s.mux, err = yamux.Server(guarded, s.muxConfig())
	}
	if err != nil {
		return err
	}
	close(s.started)
	return nil
}

// muxConfig leaves keep-alives to the session, which wants the round trip, and
// streams that nobody accepts to the queues, which are bounded.
func (s *session) muxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = s.at.class.maxStreams()
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = s.m.cfg.IdleTimeout
	c.MaxStreamWindowSize = apiWindowBytes
	if s.at.class == ClassRaft {
		c.MaxStreamWindowSize = raftWindowBytes
	}
	c.StreamOpenTimeout = s.m.cfg.IdleTimeout // a peer takes a stream at once or not at all
	c.StreamCloseTimeout = time.Minute
	c.LogOutput = nil
	c.Logger = muxLogger{s.m.cfg.Logger.With(s.attrs()...)}
	return c
}

// acceptStreams moves the peer's streams to the queue of their class. It never
// waits for the queue: a stream that finds no room is closed at once.
func (s *session) acceptStreams() {
	for {
		st, err := s.mux.AcceptStream()
		if err != nil {
			s.end(err)
			return
		}
		limit := s.at.class.maxStreams()
		if s.mux.NumStreams() > 4*limit {
			s.end(errStreamFlood)
			return
		}
		stream := s.newStream(st, true)
		if s.streams.Add(1) > int64(limit) {
			s.refuse(stream, "the peer has too many streams open")
			continue
		}
		select {
		case s.m.inbound[s.at.class] <- stream:
		default:
			s.refuse(stream, "too many streams wait to be accepted")
		}
	}
}

func (s *session) refuse(stream *Stream, reason string) {
	stream.Close()
	if s.m.quiet.allow("stream " + s.at.node + " " + reason) {
		s.m.cfg.Logger.Warn("stream refused", s.attrs(slog.String("reason", reason))...)
	}
}

// acceptedPart is how much more rarely the side that accepted a session asks for a
// sign of life: only to know the round trip. The questions of the side that dialled
// are signs enough, and a voter is dialled by hundreds.
const acceptedPart = 12

// keepAlive makes sure that a live peer is never silent for longer than the
// idle timeout, and measures the round trip.
func (s *session) keepAlive() {
	interval := s.m.cfg.KeepAlive
	if !s.link.dialled {
		interval *= acceptedPart
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		rtt, err := s.mux.Ping()
		if err != nil {
			if !errors.Is(err, yamux.ErrSessionShutdown) {
				s.end(errNoAnswer)
			}
			return
		}
		s.rtt.Store(int64(rtt))
		select {
		case <-ticker.C:
		case <-s.mux.CloseChan():
			return
		}
	}
}

// finish ends a retired session once it has no streams, or after maxFinishing.
func (s *session) finish() {
	select {
	case <-s.retired:
	case <-s.mux.CloseChan():
		return
	}
	ticker := time.NewTicker(lingerTime)
	defer ticker.Stop()
	for began := time.Now(); ; {
		select {
		case <-ticker.C:
		case <-s.mux.CloseChan():
			return
		}
		if s.mux.NumStreams() == 0 || time.Since(began) >= maxFinishing {
			s.end(errFinished)
			return
		}
	}
}

// open opens a stream. yamux knows no contexts, so it does its part in a
// goroutine, whose stream is closed if it comes too late.
func (s *session) open(ctx context.Context) (*Stream, error) {
	select {
	case <-s.started:
	case <-s.done:
		return nil, errSessionLost
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type result struct {
		stream *yamux.Stream
		err    error
	}
	opened := make(chan result)
	s.m.wg.Go(func() {
		st, err := s.mux.OpenStream()
		select {
		case opened <- result{st, err}:
		case <-ctx.Done():
			if err == nil {
				st.Close()
			}
		}
	})
	select {
	case r := <-opened:
		if r.err != nil {
			return nil, fmt.Errorf("%w: %w", errSessionLost, r.err)
		}
		return s.newStream(r.stream, false), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
