package mesh

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// half opens n connections that say nothing.
func half(t *testing.T, m *Mesh, n int) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", m.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

func counted(m *Mesh) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conns
}

// ended waits until the other side has closed c.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); isTimeout(err) {
		t.Fatal("the connection is still open")
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

const flood = 2000

func TestHalfOpenFloodCostsLittle(t *testing.T) {
	w := newWorld(t, "a", "b")
	cfg := w.config("a")
	cfg.MaxConnsPerAddress = 2 * flood
	cfg.HandshakeTimeout = time.Hour // so that all are there at once
	a := start(t, cfg)
	before := inUse()
	half(t, a, flood)
	until(t, "all are taken", func() bool { return counted(a) == flood })
	if each := (inUse() - before) / flood; each > 20<<10 {
		t.Errorf("a half-open connection costs %d bytes, want at most 20 KiB", each)
	}
	b := w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	until(t, "a peer comes through the flood", func() bool { return len(b.Connected()) == 2 })
}

func TestHalfOpenFloodIsClearedAtTheDeadline(t *testing.T) {
	w := newWorld(t, "a")
	cfg := w.config("a")
	cfg.MaxConnsPerAddress = 2 * flood
	cfg.HandshakeTimeout = 300 * time.Millisecond
	a := start(t, cfg)
	for _, c := range half(t, a, flood) {
		ended(t, c)
	}
	until(t, "no connection counts", func() bool { return counted(a) == 0 })
}

// inUse returns the bytes of heap and stacks in use, both ends of the
// connections of a test included.
func inUse() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapInuse + s.StackInuse)
}

func TestOverACapTheOldestThatSaysNothingGivesWay(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Config)
		reason string
	}{
		"per address": {func(c *Config) { c.MaxConnsPerAddress = 8 }, "too many connections from this address"},
		"in all":      {func(c *Config) { c.MaxConns = 8 }, "too many connections"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a")
			var log logbook
			cfg := w.config("a")
			cfg.HandshakeTimeout = time.Hour // nothing but the cap can close them
			cfg.Logger = log.logger()
			tc.change(&cfg)
			a := start(t, cfg)
			conns := half(t, a, 8)
			until(t, "eight are taken", func() bool { return counted(a) == 8 })
			later := half(t, a, 20)
			for _, c := range append(conns, later[:12]...) {
				ended(t, c)
			}
			conns = later[12:]
			if got := counted(a); got != 8 {
				t.Errorf("%d connections count, want 8", got)
			}
			if got := strings.Count(log.String(), `reason="`+tc.reason+`"`); got != 1 {
				t.Errorf("logged %d times, want once a minute:\n%s", got, log.String())
			}
			conns[0].Close()
			until(t, "the place of a closed one is free", func() bool { return counted(a) == 7 })
		})
	}
}

// from dials from an address of the loopback network, and sends the first bytes of
// a handshake, or none.
func from(t *testing.T, m *Mesh, host string, first []byte) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	c, err := d.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, _ = c.Write(first) // it may have given way already
}

// TestAFloodStopsNoSession fills both caps, over and over, with connections that
// say nothing, or begin a handshake and stop: from forty addresses, one of which
// is that of two honest nodes.
func TestAFloodStopsNoSession(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	cfg := w.config("a")
	cfg.MaxConns, cfg.HandshakeTimeout = 500, time.Hour // nothing but the caps ends them
	a, b := start(t, cfg), w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	until(t, "b has its sessions", func() bool { return len(b.Connected()) == 2 })
	before := b.Connected()
	for class := range classCount {
		echo(t, a, class)
	}
	for i := range 3000 {
		from(t, a, fmt.Sprintf("127.0.0.%d", 1+i%40), []byte("\x16\x03\x01\x02\x00")[:i%6])
	}
	ask(t, b, "a", ClassRaft, "through the flood")
	c := w.start(t, "c")
	c.SetPeers([]Target{target(a)})
	ask(t, c, "a", ClassAPI, "from a newcomer")
	if after := b.Connected(); len(after) != 2 || !after[0].Since.Equal(before[0].Since) || !after[1].Since.Equal(before[1].Since) {
		t.Errorf("sessions before %v, after %v: want the same", before, after)
	}
	if got := counted(a); got > cfg.MaxConns {
		t.Errorf("%d connections count, at most %d may", got, cfg.MaxConns)
	}
}

func TestAConnectionThatIsKnownGivesWayToNone(t *testing.T) {
	w := newWorld(t, "a", "b")
	cfg := w.config("a")
	cfg.MaxConnsPerAddress = 2
	a, b := start(t, cfg), w.start(t, "b")
	b.SetPeers([]Target{target(a)})
	until(t, "b has its sessions", func() bool { return len(b.Connected()) == 2 })
	for _, c := range half(t, a, 10) {
		ended(t, c)
	}
	if got := len(b.Connected()); got != 2 {
		t.Errorf("%d sessions are left, want 2", got)
	}
}

func TestCapPerAddressCountsSubscribers(t *testing.T) {
	for name, tc := range map[string]struct{ addr, want string }{
		"an IPv4 address":                     {"192.0.2.7:1000", "192.0.2.7"},
		"an IPv4 address in an IPv6 socket":   {"[::ffff:192.0.2.7]:1000", "192.0.2.7"},
		"the /64 of an IPv6 address":          {"[2001:db8:1:2:3:4:5:6]:1000", "2001:db8:1:2::/64"},
		"the /64 of an address with its zone": {"[fe80::1%eth0]:1000", "fe80::/64"},
		"what it cannot read, as it is":       {"node", "node"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hostOf(Addr(tc.addr)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestConnectionThatStopsAfterTLSIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	cfg := w.config("a")
	cfg.HandshakeTimeout = 300 * time.Millisecond
	a := start(t, cfg)
	bcfg := w.config("b")
	bcfg.Listen = ""
	b := start(t, bcfg)
	raw, err := net.Dial("tcp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	conn := tlsClient(t, b, raw, "a")
	if _, err := conn.Write([]byte{1, 2, 3}); err != nil { // less than a greeting
		t.Fatal(err)
	}
	ended(t, conn)
	until(t, "its place is free", func() bool { return counted(a) == 0 })
}

// A tiredListener fails once, as when file descriptors run out.
type tiredListener struct {
	net.Listener
	failed bool
}

func (l *tiredListener) Accept() (net.Conn, error) {
	if !l.failed {
		l.failed = true
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestListenerSurvivesAShortageOfTheSystem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	var log logbook
	cfg := w.config("a")
	cfg.Listen, cfg.Logger = "", log.logger()
	a, b := start(t, cfg), w.start(t, "b")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.listener = &tiredListener{Listener: ln}
	a.wg.Go(a.acceptConns)
	b.SetPeers([]Target{target(a)})
	until(t, "b is connected", func() bool { return len(b.Connected()) == 2 })
	if !strings.Contains(log.String(), "too many open files") {
		t.Errorf("the shortage is not in the log:\n%s", log.String())
	}
}
