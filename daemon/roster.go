package daemon

import (
	"net"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/registry/act"
)

// roster returns the applied state, or the genesis' until there is one.
func (s *service) roster(founded *state.State) *state.State {
	if node := s.opened.Load(); node != nil {
		return node.View()
	}
	return founded
}

func keyByNode(roster *state.State, node string) ([32]byte, bool) {
	if n, ok := roster.Node(node); ok {
		return n.TLS.ID(), true
	}
	return [32]byte{}, false
}

func nodeByKey(roster *state.State, key [32]byte) (string, bool) {
	if roster.Revoked(key) {
		return "", false
	}
	for i := range roster.Nodes {
		if roster.Nodes[i].TLS.ID() == key {
			return roster.Nodes[i].ID, true
		}
	}
	return "", false
}

// targets lists the nodes to keep sessions with: every voter, and every node
// that is to become one, that has an address, here or in the roster.
func (s *service) targets(roster *state.State) []mesh.Target {
	var out []mesh.Target
	for _, n := range roster.Nodes {
		addresses := s.addressesOf(&n)
		if n.ID != s.self.ID && n.Kind != act.Mirror && len(addresses) > 0 {
			out = append(out, mesh.Target{Node: n.ID, Addresses: addresses, NoRaft: s.pullsOnly()})
		}
	}
	return s.pinnedTargets(roster, out)
}

// pullsOnly reports whether this node wants no sessions for Raft: a mirror has no part in
// it, and a voter hundreds of mirrors. Once the node is opened it knows its part, though
// its copy may be one from before, and that of a node without an address reaches it in
// no other way.
func (s *service) pullsOnly() bool {
	if node := s.opened.Load(); node != nil {
		return !node.Replicates()
	}
	return s.self.Kind == act.Mirror
}

// nodeOfKey names the node that has a key: as the roster says, or, of a newcomer
// whose copy does not know that node yet, as its invitation did.
func (s *service) nodeOfKey(roster *state.State, key [32]byte) (string, bool) {
	node, ok := nodeByKey(roster, key)
	if _, in := roster.Node(s.cfg.Node.ID); ok || in {
		return node, ok
	}
	for _, p := range s.pins {
		if p.TLS == key && !roster.Revoked(key) {
			return p.Node, true
		}
	}
	return "", false
}

// pinnedTargets adds the nodes that a newcomer's invitation named, at their
// addresses of then, until its copy knows who it is.
func (s *service) pinnedTargets(roster *state.State, targets []mesh.Target) []mesh.Target {
	if _, in := roster.Node(s.self.ID); in {
		return targets
	}
	for _, p := range s.pins {
		if p.Node == s.self.ID || len(p.Addresses) == 0 {
			continue
		}
		targets = slices.DeleteFunc(targets, func(t mesh.Target) bool { return t.Node == p.Node })
		targets = append(targets, mesh.Target{Node: p.Node, Addresses: p.Addresses})
	}
	return targets
}

func (s *service) pinnedNodes() (ids []string) {
	for _, p := range s.pins {
		ids = append(ids, p.Node)
	}
	return ids
}

// guestDesk answers newcomers on a node that listens.
func (s *service) guestDesk() func(net.Conn) {
	if s.cfg.Listen.Node == "" {
		return nil
	}
	return s.takeGuest
}
