package canary

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// captureRoom is how many bytes of frames the kernel keeps for a capture.
const captureRoom = 64 << 20

// Capture searches the frames that an interface receives. It is safe for
// concurrent use.
type Capture struct {
	socket *os.File
	fd     int
	search *Search
	done   chan struct{}

	mu       sync.Mutex // guards what follows
	hits     []Hit
	searched int64
	payload  map[uint16]int64 // bytes of TCP streams, by either port
}

// Listen begins to capture on an interface of the network namespace that this
// thread is in. On "lo" every frame is received, whoever sent it. It needs the
// right to open raw sockets. Close ends it.
func Listen(s *Search, device string) (*Capture, error) {
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	link, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("capture on %s: %w", device, err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, captureRoom),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: link.Index}))
	c := &Capture{socket: os.NewFile(uintptr(fd), "capture"), fd: fd, search: s, done: make(chan struct{}), payload: map[uint16]int64{}}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("capture on %s: %w", device, err), c.socket.Close())
	}
	go c.run()
	return c, nil
}

// run reads until Close, and then what the kernel still has.
func (c *Capture) run() {
	defer close(c.done)
	frame := make([]byte, 1<<17) // segments on lo are joined up to 64 KiB
	for n, err := 0, error(nil); err == nil; {
		if n, err = c.socket.Read(frame); err == nil {
			c.take(frame[:n])
		}
	}
	for {
		n, err := unix.Read(c.fd, frame)
		if err != nil {
			return
		}
		c.take(frame[:n])
	}
}

func (c *Capture) take(frame []byte) {
	hits := c.search.Bytes("a captured frame", frame)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.searched += int64(len(frame))
	c.hits = append(c.hits, hits...)
	if from, to, n, ok := segment(frame); ok {
		c.payload[from] += int64(n)
		c.payload[to] += int64(n)
	}
}

// segment returns the ports of a TCP segment over IPv4 and how many bytes of
// the stream it carries.
func segment(frame []byte) (from, to uint16, payload int, ok bool) {
	const ethernet = 14
	if len(frame) < ethernet+20 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || frame[ethernet+9] != unix.IPPROTO_TCP {
		return 0, 0, 0, false
	}
	ip := frame[ethernet:]
	header := int(ip[0]&15) * 4
	if len(ip) < header+20 {
		return 0, 0, 0, false
	}
	tcp := ip[header:]
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if total == 0 || total > len(ip) { // joined beyond what the field can say
		total = len(ip)
	}
	return binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:]), total - header - int(tcp[12]>>4)*4, true
}

// Hits returns what was found so far.
func (c *Capture) Hits() []Hit {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Hit(nil), c.hits...)
}

// Searched returns how many bytes were captured so far, and how many of them
// TCP carried to and from a port.
func (c *Capture) Searched(port uint16) (all, carried int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.searched, c.payload[port]
}

// Close ends the capture. It is an error if the kernel had to drop frames: then
// not all was searched.
func (c *Capture) Close() error {
	stats, err := unix.GetsockoptTpacketStats(c.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err == nil && stats.Drops > 0 {
		err = fmt.Errorf("capture: %d of %d frames were dropped", stats.Drops, stats.Packets)
	}
	err = errors.Join(err, c.socket.SetReadDeadline(time.Unix(1, 0)))
	<-c.done
	return errors.Join(err, c.socket.Close())
}
