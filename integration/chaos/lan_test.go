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

// pair is a LAN of two: node 0 sends back what node 1 sends.
type pair struct {
	*LAN
	t       *testing.T
	address string
}

func newPair(t *testing.T) *pair {
	needsWorld(t)
	lan, err := NewLAN(2)
	must(t, err)
	var l net.Listener
	must(t, lan.In(0, func() (err error) {
		l, err = net.Listen("tcp4", net.JoinHostPort(lan.Address(0).String(), "0"))
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
	t.Cleanup(func() { must(t, errors.Join(l.Close(), lan.Close())) })
	return &pair{lan, t, l.Addr().String()}
}

// dial connects node 1 to node 0.
func (p *pair) dial(within time.Duration) (conn net.Conn, err error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	err = p.In(1, func() error {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp4", p.address)
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
