package withdraw

import (
	"cmp"
	"errors"
	"iter"
	"slices"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

// ErrIdentities reports a person with more identities than a person may have:
// a link is wrong.
var ErrIdentities = errors.New("this hospital's links join more identities to one person than a person has: undo the wrong one with entry unlink")

// Found is what a hospital has of one person.
type Found struct {
	Pseudonyms [][32]byte // that the hospital's links join, the one asked for first
	Indexes    []uint64   // of the entries, ascending
	Unopened   int        // entries of the hospital that did not open, and may be the person's
}

// Find follows every reference between a hospital's entries from a pseudonym
// on, both ways: entries under it or under one that a standing link joins to it;
// links and their undoing that name one of these; and what names any of these
// entries, or is named by one, as a correction, a genetic result, a follow-up or
// a specimen does, a check with the source record, or a question of the hospital to itself and the answer
// to one. Consents are not among them: they name nobody and stay. erased says which
// entries do not open because they are erased.
func Find(entries iter.Seq2[reader.Opened, error], erased func(index uint64) bool, of [32]byte) (Found, error) {
	g, err := readGraph(entries, erased)
	if err != nil {
		return Found{}, err
	}
	return g.find(of)
}

// graph is a hospital's entries with what they refer to.
type graph struct {
	nodes    []node
	byID     map[[32]byte][]int // nodes with an id
	naming   map[[32]byte][]int // nodes that name an id
	unopened int
}

// node is what is kept of an entry.
type node struct {
	index      uint64
	id         [32]byte
	pseudonyms [][32]byte // that it names
	alias      *entry.Alias
	names      [][32]byte // ids of other entries
}

func readGraph(entries iter.Seq2[reader.Opened, error], erased func(uint64) bool) (*graph, error) {
	g := &graph{byID: map[[32]byte][]int{}, naming: map[[32]byte][]int{}}
	for o, err := range entries {
		switch {
		case err != nil:
			return nil, err
		case erased(o.Index):
		case o.Problem != "":
			g.unopened++
		case o.Entry.Consent == nil:
			g.add(nodeOf(o), o.Entry.Query)
		}
	}
	return g, nil
}

func nodeOf(o reader.Opened) node {
	e := o.Entry
	n := node{index: o.Index, id: e.ID, alias: e.Alias}
	if e.Pseudonym.Present {
		n.pseudonyms = append(n.pseudonyms, e.Pseudonym.Value)
	}
	if e.Alias != nil {
		n.pseudonyms = append(n.pseudonyms, e.Alias.Old, e.Alias.New)
	}
	facts := e.Facts
	if c := e.Correction; c != nil {
		facts = c.Facts
	}
	names := [][32]byte{e.Supersedes, facts.BelongsTo()}
	if facts.Specimen != nil {
		names = append(names, facts.Specimen.DerivedFrom)
	}
	if e.Reply != nil {
		names = append(names, e.Reply.Entry)
	}
	if e.Check != nil {
		names = append(names, e.Check.Entry)
	}
	n.names = slices.DeleteFunc(names, func(id [32]byte) bool { return id == [32]byte{} })
	return n
}

func (g *graph) add(n node, about *entry.Query) {
	at := len(g.nodes)
	if about != nil { // it names what it is about by its place in the log
		if asked, ok := slices.BinarySearchFunc(g.nodes, about.Target, func(n node, index uint64) int { return cmp.Compare(n.index, index) }); ok {
			n.names = append(n.names, g.nodes[asked].id)
		}
	}
	g.nodes = append(g.nodes, n)
	g.byID[n.id] = append(g.byID[n.id], at)
	for _, id := range n.names {
		g.naming[id] = append(g.naming[id], at)
	}
}

// find walks from a pseudonym until nothing is added.
func (g *graph) find(of [32]byte) (Found, error) {
	out := Found{Pseudonyms: g.person(of), Unopened: g.unopened}
	if len(out.Pseudonyms) > entry.MaxMarks {
		return Found{}, ErrIdentities
	}
	in := make([]bool, len(g.nodes))
	var queue []int
	enter := func(at int) {
		if !in[at] {
			in[at] = true
			queue = append(queue, at)
		}
	}
	for at, n := range g.nodes {
		if slices.ContainsFunc(n.pseudonyms, func(p [32]byte) bool { return slices.Contains(out.Pseudonyms, p) }) {
			enter(at)
		}
	}
	for len(queue) > 0 {
		n := g.nodes[queue[0]]
		queue = queue[1:]
		for _, id := range n.names {
			for _, at := range g.byID[id] {
				enter(at)
			}
		}
		for _, at := range g.naming[n.id] {
			enter(at)
		}
	}
	for at, there := range in {
		if there {
			out.Indexes = append(out.Indexes, g.nodes[at].index)
		}
	}
	slices.Sort(out.Indexes)
	return out, nil
}

// person returns the pseudonyms that standing links join to one.
func (g *graph) person(of [32]byte) [][32]byte {
	last := map[[2][32]byte]node{}
	for _, n := range g.nodes {
		if n.alias == nil {
			continue
		}
		if pair := n.alias.Pair(); last[pair].alias == nil || last[pair].index < n.index {
			last[pair] = n
		}
	}
	person := [][32]byte{of}
	for grown := true; grown; {
		grown = false
		for pair, n := range last {
			if n.alias.Action != entry.Link {
				continue
			}
			for i := range pair {
				if slices.Contains(person, pair[i]) && !slices.Contains(person, pair[1-i]) {
					person, grown = append(person, pair[1-i]), true
				}
			}
		}
	}
	slices.SortFunc(person[1:], func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
	return person
}
