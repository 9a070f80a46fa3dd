package mesh

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// NodeID is a node's name in the roster.
type NodeID = string

// A Class is a kind of traffic with sessions of its own.
type Class uint8

// The classes.
const (
	ClassRaft Class = iota // Raft, and nothing else
	ClassAPI               // HTTP between nodes
	classCount
)

// String returns the class as a lower-case word.
func (c Class) String() string {
	switch c {
	case ClassRaft:
		return "raft"
	case ClassAPI:
		return "api"
	}
	return fmt.Sprintf("class %d", uint8(c))
}

func (c Class) valid() bool { return c < classCount }

// protocol is the class's name in ALPN (RFC 7301).
func (c Class) protocol() string { return "raresync-" + c.String() + "/1" }

// Limits on what one authenticated peer may ask for, per session. The windows
// are what a peer may send ahead of our reading, per stream; together with the
// streams they bound the memory a peer can claim (128 MiB Raft, 64 MiB API).
const (
	raftWindowBytes = 4 << 20   // a pipelined megabyte over a slow line still flows
	apiWindowBytes  = 256 << 10 // the smallest yamux knows
	raftMaxStreams  = 32        // Raft keeps about five per peer
	apiMaxStreams   = 256
	acceptBacklog   = 512 // streams of all peers waiting in one class
)

func (c Class) maxStreams() int {
	if c == ClassRaft {
		return raftMaxStreams
	}
	return apiMaxStreams
}

// Config says who this node is and what it lets others do. Self, Key and
// Lookup are required.
type Config struct {
	// Self is this node's id.
	Self NodeID

	// Key is this node's TLS key.
	Key ed25519.PrivateKey

	// FormerKey is the TLS key before that, if this node still has it; see
	// [Mesh.SetKeys].
	FormerKey ed25519.PrivateKey

	// Lookup names the node whose TLS key has the given id (sign.KeyID), as
	// the roster has it now. It is asked at each handshake and by
	// [Mesh.Refresh], from several goroutines at once, never under a lock of
	// this package.
	Lookup func(keyID [32]byte) (node NodeID, ok bool)

	// KeyOf returns the id of a node's TLS key, the other way round. It is
	// asked when a node shows an unknown key; nil if there is nobody to ask.
	KeyOf func(node NodeID) (keyID [32]byte, ok bool)

	// Twin is called when a peer says that it has met two living instances of
	// this node, which it refuses from then on; at each attempt to reach it,
	// from several goroutines at once. Default: nothing is done.
	Twin func(peer NodeID)

	// Guest takes the connection of somebody who is not in the roster and asks to
	// be, and may use it until it returns; several goroutines call it at once.
	// Nil: there are no guests.
	Guest func(conn net.Conn)

	// Listen is the TCP address to accept connections on; empty to only dial.
	Listen string

	// Proxy is the HTTP proxy through which other nodes are dialled. Default:
	// none, they are dialled directly.
	Proxy *Proxy

	// Logger takes the package's messages. Default: none are written.
	Logger *slog.Logger

	// MaxConns bounds the accepted connections, authenticated or not.
	// Default 4096; a listening node of a large network needs twice the
	// number of nodes.
	MaxConns int

	// MaxConnsPerAddress bounds the accepted connections of one IPv4 address
	// or one IPv6 /64. Default 64; each node behind an address translator
	// needs two.
	MaxConnsPerAddress int

	// HandshakeTimeout bounds the time from a TCP connection to a session,
	// for the accepting and for the dialling side. Default 5s.
	HandshakeTimeout time.Duration

	// KeepAlive is the interval at which a session is asked for a sign of
	// life. Default 5s.
	KeepAlive time.Duration

	// IdleTimeout is the silence, and the time without progress of a write,
	// after which a session is given up. Default 15s; three times KeepAlive
	// rides out a lost packet.
	IdleTimeout time.Duration
}

// complete checks c and fills in the defaults.
func (c *Config) complete() error {
	var faults []error
	if c.Self == "" {
		faults = append(faults, errors.New("no Self given"))
	}
	if len(c.Key) != ed25519.PrivateKeySize {
		faults = append(faults, errors.New("no Ed25519 private key in Key"))
	}
	if c.Lookup == nil {
		faults = append(faults, errors.New("no Lookup given"))
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Twin == nil {
		c.Twin = func(NodeID) {}
	}
	orDefault(&c.MaxConns, 4096)
	orDefault(&c.MaxConnsPerAddress, 64)
	orDefault(&c.HandshakeTimeout, 5*time.Second)
	orDefault(&c.KeepAlive, 5*time.Second)
	orDefault(&c.IdleTimeout, 3*c.KeepAlive)
	if c.IdleTimeout <= c.KeepAlive {
		faults = append(faults, errors.New("value of IdleTimeout not above KeepAlive"))
	}
	return errors.Join(faults...)
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
