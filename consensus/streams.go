package consensus

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// streamLayer gives Raft the streams between voters. It accepts only from
// nodes in the current Raft configuration: a stranger with a higher term could
// otherwise cut an applied log (reproduced, docs/DECISIONS.md).
type streamLayer struct {
	n       *Node
	streams Streams
	open    chan struct{} // closed once NewRaft has returned
}

var errShutdown = errors.New("node is shutting down")

// Accept returns the next stream from a voter. Until NewRaft has returned no
// stream is taken: Raft's own start reads the log unguarded.
func (s *streamLayer) Accept() (net.Conn, error) {
	select {
	case <-s.open:
	case <-s.n.done:
		return nil, errShutdown
	}
	for {
		conn, err := s.streams.Listener().Accept()
		if err != nil {
			return nil, err
		}
		peer := conn.RemoteAddr().String()
		if s.n.inConfiguration(peer) {
			return conn, nil
		}
		s.n.log.Warn("refused a Raft stream from a node that is no voter", "peer", peer)
		_ = conn.Close() // refused either way
	}
}

// Close does nothing: the streams belong to the caller.
func (s *streamLayer) Close() error { return nil }

// Addr returns the node id, which is the Raft address too.
func (s *streamLayer) Addr() net.Addr { return nodeAddr(s.n.cfg.Self) }

// Dial opens a stream to a voter, and waits for a session instead of failing
// at once: Raft backs off for seconds after a failure.
func (s *streamLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return s.streams.Dial(ctx, string(address))
}

type nodeAddr string

func (nodeAddr) Network() string  { return "raresync" }
func (a nodeAddr) String() string { return string(a) }
