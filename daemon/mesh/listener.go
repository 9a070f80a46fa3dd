package mesh

import (
	"net"
	"sync"
)

// Accept waits for the next stream that a peer opens in a class. It fails with
// net.ErrClosed when the mesh is closed. Up to 512 streams of a class wait;
// further ones are closed at once.
func (m *Mesh) Accept(class Class) (*Stream, error) {
	return m.accept(class, nil)
}

func (m *Mesh) accept(class Class, stop <-chan struct{}) (*Stream, error) {
	if !class.valid() {
		return nil, net.ErrClosed
	}
	select {
	case <-stop:
		return nil, net.ErrClosed
	case <-m.ctx.Done():
		return nil, net.ErrClosed
	case s := <-m.inbound[class]:
		return s, nil
	}
}

// Listener returns the streams of a class as a net.Listener, for http.Server
// and Raft. The connections it returns are of type *[Stream]. Closing it stops
// its Accept; the mesh and other listeners of the class go on.
func (m *Mesh) Listener(class Class) net.Listener {
	return &listener{m: m, class: class, closed: make(chan struct{})}
}

type listener struct {
	m      *Mesh
	class  Class
	once   sync.Once
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	s, err := l.m.accept(l.class, l.closed)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return Addr(l.m.cfg.Self) }
