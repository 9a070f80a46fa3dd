package consensus

import (
	"context"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// held reports whether one of two nodes is paused, and returns a channel that
// is closed when that may have changed.
func (s *sim) held(a, b string) (bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused[a] || s.paused[b], s.changed
}

func (s *sim) lateness(id string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slow[id]
}

// await returns once neither of two nodes is paused, or false when the context
// ends.
func (s *sim) await(ctx context.Context, a, b string) bool {
	for {
		held, changed := s.held(a, b)
		if !held {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// simStreams are a node's streams, held back while an end is paused.
type simStreams struct {
	inner *memStreams
	s     *sim
	self  string
}

func (p *simStreams) Dial(ctx context.Context, node string) (net.Conn, error) {
	if !p.s.await(ctx, p.self, node) {
		return nil, ctx.Err()
	}
	c, err := p.inner.Dial(ctx, node)
	if err != nil {
		return nil, err
	}
	return newSimConn(p.s, c), nil
}

func (p *simStreams) Listener() net.Listener { return &simListener{p.inner.Listener(), p.s} }

type simListener struct {
	net.Listener
	s *sim
}

func (l *simListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newSimConn(l.s, c), nil
}

type simConn struct {
	net.Conn
	s      *sim
	once   sync.Once
	closed chan struct{}

	mu       sync.Mutex
	deadline time.Time // of writes
}

func newSimConn(s *sim, c net.Conn) *simConn {
	return &simConn{Conn: c, s: s, closed: make(chan struct{})}
}

func (c *simConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	return c.Conn.SetDeadline(t)
}

// Write waits while an end is paused, until the deadline at the longest, and as
// long as its node is slow.
func (c *simConn) Write(b []byte) (int, error) {
	if late := c.s.lateness(c.LocalAddr().String()); late > 0 {
		select {
		case <-time.After(late):
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		late = t.C
	}
	for {
		held, changed := c.s.held(c.LocalAddr().String(), c.RemoteAddr().String())
		if !held {
			return c.Conn.Write(b)
		}
		select {
		case <-changed:
		case <-c.closed:
			return 0, net.ErrClosed
		case <-late:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (c *simConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// simPeers are a node's questions to others, held back while an end is paused,
// with a witness of what is answered.
type simPeers struct {
	inner *memPeers
	s     *sim
	self  string
}

// through asks a node; a question and its answer each pass the pauses.
func through[T any](ctx context.Context, p *simPeers, node string, ask func() (T, error)) (T, error) {
	var none T
	if !p.s.await(ctx, p.self, node) {
		return none, ctx.Err()
	}
	answer, err := ask()
	if !p.s.await(ctx, p.self, node) {
		return none, ctx.Err()
	}
	return answer, err
}

func (p *simPeers) Submit(ctx context.Context, node string, raw []byte) (Outcome, error) {
	return through(ctx, p, node, func() (Outcome, error) { return p.inner.Submit(ctx, node, raw) })
}

func (p *simPeers) Cosign(ctx context.Context, node string, pr Proposal) ([]tlog.NoteSignature, error) {
	return through(ctx, p, node, func() ([]tlog.NoteSignature, error) {
		sigs, err := p.inner.Cosign(ctx, node, pr)
		if err == nil {
			p.s.cosigned(node, pr.Checkpoint)
		}
		return sigs, err
	})
}

func (p *simPeers) Announce(ctx context.Context, node string, note []byte) error {
	p.s.noted(p.self, note)
	_, err := through(ctx, p, node, func() (struct{}, error) { return struct{}{}, p.inner.Announce(ctx, node, note) })
	return err
}

func (p *simPeers) Checkpoint(ctx context.Context, node string, size uint64) ([]byte, error) {
	return through(ctx, p, node, func() ([]byte, error) {
		honest := p.s.lying() != node // a lie that was under way may come after its end
		note, err := p.inner.Checkpoint(ctx, node, size)
		if err == nil && honest && p.s.lying() != node {
			p.s.noted(node, note)
		}
		return note, err
	})
}

func (p *simPeers) Envelopes(ctx context.Context, node string, from uint64) ([]Pulled, error) {
	if slices.Contains(p.s.voters, p.self) {
		p.s.seen.fills.Add(1)
	}
	return through(ctx, p, node, func() ([]Pulled, error) {
		honest, through := p.s.lying() != node, p.s.through(node)
		pulled, err := p.inner.Envelopes(ctx, node, from)
		if err == nil && honest && p.s.lying() != node {
			p.s.seen.served(from, pulled)
			p.s.wantErasedLeftOut(node, through, from, pulled)
		}
		return pulled, err
	})
}

func (p *simPeers) Salts(ctx context.Context, node string, from uint64) ([][]byte, error) {
	return through(ctx, p, node, func() ([][]byte, error) { return p.inner.Salts(ctx, node, from) })
}

func (p *simPeers) Lengths(ctx context.Context, node string, envelopes uint64) (ledger.Lengths, error) {
	return through(ctx, p, node, func() (ledger.Lengths, error) { return p.inner.Lengths(ctx, node, envelopes) })
}
