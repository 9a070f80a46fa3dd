package chaos

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needsWorld fails or skips a test that cannot break anything here.
func needsWorld(t *testing.T) {
	t.Helper()
	missing := strings.Join(Missing(), ", ")
	switch {
	case missing == "":
	case os.Getenv("RARESYNC_REQUIRE_ROOT") == "1":
		t.Fatalf("needs %s", missing)
	default:
		t.Skipf("nothing was tried: this needs %s", missing)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tooLong is how long a connection may take on a good link, however slow the
// machine, and short how long a dead one is tried.
const (
	tooLong = 30 * time.Second
	short   = 300 * time.Millisecond
)

// pair is a LAN whose node 0 sends back what node 1 sends; the last node is
// for tests that want a third.
type pair struct {
	*LAN
	t       *testing.T
	address string
}

func newPair(t *testing.T) *pair {
	needsWorld(t)
	lan, err := NewLAN(3)
	must(t, err)
	t.Cleanup(func() { must(t, lan.Close()) })
	p := &pair{lan, t, ""}
	p.address = p.echoAt(0)
	return p
}

// echoAt has a node send back what it is sent, and returns its address there.
func (p *pair) echoAt(node int) string {
	p.t.Helper()
	var l net.Listener
	must(p.t, p.In(node, func() (err error) {
		l, err = net.Listen("tcp4", "0.0.0.0:0")
		return err
	}))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	p.t.Cleanup(func() { must(p.t, l.Close()) })
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(p.t, err)
	return net.JoinHostPort(p.Address(node).String(), port)
}

// dial connects node 1 to node 0.
func (p *pair) dial(within time.Duration) (net.Conn, error) { return p.dialFrom(1, p.address, within) }

func (p *pair) dialFrom(node int, address string, within time.Duration) (conn net.Conn, err error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	err = p.In(node, func() error {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp4", address)
		return err
	})
	return conn, err
}

// echo sends a word over a connection and waits for it to come back.
func (p *pair) echo(conn net.Conn, within time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("word")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 4))
	return err
}

func (p *pair) connect() net.Conn {
	p.t.Helper()
	conn, err := p.dial(tooLong)
	must(p.t, err)
	p.t.Cleanup(func() { _ = conn.Close() })
	must(p.t, p.echo(conn, tooLong))
	return conn
}

func TestLinkThatIsCutLetsNothingThroughUntilItIsMended(t *testing.T) {
	for name, set := range map[string]func(p *pair, l Link){
		"both ways":            func(p *pair, l Link) { p.Link(0, 1, l); p.Link(1, 0, l) },
		"only the way there":   func(p *pair, l Link) { p.Link(1, 0, l) },
		"only the way back":    func(p *pair, l Link) { p.Link(0, 1, l) },
		"a loss of everything": func(p *pair, l Link) { l.Loss, l.Cut = 1, false; p.Link(1, 0, l) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			conn := p.connect()
			set(p, Link{Cut: true})
			if err := p.echo(conn, short); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("an old connection says %v, want nothing", err)
			}
			if _, err := p.dial(short); err == nil {
				t.Error("a new connection came about")
			}
			p.Link(0, 1, Link{})
			p.Link(1, 0, Link{})
			p.connect()
		})
	}
}

func TestDelayIsAddedToEveryRoundTrip(t *testing.T) {
	p := newPair(t)
	conn := p.connect()
	const there, back = 40 * time.Millisecond, 20 * time.Millisecond
	p.Link(1, 0, Link{Delay: there})
	p.Link(0, 1, Link{Delay: back, Jitter: time.Millisecond})
	began := time.Now()
	must(t, p.echo(conn, tooLong))
	if took := time.Since(began); took < there+back {
		t.Errorf("there and back in %v, want at least %v", took, there+back)
	}
}

func TestResetBreaksConnectionsAndRefusesNewOnes(t *testing.T) {
	p := newPair(t)
	conn := p.connect()
	must(t, p.Reset(0))
	if err := p.echo(conn, tooLong); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("an old connection says %v, want a reset", err)
	}
	if _, err := p.dial(tooLong); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection says %v, want a refusal", err)
	}
	must(t, p.Mend(0))
	p.connect()
}

func TestAHiddenNodeReachesOthersAndIsNotReached(t *testing.T) {
	p := newPair(t)
	must(t, p.Hide(1))
	hidden := p.echoAt(1)
	p.connect() // from behind the router
	for what, address := range map[string]string{"the router": hidden, "the node": strings.Replace(hidden, p.Address(1).String(), "10.78.0.2", 1)} {
		if _, err := p.dialFrom(2, address, short); err == nil {
			t.Errorf("%s was reached from outside", what)
		}
	}
	conn, err := p.dialFrom(2, p.address, tooLong)
	must(t, err)
	must(t, errors.Join(p.echo(conn, tooLong), conn.Close()))
}

func TestAFencedNodeSpeaksToItsGateAlone(t *testing.T) {
	p := newPair(t)
	gate, fenced := p.echoAt(2), p.echoAt(1)
	must(t, p.Fence(1, 2))
	conn, err := p.dialFrom(1, gate, tooLong)
	must(t, err)
	must(t, errors.Join(p.echo(conn, tooLong), conn.Close()))
	if _, err := p.dial(short); err == nil {
		t.Error("it reached another")
	}
	if _, err := p.dialFrom(2, fenced, short); err == nil {
		t.Error("its gate reached it")
	}
}

func TestLossIsAShareOfTheFrames(t *testing.T) {
	var ports []*os.File
	for range 3 {
		port, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		must(t, err)
		ports = append(ports, port)
	}
	e := newEthernet(ports)
	defer e.close()
	const sent = 1000
	frame := make([]byte, 60)
	frame[6] = 2 // the sender; its receiver was not seen, so it goes to both others
	e.set(0, 1, Link{Loss: 0.5})
	for range sent {
		e.forward(0, frame)
	}
	if got := e.carried() - sent; got < sent*2/5 || got > sent*3/5 {
		t.Errorf("%d of %d frames went over the lossy link, want about a half", got, sent)
	}
}
