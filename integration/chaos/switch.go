package chaos

import (
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// A Link is what happens to frames on their way from one node to another. The
// zero value is a good cable.
type Link struct {
	Cut    bool
	Loss   float64       // share of frames that vanish
	Delay  time.Duration // of every frame
	Jitter time.Duration // at most as much more, drawn for each frame: they overtake each other
}

// ethernet is the switch: it carries frames between TAP devices, each over the
// link between the two.
type ethernet struct {
	ports   []*os.File
	readers sync.WaitGroup

	mu    sync.Mutex // guards what follows
	links [][]Link   // by sender, then receiver
	seen  map[hardware]int
	carry int // frames carried
}

// hardware is an Ethernet address.
type hardware [6]byte

func newEthernet(ports []*os.File) *ethernet {
	e := &ethernet{ports: ports, links: make([][]Link, len(ports)), seen: map[hardware]int{}}
	for i := range ports {
		e.links[i] = make([]Link, len(ports))
	}
	for i := range ports {
		e.readers.Go(func() { e.read(i) })
	}
	return e
}

// set replaces the link from one port to another.
func (e *ethernet) set(from, to int, l Link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.links[from][to] = l
}

// read carries what a port sends until the port is closed.
func (e *ethernet) read(from int) {
	buf := make([]byte, maxFrame)
	for {
		n, err := e.ports[from].Read(buf)
		if err != nil {
			return
		}
		if n >= 2*len(hardware{}) {
			e.forward(from, buf[:n])
		}
	}
}

// forward sends a frame to the port where its receiver was seen, or to all.
func (e *ethernet) forward(from int, frame []byte) {
	receiver, sender := hardware(frame[:6]), hardware(frame[6:12])
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen[sender] = from
	if to, known := e.seen[receiver]; known {
		e.send(from, to, frame)
		return
	}
	for to := range e.ports {
		e.send(from, to, frame)
	}
}

// send treats a frame as its link wants it. It needs the lock.
func (e *ethernet) send(from, to int, frame []byte) {
	l := e.links[from][to]
	if from == to || l.Cut || l.Loss > 0 && rand.Float64() < l.Loss {
		return
	}
	e.carry++
	if l.Delay == 0 && l.Jitter == 0 {
		e.put(to, frame)
		return
	}
	wait, late := l.Delay, append([]byte(nil), frame...)
	if l.Jitter > 0 {
		wait += rand.N(l.Jitter)
	}
	time.AfterFunc(wait, func() { e.put(to, late) })
}

// put hands a frame to the kernel. One that it does not take is lost, as on any
// cable.
func (e *ethernet) put(to int, frame []byte) { _, _ = e.ports[to].Write(frame) }

// carried returns how many frames went through.
func (e *ethernet) carried() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.carry
}

// close closes the ports and waits for their readers.
func (e *ethernet) close() error {
	var err error
	for _, p := range e.ports {
		err = joinClose(err, p)
	}
	e.readers.Wait()
	return err
}
