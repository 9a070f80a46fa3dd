package mesh

import (
	"cmp"
	"container/list"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Mesh is one node's end of its sessions. Its methods may be called from any
// goroutine.
type Mesh struct {
	cfg      Config
	own      atomic.Pointer[ownKeys]
	process  [16]byte
	listener net.Listener // nil if this node only dials
	inbound  [classCount]chan *Stream
	quiet    quiet
	guests   chan struct{} // holds a value for each guest
	traffic  traffic

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	closed   bool                  // guarded by mu, as all below
	count    uint64                // of our greetings
	current  map[slot]*session     // where new streams go
	sessions map[*session]struct{} // current and finishing ones
	changed  chan struct{}         // closed, and made anew, when current gains a session
	dialling map[NodeID]*dialling  // by SetPeers
	failures map[slot]error        // why the last dial failed
	met      map[NodeID]*processes // what greeted us or answered, by node
	conns    int                   // accepted ones
	perHost  map[string]int        // accepted ones by address
	waiting  list.List             // of *accepted that have not shown who they are, oldest first
	looks    map[string]look       // at dialled addresses where TLS failed
}

// A slot is a place for one session.
type slot struct {
	node  NodeID
	class Class
}

// New starts a node's mesh, and its listener if cfg.Listen is set. It dials
// nobody before [Mesh.SetPeers].
func New(cfg Config) (*Mesh, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("start mesh: %w", err)
	}
	m := &Mesh{
		cfg:      cfg,
		current:  make(map[slot]*session),
		sessions: make(map[*session]struct{}),
		changed:  make(chan struct{}),
		dialling: make(map[NodeID]*dialling),
		failures: make(map[slot]error),
		met:      make(map[NodeID]*processes),
		perHost:  make(map[string]int),
		guests:   make(chan struct{}, maxGuests),
		looks:    make(map[string]look),
	}
	for c := range m.inbound {
		m.inbound[c] = make(chan *Stream, acceptBacklog)
	}
	rand.Read(m.process[:]) // never fails
	if err := m.open(); err != nil {
		return nil, fmt.Errorf("start mesh: %w", err)
	}
	return m, nil
}

func (m *Mesh) open() (err error) {
	if err := m.SetKeys(m.cfg.Key, m.cfg.FormerKey); err != nil {
		return err
	}
	if m.cfg.Listen != "" {
		if m.listener, err = net.Listen("tcp", m.cfg.Listen); err != nil {
			return err
		}
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if m.listener != nil {
		m.wg.Go(m.acceptConns)
	}
	return nil
}

// Addr returns the address of the listener, or nil if this node only dials.
func (m *Mesh) Addr() net.Addr {
	if m.listener == nil {
		return nil
	}
	return m.listener.Addr()
}

// Close ends all sessions and their streams, and returns when every goroutine
// of the mesh has ended. Blocked calls return with net.ErrClosed. Calling it
// again does nothing.
func (m *Mesh) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		m.wg.Wait()
		return nil
	}
	m.closed = true
	m.cancel()
	for s := range m.sessions {
		s.end(errors.New("this node closes"))
	}
	m.mu.Unlock()

	var err error
	if m.listener != nil {
		err = m.listener.Close()
	}
	m.wg.Wait()
	return err
}

// enter keeps Close waiting until the caller calls wg.Done. It reports false
// if the mesh is closed.
func (m *Mesh) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.wg.Add(1)
	return true
}

// A PeerState describes a session in use.
type PeerState struct {
	Node    NodeID
	Class   Class
	Dialled bool          // by this node
	Since   time.Time     // when the session began
	RTT     time.Duration // of the last keep-alive; 0 before the first returned
}

// Connected lists the sessions in use, by node and class.
func (m *Mesh) Connected() []PeerState {
	m.mu.Lock()
	defer m.mu.Unlock()
	states := make([]PeerState, 0, len(m.current))
	for at, s := range m.current {
		select {
		case <-s.started:
			states = append(states, PeerState{
				Node: at.node, Class: at.class, Dialled: s.link.dialled,
				Since: s.since, RTT: time.Duration(s.rtt.Load()),
			})
		default:
		}
	}
	slices.SortFunc(states, func(a, b PeerState) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Class, b.Class))
	})
	return states
}

// RefusedBy lists the nodes that did not let this one in when it dialled them
// last, as [ErrRefused] says, and with which it has no session since.
func (m *Mesh) RefusedBy() []NodeID {
	m.mu.Lock()
	defer m.mu.Unlock()
	refused := map[NodeID]bool{}
	for at, err := range m.failures {
		if errors.Is(err, ErrRefused) && m.current[at] == nil {
			refused[at.node] = true
		}
	}
	return slices.Sorted(maps.Keys(refused))
}

// Refresh asks the roster again for the key of each session, and ends those
// whose key is no longer their node's. To be called when the roster changed.
func (m *Mesh) Refresh() {
	m.mu.Lock()
	sessions := make([]*session, 0, len(m.sessions))
	for s := range m.sessions {
		sessions = append(sessions, s)
	}
	m.mu.Unlock()
	for _, s := range sessions {
		m.recheck(s)
	}
}

func (m *Mesh) recheck(s *session) {
	if p, err := m.roster(s.peer.Key); err != nil {
		s.end(err)
	} else if p != s.peer {
		s.end(&identityError{ErrWrongNode, p.Key})
	}
}
