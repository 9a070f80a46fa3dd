package mesh

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/fault"
)

// ErrTwin reports two living processes of one node: somebody runs a copy of its
// data directory. Both are refused, since neither can prove to be the right one.
var ErrTwin = errors.New("two instances of the node are running")

// maxProcesses is how many processes of a node are remembered.
const maxProcesses = 64

// A process is one of a node's, as its greetings show it.
type process struct {
	id      [16]byte
	count   uint64    // the highest heard
	heard   time.Time // when that was heard
	ended   time.Time // when a younger process was first heard; zero for the youngest
	refused bool      // it has, or had, a twin
}

// processes are those of one node in the order in which they were first heard.
type processes []process

// hear takes note of a greeting that came at now over a connection begun at
// began. It returns ErrTwin if two processes of the node live, or errStale if
// the greeting is a late one of a process that has ended.
//
// The keys of the handshake were used after it began, so the process lived
// then. One that lives after a younger one was heard is a twin: a node that is
// restarted lets go of its data directory first. So is one that lives and has
// a count again that was heard before: its memory was copied or set back. What
// was under way before says nothing.
func (l *processes) hear(g greeting, began, now time.Time) error {
	i := slices.IndexFunc(*l, func(p process) bool { return p.id == g.process })
	if i < 0 {
		l.begin(g, now)
		return nil
	}
	p, youngest := &(*l)[i], &(*l)[len(*l)-1]
	switch {
	case p.refused:
		return ErrTwin
	case p == youngest && g.count > p.count:
		p.count, p.heard = g.count, now
		return nil
	case p == youngest && !began.After(p.heard):
		return nil
	case p != youngest && !began.After(p.ended) && !fault.Planted(fault.FenceRestarts):
		return errStale
	}
	p.refused, youngest.refused = true, true
	return ErrTwin
}

// errStale reports a greeting that its process did not live to see answered.
var errStale = errors.New("greeting of a process that has ended")

// begin adds a process, which ends the one before it.
func (l *processes) begin(g greeting, now time.Time) {
	if n := len(*l); n > 0 {
		(*l)[n-1].ended = now
	}
	if len(*l) == maxProcesses {
		*l = slices.Delete(*l, 0, 1)
	}
	*l = append(*l, process{id: g.process, count: g.count, heard: now})
}

// hear takes note of the greeting that s begins with. At the first sign of a
// twin every session with the node ends, Raft's too. It needs mu.
func (m *Mesh) hear(s *session) error {
	met := m.met[s.at.node]
	if met == nil {
		met = new(processes)
		m.met[s.at.node] = met
	}
	err := met.hear(s.link.peer, s.link.began, time.Now())
	switch {
	case errors.Is(err, errStale):
		return errDuplicate
	case err == nil || fault.Planted(fault.TakeTwins):
		return nil
	}
	for other := range m.sessions {
		if other.at.node == s.at.node {
			other.end(err)
		}
	}
	if m.quiet.allow("twin " + s.at.node) {
		m.cfg.Logger.Error("two instances of a node are running; both are refused", slog.String("node", s.at.node))
	}
	return err
}

// Twins lists the nodes that run twice, as far as this one has met them and no
// younger process of theirs.
func (m *Mesh) Twins() (nodes []NodeID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for node, met := range m.met {
		if (*met)[len(*met)-1].refused {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}
