package main

import (
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	wireChunk = 64 << 10 // bytes that are carried at once
	wireAhead = 1024     // of these under way in one direction
)

// wire carries TCP connections to an address, each direction late by the same
// time. It loses nothing, keeps the order, and has room for whatever is sent.
type wire struct {
	listener net.Listener
	target   string
	delay    time.Duration // of one direction
	from     func() net.IP // where the next connection comes from; nil: from anywhere
	ends     sync.WaitGroup

	mu     sync.Mutex // guards what follows
	open   map[net.Conn]bool
	closed bool
}

// layWire listens on an address that the system chooses.
func layWire(target string, delay time.Duration, from func() net.IP) (*wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: l, target: target, delay: delay, from: from, open: map[net.Conn]bool{}}
	w.ends.Go(w.accept)
	return w, nil
}

func (w *wire) address() string { return w.listener.Addr().String() }

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		w.ends.Go(func() { w.connect(near) })
	}
}

// connect carries one connection until both its ends are done.
func (w *wire) connect(near net.Conn) {
	defer near.Close()
	var d net.Dialer
	if w.from != nil {
		d.LocalAddr = &net.TCPAddr{IP: w.from()}
	}
	far, err := d.Dial("tcp", w.target)
	if err != nil {
		return // the node that dialled will try again
	}
	defer far.Close()
	if !w.keep(near, far) {
		return
	}
	defer w.drop(near, far)
	var both sync.WaitGroup
	both.Go(func() { w.carry(far, near) })
	both.Go(func() { w.carry(near, far) })
	both.Wait()
}

// keep makes close end these, or reports that it has been called.
func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.open[c] = true
	}
	return !w.closed
}

func (w *wire) drop(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		delete(w.open, c)
	}
}

// carry carries one direction, and at its end ends both.
func (w *wire) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	if w.delay == 0 {
		_, _ = io.Copy(to, from) // the nodes see that it ended
		return
	}
	type late struct {
		bytes []byte
		due   time.Time
	}
	under := make(chan late, wireAhead)
	w.ends.Go(func() {
		defer to.Close()
		for l := range under {
			time.Sleep(time.Until(l.due))
			if _, err := to.Write(l.bytes); err != nil {
				from.Close() // what is under way is lost, as on any line
			}
		}
	})
	defer close(under)
	for {
		b := make([]byte, wireChunk)
		n, err := from.Read(b)
		if n > 0 {
			under <- late{b[:n], time.Now().Add(w.delay)}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) close() error {
	err := w.listener.Close()
	w.mu.Lock()
	w.closed = true
	for c := range w.open {
		_ = c.Close() // its own goroutine may have been before
	}
	w.mu.Unlock()
	w.ends.Wait()
	return err
}

// sources returns the loopback addresses behind 127.1.0.0 one after the other: a
// voter takes so many connections of one address, and hospitals have each
// another.
func sources() func() net.IP {
	var count atomic.Uint32
	return func() net.IP {
		n := count.Add(1)
		return net.IPv4(127, 1+byte(n>>16&0x3f), byte(n>>8), byte(n))
	}
}

// reroute has a node reach others at other addresses.
func reroute(config string, addresses map[string]string) error {
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	for _, node := range slices.Sorted(maps.Keys(addresses)) {
		text = fmt.Appendf(text, "%s = [%q]\n", node, addresses[node]) // its last table is [peers]
	}
	return os.WriteFile(config, text, 0o600)
}
