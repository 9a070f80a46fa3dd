package mesh

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of the tests; none comes near it unless it fails.
const patience = 10 * time.Second

// A world is the roster that the meshes of a test share.
type world struct {
	mu    sync.Mutex
	nodes map[[32]byte]string
	keys  map[string]ed25519.PrivateKey
}

func newWorld(t *testing.T, nodes ...string) *world {
	t.Helper()
	w := &world{nodes: map[[32]byte]string{}, keys: map[string]ed25519.PrivateKey{}}
	for _, n := range nodes {
		w.keys[n] = newKey(t)
		w.enter(t, n, w.keys[n])
	}
	return w
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func idOf(t *testing.T, key ed25519.PrivateKey) [32]byte {
	t.Helper()
	id, err := keyID(key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (w *world) enter(t *testing.T, node string, key ed25519.PrivateKey) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[idOf(t, key)] = node
}

func (w *world) strike(t *testing.T, key ed25519.PrivateKey) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.nodes, idOf(t, key))
}

func (w *world) lookup(id [32]byte) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, ok := w.nodes[id]
	return n, ok
}

// config is that of a node that listens; tests change what they are about.
func (w *world) config(node string) Config {
	return Config{
		Self: node, Key: w.keys[node], Lookup: w.lookup, Listen: "127.0.0.1:0",
		KeepAlive: time.Second, IdleTimeout: 5 * time.Second,
	}
}

func start(t *testing.T, cfg Config) *Mesh {
	t.Helper()
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close %s: %v", cfg.Self, err)
		}
	})
	return m
}

func (w *world) start(t *testing.T, node string) *Mesh {
	t.Helper()
	return start(t, w.config(node))
}

func target(m *Mesh) Target {
	return Target{Node: m.cfg.Self, Addresses: []string{m.Addr().String()}}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until waits for a condition that nothing announces.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// echo answers every stream of a class with its own bytes until m closes.
func echo(t *testing.T, m *Mesh, class Class) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			s, err := m.Accept(class)
			if err != nil {
				return
			}
			wg.Go(func() {
				defer s.Close()
				_, _ = io.Copy(s, s) // the asking side checks what comes back
			})
		}
	})
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { m.Close() })
}

// ask sends text over a new stream to an echoing node and checks the answer.
func ask(t *testing.T, m *Mesh, node string, class Class, text string) {
	t.Helper()
	c, err := m.Dial(soon(t), node, class)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if string(got) != text {
		t.Fatalf("echo of %q: %q", text, got)
	}
}

// A proxy stands between two nodes, so that a test can take the wire away
// without either operating system noticing.
type proxy struct {
	ln     net.Listener
	mu     sync.Mutex
	frozen bool
	conns  []net.Conn
	wg     sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln}
	t.Cleanup(p.close)
	p.wg.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, in, out)
			p.mu.Unlock()
			p.wg.Go(func() { p.carry(in, out) })
			p.wg.Go(func() { p.carry(out, in) })
		}
	})
	return p
}

// carry copies until the source ends; a frozen proxy swallows everything, the
// ends of connections too.
func (p *proxy) carry(to, from net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen && err == nil {
			continue
		}
		if frozen {
			return
		}
		if err != nil {
			to.Close()
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) addr() string { return p.ln.Addr().String() }

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = true
}

func (p *proxy) close() {
	p.ln.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// A logbook keeps what is logged.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
