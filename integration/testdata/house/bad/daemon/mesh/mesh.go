package mesh

import (
	"errors"

	_ "github.com/hashicorp/raft"
	_ "github.com/hashicorp/yamux"
	_ "go.uber.org/goleak"
)

type Session struct {
	// Node and Hospital say who is at the other end.
	Node     string
	Hospital uint32

	Peer string
	open bool
}

func (s *Session) Close() error { return ErrClosed }

func (s *Session) close() {}

// Dialer has a comment that speaks for its first group and names Resolve.
type Dialer interface {
	Dial() (*Session, error)

	Hang()

	Lookup()
	Resolve()
}

func Open() *Session { return nil }

type quiet struct{ Field int }

func (quiet) Method() {}

// Limits of a session.
const (
	MaxStreams = 4
	MaxBytes   = 1 << 20
)

const MaxPeers = 9

var (
	// ErrRefused has a comment.
	ErrRefused = errors.New("refused")

	ErrClosed = errors.New("closed")
)
