package mesh

import (
	"container/list"
	"net"
)

// accepted is a connection that counts for the caps.
type accepted struct {
	raw  net.Conn
	host string // what the cap per address counts by

	waits   *list.Element // in Mesh.waiting, nil once it is known who it is; guarded by Mesh.mu, as below
	counted bool
}

// reserve counts a connection, in the place of an older one if need be. The
// reason says which cap was reached, also where a place was made.
func (m *Mesh) reserve(c *accepted) (taken bool, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.perHost[c.host] >= m.cfg.MaxConnsPerAddress:
		reason = "too many connections from this address"
	case m.conns >= m.cfg.MaxConns:
		reason = "too many connections"
	}
	if reason != "" && !m.makeRoom(c.host) {
		return false, reason
	}
	c.counted = true
	c.waits = m.waiting.PushBack(c)
	m.conns++
	m.perHost[c.host]++
	return true, reason
}

// makeRoom ends the oldest connection of whose peer nothing is known: of the same
// address if its cap is reached, else of any. A flood so drives out itself: a
// node's handshake takes a few round trips, and stays in the queue longer than
// that unless it moves more than MaxConns of them a second. It needs mu.
func (m *Mesh) makeRoom(host string) bool {
	full := m.perHost[host] >= m.cfg.MaxConnsPerAddress
	for e := m.waiting.Front(); e != nil; e = e.Next() {
		if old := e.Value.(*accepted); !full || old.host == host {
			m.uncount(old)
			old.raw.Close()
			return true
		}
	}
	return false
}

// known says that a connection's peer has shown a key of the roster: it does not
// give way to others any more.
func (m *Mesh) known(c *accepted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle(c)
}

// settle needs mu.
func (m *Mesh) settle(c *accepted) {
	if c.waits != nil {
		m.waiting.Remove(c.waits)
		c.waits = nil
	}
}

func (m *Mesh) release(c *accepted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uncount(c)
}

// uncount needs mu.
func (m *Mesh) uncount(c *accepted) {
	m.settle(c)
	if !c.counted {
		return
	}
	c.counted = false
	m.conns--
	if m.perHost[c.host]--; m.perHost[c.host] == 0 {
		delete(m.perHost, c.host)
	}
}
