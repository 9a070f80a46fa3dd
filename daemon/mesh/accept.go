package mesh

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// acceptPause is how long the listener rests when the system refuses it a
// connection, as it does when file descriptors run out.
const acceptPause = 100 * time.Millisecond

func (m *Mesh) acceptConns() {
	config := m.serverTLS()
	for {
		conn, err := m.listener.Accept()
		switch {
		case err == nil:
			m.takeConn(conn, config)
		case m.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			if m.quiet.allow("accept") {
				m.cfg.Logger.Error("cannot accept connections", slog.String("reason", err.Error()))
			}
			pause(m.ctx, acceptPause)
		}
	}
}

// pause waits for d, or for ctx to end.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// takeConn serves a connection if the caps leave room for it. A connection
// over a cap is closed before a byte is read: it costs next to nothing.
func (m *Mesh) takeConn(conn net.Conn, config *tls.Config) {
	host := hostOf(conn.RemoteAddr())
	if reason := m.reserve(host); reason != "" {
		conn.Close()
		if m.quiet.allow("cap " + host) {
			m.cfg.Logger.Warn("connection refused", slog.String("reason", reason), slog.String("remote", host))
		}
		return
	}
	m.wg.Go(func() {
		defer m.release(host)
		m.serveConn(conn, config)
	})
}

// reserve counts a connection, or says why there is no room for it.
func (m *Mesh) reserve(host string) (reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.conns >= m.cfg.MaxConns:
		return "too many connections"
	case m.perHost[host] >= m.cfg.MaxConnsPerAddress:
		return "too many connections from this address"
	}
	m.conns++
	m.perHost[host]++
	return ""
}

func (m *Mesh) release(host string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns--
	if m.perHost[host]--; m.perHost[host] == 0 {
		delete(m.perHost, host)
	}
}

// hostOf returns what the cap per address counts by: an IPv4 address, or the
// /64 that one IPv6 subscriber holds.
func hostOf(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := ap.Addr().Unmap()
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return prefix.String()
}

// serveConn turns an accepted connection into a session and runs it.
func (m *Mesh) serveConn(raw net.Conn, config *tls.Config) {
	s, welcome, err := m.receive(raw, config)
	if err != nil {
		raw.Close()
		m.logRefusal(raw.RemoteAddr(), err)
		return
	}
	s.run(welcome)
}

// receive does the accepting side's handshake: TLS, the peer's greeting, and
// the place among our sessions. The answer is left to the session.
func (m *Mesh) receive(raw net.Conn, config *tls.Config) (*session, []byte, error) {
	began := time.Now()
	if err := raw.SetDeadline(began.Add(m.cfg.HandshakeTimeout)); err != nil {
		return nil, nil, err
	}
	defer context.AfterFunc(m.ctx, func() { raw.Close() })()
	conn := tls.Server(raw, config)
	if err := conn.HandshakeContext(m.ctx); err != nil {
		return nil, nil, fmt.Errorf("handshake: %w", err)
	}
	p, class, err := m.established(conn)
	if err != nil {
		return nil, nil, err
	}
	g, err := readGreeting(conn)
	if err != nil {
		return nil, nil, err
	}
	s := m.newSession(conn, p, class, link{began: began, peer: g})
	own, err := m.enrol(s)
	switch {
	case errors.Is(err, errDuplicate):
		conn.Write(own.answer(answerDuplicate)) // if it is lost, the peer tries again
	case errors.Is(err, ErrTwin):
		conn.Write(own.answer(answerTwin)) // likewise
	}
	if err != nil {
		return nil, nil, err
	}
	return s, own.answer(answerWelcome), nil
}

// established names the peer and the class after a handshake.
func (m *Mesh) established(conn *tls.Conn) (Peer, Class, error) {
	cs := conn.ConnectionState()
	p, err := m.identify(cs)
	if err != nil {
		return Peer{}, 0, err
	}
	class, err := classOf(cs)
	return p, class, err
}
