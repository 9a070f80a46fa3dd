package consensus

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
)

// streamLayer gives Raft the streams between voters. It accepts only from
// nodes in the current Raft configuration: a stranger with a higher term could
// otherwise cut an applied log (reproduced, docs/DECISIONS.md).
type streamLayer struct {
	n     *Node
	open  chan struct{} // closed once NewRaft has returned
	ended chan string   // node ids, as streams with them end

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex
	conns  map[*stream]struct{}
	said   map[string]time.Time // when a peer's streams were last said to be refused
}

// endedKept is how many ends of streams wait to be looked at.
const endedKept = 64

var errShutdown = errors.New("node is shutting down")

func newStreamLayer(n *Node) *streamLayer {
	s := &streamLayer{n: n, open: make(chan struct{}), ended: make(chan string, endedKept), conns: map[*stream]struct{}{}, said: map[string]time.Time{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// stream is a connection that Close of the layer ends: Raft leaves its own
// open and would wait for answers on them.
type stream struct {
	net.Conn
	layer *streamLayer
	peer  string // node id
}

func (s *stream) Close() error {
	s.layer.mu.Lock()
	delete(s.layer.conns, s)
	s.layer.mu.Unlock()
	select {
	case s.layer.ended <- s.peer:
	default: // enough is to be looked at
	}
	return s.Conn.Close()
}

func (s *streamLayer) track(conn net.Conn, peer string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, errors.Join(errShutdown, conn.Close())
	}
	t := &stream{conn, s, peer}
	s.conns[t] = struct{}{}
	return t, nil
}

// Accept returns the next stream from a voter. Until NewRaft has returned no
// stream is taken: Raft's own start reads the log unguarded.
func (s *streamLayer) Accept() (net.Conn, error) {
	select {
	case <-s.open:
	case <-s.ctx.Done():
		return nil, errShutdown
	}
	for {
		conn, err := s.n.cfg.Streams.Listener().Accept()
		if err != nil {
			return nil, err
		}
		peer := conn.RemoteAddr().String()
		if s.n.inConfiguration(peer) || fault.Planted(fault.StreamsFromAnyone) {
			return s.track(conn, peer)
		}
		s.refused(peer)
		_ = conn.Close() // refused either way
	}
}

// refusedRepeat is how often the log says that a peer's streams are refused.
const refusedRepeat = time.Minute

func (s *streamLayer) refused(peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.said[peer]) > refusedRepeat && len(s.said) < endedKept {
		s.said[peer] = now
		s.n.log.Warn("refused a Raft stream from a node that is no voter", "peer", peer)
	}
}

// Close closes the listener and all streams.
func (s *streamLayer) Close() error {
	s.silence()
	return s.n.cfg.Streams.Listener().Close()
}

// silence closes all streams and lets no new one begin.
func (s *streamLayer) silence() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Conn.Close() // the other side sees it either way
	}
	clear(s.conns)
}

// cut closes the streams with one node; Raft dials anew.
func (s *streamLayer) cut(node string) {
	for _, conn := range s.with(node) {
		_ = conn.Close() // the other side sees it either way
	}
}

// with returns the streams with one node.
func (s *streamLayer) with(node string) []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*stream
	for conn := range s.conns {
		if conn.peer == node {
			list = append(list, conn)
		}
	}
	return list
}

// Addr returns the node id, which is the Raft address too.
func (s *streamLayer) Addr() net.Addr { return nodeAddr(s.n.cfg.Self) }

// Dial opens a stream to a voter, and waits for a session instead of failing
// at once: Raft backs off for seconds after a failure.
func (s *streamLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	conn, err := s.n.cfg.Streams.Dial(ctx, string(address))
	if err != nil {
		return nil, err
	}
	return s.track(conn, string(address))
}

type nodeAddr string

func (nodeAddr) Network() string  { return "raresync" }
func (a nodeAddr) String() string { return string(a) }
