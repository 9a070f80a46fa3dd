package mesh

import (
	"encoding/binary"
	"errors"
	"net"
	"time"
)

// A guardedConn stands between TLS and yamux. A read or a write that gets
// nowhere for the idle time fails, and with it the session. Keep-alives are
// counted, because yamux starts a goroutine for each one it answers.
type guardedConn struct {
	net.Conn
	idle   time.Duration
	frames pingCounter // used by Read only
}

func (c *guardedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if err != nil {
		return n, err
	}
	return n, c.frames.feed(b[:n], time.Now())
}

func (c *guardedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

var errPingFlood = errors.New("the peer sent too many keep-alives")

// A pingCounter follows the frames of a yamux connection (its specification,
// "Framing": 12 bytes of version, type, flags, stream and length) and refuses
// more than maxPings keep-alives in a second.
type pingCounter struct {
	head  [12]byte
	have  int    // bytes of head
	body  uint32 // bytes of data still to come
	pings int    // since
	since time.Time
}

const (
	maxPings  = 64
	frameData = 0
	framePing = 2
)

// feed takes the next bytes received.
func (p *pingCounter) feed(b []byte, now time.Time) error {
	for len(b) > 0 {
		if p.body > 0 {
			n := min(p.body, uint32(len(b)))
			p.body -= n
			b = b[n:]
			continue
		}
		n := copy(p.head[p.have:], b)
		p.have += n
		b = b[n:]
		if p.have < len(p.head) {
			return nil
		}
		p.have = 0
		if err := p.frame(now); err != nil {
			return err
		}
	}
	return nil
}

func (p *pingCounter) frame(now time.Time) error {
	switch p.head[1] {
	case frameData:
		p.body = binary.BigEndian.Uint32(p.head[8:])
	case framePing:
		if now.Sub(p.since) >= time.Second {
			p.since, p.pings = now, 0
		}
		if p.pings++; p.pings > maxPings {
			return errPingFlood
		}
	}
	return nil
}
