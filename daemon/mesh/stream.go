package mesh

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/yamux"
)

// maxFrameBytes is how much of a write goes out in one frame: with many
// streams in one session, no stream waits long for another, and no frame takes
// longer than the idle timeout even on a slow line.
const maxFrameBytes = 64 << 10

// A Stream is a reliable, ordered, private connection with a peer: a net.Conn.
type Stream struct {
	inner   *yamux.Stream
	session *session
	inbound bool
	closed  atomic.Bool
	writing sync.Mutex // held through one Write
}

var _ net.Conn = (*Stream)(nil)

func (s *session) newStream(inner *yamux.Stream, inbound bool) *Stream {
	return &Stream{inner: inner, session: s, inbound: inbound}
}

// Peer returns the node at the other end, as authenticated.
func (s *Stream) Peer() Peer { return s.session.peer }

// Read reads what the peer wrote, as io.Reader says: io.EOF when the peer has
// closed the stream, io.ErrUnexpectedEOF when the session is lost, net.ErrClosed
// after Close of the stream or the mesh, os.ErrDeadlineExceeded after the deadline.
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.inner.Read(b)
	return n, s.explain(err)
}

// Write writes b, waiting for the peer to take it. A write that fails for any
// reason but its deadline leaves the stream broken.
func (s *Stream) Write(b []byte) (n int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	for len(b) > 0 {
		part := b[:min(len(b), maxFrameBytes)]
		sent, err := s.inner.Write(part)
		n += sent
		if err != nil {
			return n, s.explain(err)
		}
		b = b[len(part):]
	}
	return n, nil
}

// explain turns yamux's errors into those of package net. At the end of a
// session yamux says io.EOF, as if the peer had finished; that would make a
// torn file look whole. A session whose writes make no progress is given up,
// since what it sent is unknown.
func (s *Stream) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case s.closed.Load(), s.session.m.ctx.Err() != nil:
		return net.ErrClosed
	case errors.Is(err, yamux.ErrTimeout):
		return os.ErrDeadlineExceeded
	case errors.Is(err, yamux.ErrConnectionWriteTimeout):
		s.session.end(errNoAnswer)
	case s.session.mux.IsClosed():
		return errSessionLost
	}
	return err
}

// Close closes both directions; what was written before still arrives. Reads
// and writes under way fail with net.ErrClosed.
func (s *Stream) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if s.inbound {
		s.session.streams.Add(-1)
	}
	// yamux closes the sending half only; a reader would stay blocked.
	s.inner.SetReadDeadline(time.Unix(1, 0))
	return s.inner.Close()
}

// LocalAddr returns this node's id as an [Addr].
func (s *Stream) LocalAddr() net.Addr { return Addr(s.session.m.cfg.Self) }

// RemoteAddr returns the peer's node id as an [Addr].
func (s *Stream) RemoteAddr() net.Addr { return Addr(s.session.peer.Node) }

// SetDeadline sets the read and the write deadline, as net.Conn says.
func (s *Stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of reads, as net.Conn says.
func (s *Stream) SetReadDeadline(t time.Time) error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.inner.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline of writes, as net.Conn says.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	return s.inner.SetWriteDeadline(t)
}

// An Addr is a node id in the place of a network address.
type Addr NodeID

// Network returns "raresync".
func (Addr) Network() string { return "raresync" }

// String returns the node id.
func (a Addr) String() string { return NodeID(a) }
