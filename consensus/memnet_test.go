package consensus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

var errCut = errors.New("link is cut")

// memnet is a network in memory: streams are pipes, peers' questions are
// method calls. Links can be cut, and answers bent on the way.
type memnet struct {
	mu        sync.Mutex
	running   map[string]*Node
	listeners map[string]*memListener
	cut       map[[2]string]bool
	liars     map[string]*liar // by the node that answers
	conns     []*memConn
	changed   chan struct{} // closed and replaced when a link or a node changes
}

// liar bends what a node answers, per question; nil answers truly.
type liar struct {
	envelopes  func(from uint64, p []Pulled) []Pulled
	salts      func(from uint64, s [][]byte) [][]byte
	lengths    func(ledger.Lengths) ledger.Lengths
	checkpoint func(note []byte) []byte
	cosign     func(Proposal, []tlog.NoteSignature, error) ([]tlog.NoteSignature, error)
	announce   func(note []byte) error
}

func newMemnet() *memnet {
	return &memnet{
		running: map[string]*Node{}, listeners: map[string]*memListener{}, cut: map[[2]string]bool{},
		liars: map[string]*liar{}, changed: make(chan struct{}),
	}
}

func pair(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

func (m *memnet) broadcast() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// setCut cuts or mends the links between a node and others.
func (m *memnet) setCut(cut bool, node string, others ...string) {
	m.mu.Lock()
	var closing []*memConn
	for _, other := range others {
		if m.cut[pair(node, other)] = cut; !cut {
			continue
		}
		m.conns = slices.DeleteFunc(m.conns, func(c *memConn) bool {
			hit := pair(c.self, c.peer) == pair(node, other)
			if hit {
				closing = append(closing, c)
			}
			return hit
		})
	}
	m.broadcast()
	m.mu.Unlock()
	for _, c := range closing {
		_ = c.Conn.Close() // a pipe's Close has no error
	}
}

func (m *memnet) started(id string, n *Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running[id] = n
	m.broadcast()
}

func (m *memnet) stopped(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.running, id)
	m.broadcast()
}

func (m *memnet) lie(id string, l *liar) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.liars[id] = l
}

