package mesh

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"time"
)

// The pause between two attempts to reach a node doubles from the first to
// the second, with jitter so that a network does not dial in step.
const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// A Target is a node to dial, at the first of its addresses (host:port) that
// answers.
type Target struct {
	Node      NodeID
	Addresses []string
	NoRaft    bool // no session for Raft is wanted; one that there is stays
}

// dialling is the work on one target.
type dialling struct {
	addresses []string         // guarded by Mesh.mu
	classes   [classCount]bool // that are dialled; guarded by Mesh.mu
	ctx       context.Context  // ends with the target
	cancel    context.CancelFunc
}

// SetPeers says which nodes to keep sessions with by dialling, for ever and in
// both classes unless a target says otherwise. It replaces the nodes said before; sessions with nodes no
// longer named stay while they last. This node itself, and nodes without an
// address, are passed over.
func (m *Mesh) SetPeers(targets []Target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	wanted := make(map[NodeID]bool)
	for _, t := range targets {
		if t.Node == m.cfg.Self || len(t.Addresses) == 0 {
			continue
		}
		wanted[t.Node] = true
		m.setTarget(t)
	}
	for node, d := range m.dialling {
		if !wanted[node] {
			d.cancel()
			delete(m.dialling, node)
			for class := range classCount {
				delete(m.failures, slot{node, class})
			}
		}
	}
}

// setTarget needs mu.
func (m *Mesh) setTarget(t Target) {
	d := m.dialling[t.Node]
	if d == nil {
		d = &dialling{}
		d.ctx, d.cancel = context.WithCancel(m.ctx)
		m.dialling[t.Node] = d
	}
	d.addresses = slices.Clone(t.Addresses)
	for class := range classCount {
		if d.classes[class] || class == ClassRaft && t.NoRaft {
			continue
		}
		d.classes[class] = true
		m.wg.Go(func() { m.keepDialling(d.ctx, d, slot{t.Node, class}) })
	}
}

// keepDialling keeps a slot filled until ctx ends.
func (m *Mesh) keepDialling(ctx context.Context, d *dialling, at slot) {
	backoff := minBackoff
	for ctx.Err() == nil {
		lasted := time.Duration(0)
		if s := m.sessionAt(at); s != nil {
			select {
			case <-s.done:
			case <-ctx.Done():
			}
			lasted = time.Since(s.since)
		} else if err := m.connect(ctx, d, at); err == nil {
			continue
		} else if ctx.Err() == nil {
			m.logFailure(at, err)
		}
		var pause time.Duration
		pause, backoff = nextPause(backoff, lasted)
		m.rest(ctx, at, pause/2+rand.N(pause/2))
	}
}

// nextPause returns the pause after a session that lasted so long, or after an
// attempt that failed, and what the one after it will be. A session that ended
// as soon as it began is no success; one that outlived its pause is: a node that
// is started again, and again, is found again at once.
func nextPause(backoff, lasted time.Duration) (pause, next time.Duration) {
	if lasted > backoff {
		backoff = minBackoff
	}
	return backoff, min(2*backoff, maxBackoff)
}

// dialled lists the nodes that are kept reached, in order; needs mu.
func (m *Mesh) dialled() []NodeID { return slices.Sorted(maps.Keys(m.dialling)) }

func (m *Mesh) sessionAt(at slot) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current[at]
}

// rest waits for d, or less if the peer makes a session meanwhile.
func (m *Mesh) rest(ctx context.Context, at slot, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	_, _ = m.await(ctx, at) // either way the rest is over
}

// connect makes a session at the first address that lets it.
func (m *Mesh) connect(ctx context.Context, d *dialling, at slot) error {
	m.mu.Lock()
	addresses := d.addresses
	m.mu.Unlock()
	var faults error
	for _, address := range addresses {
		err := m.connectTo(ctx, address, at, showing{})
		if err == nil || errors.Is(err, errDuplicate) {
			return err
		}
		err = fmt.Errorf("%s: %w", address, m.whoAnswered(ctx, address, err))
		if faults != nil {
			err = fmt.Errorf("%w; %w", faults, err)
		}
		faults = err
	}
	return faults
}

// connectTo makes a session at an address. Where keys were rotated it tries
// again with those from before.
func (m *Mesh) connectTo(ctx context.Context, address string, at slot, show showing) error {
	err := m.connectOnce(ctx, address, at, show)
	if next, ok := m.nextShowing(at.node, show, err); ok {
		if again := m.connectTo(ctx, address, at, next); again == nil || errors.Is(again, errDuplicate) {
			return again
		}
	}
	return err
}

func (m *Mesh) connectOnce(ctx context.Context, address string, at slot, show showing) error {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.HandshakeTimeout)
	defer cancel()
	raw, err := m.dialTCP(ctx, address)
	if err != nil {
		return err
	}
	raw = m.traffic.count(raw)
	s, err := m.introduce(ctx, raw, address, at, show)
	if err != nil {
		raw.Close()
		if errors.Is(err, errToldTwin) {
			m.cfg.Twin(at.node)
		}
		return err
	}
	m.wg.Go(func() { s.run(nil) })
	return nil
}

// introduce does the dialling side's handshake: TLS, our greeting, the answer,
// and the place among our sessions.
func (m *Mesh) introduce(ctx context.Context, raw net.Conn, address string, at slot, show showing) (*session, error) {
	began := time.Now()
	deadline, _ := ctx.Deadline()
	if err := raw.SetDeadline(deadline); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	conn := tls.Client(raw, m.clientTLS(address, at, show))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, &handshakeFault{alerted(err)}
	}
	p, class, err := m.established(conn)
	if err != nil {
		return nil, err
	}
	own, err := m.greet(at)
	if err != nil {
		return nil, err
	}
	// The other side may have refused us already, by an alert that is there
	// to read even where writing fails.
	_, _ = conn.Write(own.append(nil))
	g, err := readAnswer(conn)
	if err != nil {
		return nil, alerted(err)
	}
	s := m.newSession(conn, p, class, link{dialled: true, began: began, peer: g})
	_, err = m.enrol(s)
	return s, err
}

// alerted names what a TLS alert from the other side means.
func alerted(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return fmt.Errorf("%w (%w)", ErrRefused, op.Err)
	}
	return err
}
