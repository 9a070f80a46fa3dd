package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// greet returns this node's next greeting for a session it dials, or
// errDuplicate if a session has come up meanwhile: see [judge].
func (m *Mesh) greet(at slot) (greeting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current[at] != nil {
		return greeting{}, errDuplicate
	}
	return m.nextGreeting(), nil
}

// nextGreeting needs mu.
func (m *Mesh) nextGreeting() greeting {
	m.count++
	return greeting{process: m.process, count: m.count}
}

// enrol gives s its place. It returns the greeting to answer with, for which
// only an accepted session has a use. An accepted session that is not wanted
// is refused with errDuplicate; a dialled one was welcomed already, and
// finishes the streams that the peer may have put on it. Either is refused
// with ErrTwin if its node runs twice.
func (m *Mesh) enrol(s *session) (greeting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return greeting{}, net.ErrClosed
	}
	g := m.nextGreeting()
	if err := m.hear(s); err != nil {
		return g, err
	}
	verdict := replaceOld
	old := m.current[s.at]
	if old != nil {
		verdict = judge(m.cfg.Self, s.at.node, old.link, s.link)
	}
	if verdict == keepOld && !s.link.dialled {
		return g, errDuplicate
	}
	m.sessions[s] = struct{}{}
	if verdict == keepOld {
		s.retire()
		return g, nil
	}
	m.current[s.at] = s
	delete(m.failures, s.at)
	close(m.changed)
	m.changed = make(chan struct{})
	switch {
	case old == nil:
	case verdict == preferNew:
		old.retire()
	default:
		old.end(errReplaced)
	}
	return g, nil
}

var errReplaced = errors.New("the peer has begun a new session")

// forget takes s out of the tables.
func (m *Mesh) forget(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, s)
	if m.current[s.at] == s {
		delete(m.current, s.at)
	}
}

// await returns the session at a slot as soon as there is one. It fails with
// the context's error, and the reason of the last dial if one failed, or with
// net.ErrClosed.
func (m *Mesh) await(ctx context.Context, at slot) (*session, error) {
	for {
		m.mu.Lock()
		s, changed, failure := m.current[at], m.changed, m.failures[at]
		m.mu.Unlock()
		if s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-m.ctx.Done():
			return nil, net.ErrClosed
		case <-ctx.Done():
			if failure != nil {
				return nil, fmt.Errorf("no session: %w (last attempt: %w)", ctx.Err(), failure)
			}
			return nil, fmt.Errorf("no session: %w", ctx.Err())
		}
	}
}

// Dial opens a stream to a node. If there is no session with it, Dial waits
// for one, made by either side, until ctx ends; the error is then that of ctx,
// and of the last attempt to reach the node if one failed. The stream is a
// *[Stream]. A peer takes 32 Raft and 256 API streams of ours at a time, and
// closes further ones at once.
func (m *Mesh) Dial(ctx context.Context, node NodeID, class Class) (net.Conn, error) {
	stream, err := m.dial(ctx, slot{node, class})
	if err != nil {
		return nil, fmt.Errorf("open %s stream to %s: %w", class, node, err)
	}
	return stream, nil
}

func (m *Mesh) dial(ctx context.Context, at slot) (*Stream, error) {
	switch {
	case !at.class.valid():
		return nil, errors.New("no such class")
	case at.node == m.cfg.Self:
		return nil, ErrSelf
	case !m.enter():
		return nil, net.ErrClosed
	}
	defer m.wg.Done()
	for {
		s, err := m.await(ctx, at)
		if err != nil {
			return nil, err
		}
		stream, err := s.open(ctx)
		if err == nil || ctx.Err() != nil {
			return stream, err
		}
		// A session that opens no streams is of no use to anyone.
		s.end(err)
		select {
		case <-s.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("session lost: %w", ctx.Err())
		}
	}
}