func (m *memnet) listen(id string) *memListener {
	l := &memListener{net: m, id: id, queue: make(chan net.Conn), done: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listeners[id] = l
	m.broadcast()
	return l
}

type memListener struct {
	net   *memnet
	id    string
	queue chan net.Conn
	close sync.Once
	done  chan struct{}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

func (l *memListener) Addr() net.Addr { return nodeAddr(l.id) }

type memConn struct {
	net.Conn
	self, peer string
}

func (c *memConn) RemoteAddr() net.Addr { return nodeAddr(c.peer) }
func (c *memConn) LocalAddr() net.Addr  { return nodeAddr(c.self) }

// memStreams are one node's streams.
type memStreams struct {
	net      *memnet
	self     string
	listener *memListener
}

func (s *memStreams) Listener() net.Listener { return s.listener }

func (s *memStreams) Dial(ctx context.Context, node string) (net.Conn, error) {
	for {
		s.net.mu.Lock()
		l, changed, cut := s.net.listeners[node], s.net.changed, s.net.cut[pair(s.self, node)]
		s.net.mu.Unlock()
		var gone <-chan struct{}
		if l != nil {
			gone = l.done
		}
		if l != nil && !cut {
			select {
			case <-gone:
			default:
				return s.connect(ctx, l)
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("dial %s: %w", node, ctx.Err())
		case <-changed:
		}
	}
}

func (s *memStreams) connect(ctx context.Context, l *memListener) (net.Conn, error) {
	here, there := net.Pipe()
	mine, theirs := &memConn{here, s.self, l.id}, &memConn{there, l.id, s.self}
	s.net.mu.Lock()
	s.net.conns = append(s.net.conns, mine, theirs)
	s.net.mu.Unlock()
	select {
	case l.queue <- theirs:
		return mine, nil
	case <-l.done:
	case <-ctx.Done():
	}
	return nil, errors.Join(errCut, here.Close(), there.Close())
}

// memPeers asks the other nodes for one node.
type memPeers struct {
	net  *memnet
	self string
}

// reach returns a node that runs and is linked, with a context that ends when
// it no longer is.
func (p *memPeers) reach(ctx context.Context, node string) (*Node, *liar, context.Context, context.CancelFunc, error) {
	ctx, cancel := context.WithCancel(ctx)
	n, l, changed, err := p.lookup(node)
	if err != nil {
		cancel()
		return nil, nil, nil, nil, err
	}
	go func() {
		for err == nil {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			_, _, changed, err = p.lookup(node)
		}
		cancel()
	}()
	return n, l, ctx, cancel, nil
}

func (p *memPeers) lookup(node string) (*Node, *liar, <-chan struct{}, error) {
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	n := p.net.running[node]
	if n == nil || p.net.cut[pair(p.self, node)] {
		return nil, nil, nil, fmt.Errorf("%s to %s: %w", p.self, node, errCut)
	}
	l := p.net.liars[node]
	if l == nil {
		l = &liar{}
	}
	return n, l, p.net.changed, nil
}

func (p *memPeers) Submit(ctx context.Context, node string, raw []byte) (Outcome, error) {
	n, _, ctx, cancel, err := p.reach(ctx, node)
	if err != nil {
		return Outcome{}, err
	}
	defer cancel()
	return n.HandleSubmit(ctx, p.self, raw)
}

func (p *memPeers) Cosign(ctx context.Context, node string, pr Proposal) ([]tlog.NoteSignature, error) {
	n, l, ctx, cancel, err := p.reach(ctx, node)
	if err != nil {
		return nil, err
	}
	defer cancel()
	sigs, err := n.HandleCosign(ctx, pr)
	if l.cosign != nil {
		return l.cosign(pr, sigs, err)
	}
	return sigs, err
}

func (p *memPeers) Announce(ctx context.Context, node string, note []byte) error {
	n, l, _, cancel, err := p.reach(ctx, node)
	if err != nil {
		return err
	}
	defer cancel()
	if l.announce != nil {
		return l.announce(note)
	}
	return n.HandleAnnounce(note)
}

func (p *memPeers) Checkpoint(ctx context.Context, node string, size uint64) ([]byte, error) {
	n, l, ctx, cancel, err := p.reach(ctx, node)
	if err != nil {
		return nil, err
	}
	defer cancel()
	note, err := n.HandleCheckpoint(ctx, size)
	if err == nil && l.checkpoint != nil {
		note = l.checkpoint(note)
	}
	return note, err
}

func (p *memPeers) Envelopes(ctx context.Context, node string, from uint64) ([]Pulled, error) {
	n, l, _, cancel, err := p.reach(ctx, node)
	if err != nil {
		return nil, err
	}
	defer cancel()
	pulled, err := n.HandleEnvelopes(from)
	if err == nil && l.envelopes != nil {
		pulled = l.envelopes(from, pulled)
	}
	return pulled, err
}

func (p *memPeers) Salts(ctx context.Context, node string, from uint64) ([][]byte, error) {
	n, l, _, cancel, err := p.reach(ctx, node)
	if err != nil {
		return nil, err
	}
	defer cancel()
	salts, err := n.HandleSalts(from)
	if err == nil && l.salts != nil {
		salts = l.salts(from, salts)
	}
	return salts, err
}

func (p *memPeers) Lengths(ctx context.Context, node string, envelopes uint64) (ledger.Lengths, error) {
	n, l, _, cancel, err := p.reach(ctx, node)
	if err != nil {
		return ledger.Lengths{}, err
	}
	defer cancel()
	at, err := n.HandleLengths(envelopes)
	if err == nil && l.lengths != nil {
		at = l.lengths(at)
	}
	return at, err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
