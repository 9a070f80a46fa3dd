package mesh

import (
	"net"
	"sync/atomic"
)

// traffic counts the bytes of all connections with other nodes, as TCP carries
// them: TLS and sessions included, its own headers not.
type traffic struct{ received, sent atomic.Uint64 }

// countedConn is a connection whose bytes are counted.
type countedConn struct {
	net.Conn
	of *traffic
}

func (t *traffic) count(conn net.Conn) net.Conn { return countedConn{conn, t} }

// Read counts what it reads.
func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.of.received.Add(uint64(max(n, 0)))
	return n, err
}

// Write counts what it writes.
func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.of.sent.Add(uint64(max(n, 0)))
	return n, err
}

// Traffic returns the bytes received from other nodes and sent to them since the
// start, refused connections included.
func (m *Mesh) Traffic() (received, sent uint64) {
	return m.traffic.received.Load(), m.traffic.sent.Load()
}
