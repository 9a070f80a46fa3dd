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
			m.takeConn(m.traffic.count(conn), config)
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

// takeConn serves a connection if the caps leave room for it. Over a cap, the
// oldest connection gives way that has not shown yet who it is; if all have, the
// new one is closed before a byte is read: it costs next to nothing.
func (m *Mesh) takeConn(conn net.Conn, config *tls.Config) {
	c := &accepted{raw: conn, host: hostOf(conn.RemoteAddr())}
	taken, reason := m.reserve(c)
	if reason != "" && m.quiet.allow("cap "+c.host) {
		m.cfg.Logger.Warn("connection refused", slog.String("reason", reason), slog.String("remote", c.host))
	}
	if !taken {
		conn.Close()
		return
	}
	m.wg.Go(func() {
		defer m.release(c)
		m.serveConn(c, config)
	})
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
func (m *Mesh) serveConn(c *accepted, config *tls.Config) {
	raw := c.raw
	s, welcome, err := m.receive(c, config)
	if err != nil {
		raw.Close()
		m.logRefusal(raw.RemoteAddr(), err)
		return
	}
	if s == nil { // a guest, which was answered
		return
	}
	s.run(welcome)
}

// receive does the accepting side's handshake: TLS, the peer's greeting, and
// the place among our sessions. The answer is left to the session. A guest gets
// none: there is no session then.
func (m *Mesh) receive(c *accepted, config *tls.Config) (*session, []byte, error) {
	began, raw := time.Now(), c.raw
	if err := raw.SetDeadline(began.Add(m.cfg.HandshakeTimeout)); err != nil {
		return nil, nil, err
	}
	defer context.AfterFunc(m.ctx, func() { raw.Close() })()
	conn := tls.Server(raw, config)
	if err := conn.HandshakeContext(m.ctx); err != nil {
		return nil, nil, fmt.Errorf("handshake: %w", err)
	}
	if isGuest(conn.ConnectionState()) {
		m.serveGuest(conn)
		return nil, nil, nil
	}
	p, class, err := m.established(conn)
	if err != nil {
		return nil, nil, err
	}
	m.known(c)
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
