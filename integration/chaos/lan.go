package chaos

import (
	"errors"
	"io"
	"net/netip"
	"os"
)

// LAN is a network of nodes, numbered from 0, each in a namespace of its own.
// Every frame between two of them passes the switch in this process.
type LAN struct {
	namespaces []namespace // by node
	routers    []namespace // of the nodes that are hidden
	taps       []*os.File
	ethernet   *ethernet
}

// NewLAN makes the namespaces of so many nodes and joins them.
func NewLAN(nodes int) (*LAN, error) {
	l := &LAN{}
	for i := range nodes {
		n, err := newNamespace()
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		l.namespaces = append(l.namespaces, n)
		err = n.do(func() error {
			tap, err := openTAP(l.Address(i))
			if err == nil {
				l.taps = append(l.taps, tap)
			}
			return err
		})
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	l.ethernet = newEthernet(l.taps)
	return l, nil
}

// Address returns a node's address.
func (l *LAN) Address(node int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 77, 0, byte(node + 1)})
}

// In runs f in a node's namespace: what f starts stays in it.
func (l *LAN) In(node int, f func() error) error { return l.namespaces[node].do(f) }

// Link replaces the link from one node to another; the way back is another.
func (l *LAN) Link(from, to int, link Link) { l.ethernet.set(from, to, link) }

// Frames returns how many frames the switch has carried.
func (l *LAN) Frames() int { return l.ethernet.carried() }

// Reset breaks every connection of a node, and every new one, by answering
// what comes in with a TCP reset, until Mend.
func (l *LAN) Reset(node int) error {
	return l.namespaces[node].nft(`table inet chaos {
		chain in {
			type filter hook input priority 0
			iif != lo tcp flags & rst == 0 reject with tcp reset
		}
	}`)
}

// Mend ends Reset.
func (l *LAN) Mend(node int) error { return l.namespaces[node].nft("delete table inet chaos") }

// Close takes the LAN apart. Namespaces with processes in them end with those.
func (l *LAN) Close() error {
	var err error
	if l.ethernet != nil {
		err = l.ethernet.close()
	} else {
		for _, tap := range l.taps {
			err = joinClose(err, tap)
		}
	}
	for _, n := range append(l.namespaces, l.routers...) {
		err = joinClose(err, n.file)
	}
	return err
}

func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
