package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

// minVoters is how many voters acts leave in a network that is no demo.
const minVoters = 3

// maxVoterSets bounds how often the voters can change.
const maxVoterSets = 20_000

// VoterSet says who the voters are from a tree size on. A checkpoint is valid
// with a majority of the voters at its size, whoever they are later.
type VoterSet struct {
	Size  uint64   // the first tree size they judge: that after the act that made them voters
	Nodes []string // ascending
}

// Candidate is a node that was promoted and is no voter yet.
type Candidate struct {
	Node      string
	InPlaceOf string // the voter that is a mirror once this one votes; "" = none
}

// GoneNode is a node that was removed. Its id and its keys stay its own.
type GoneNode struct {
	act.Node
	At uint64 // number of the envelope with the act
}

// Removal is an institution that was removed.
type Removal struct {
	Institution uint32
	At          uint64 // number of the envelope with the act
}

// RemovedAt tells with which envelope an institution was removed.
func (s *State) RemovedAt(institution uint32) (envelope uint64, removed bool) {
	for _, r := range s.Removals {
		if r.Institution == institution {
			return r.At, true
		}
	}
	return 0, false
}

// EverNode returns a node that is in the roster, or was, and with which envelope
// it was removed; 0 = it was not.
func (s *State) EverNode(id string) (n *act.Node, gone uint64, ok bool) {
	if n, ok := s.Node(id); ok {
		return n, 0, true
	}
	for i := range s.Gone {
		if s.Gone[i].ID == id {
			return &s.Gone[i].Node, s.Gone[i].At, true
		}
	}
	return nil, 0, false
}

// VotersAt returns the voters that judge a checkpoint of the given size, in
// order of id. Of a size beyond the tree's the answer is what is known now.
func (s *State) VotersAt(size uint64) []act.Node {
	set := s.VoterSets[0]
	for _, later := range s.VoterSets[1:] {
		if later.Size > size {
			break
		}
		set = later
	}
	out := make([]act.Node, 0, len(set.Nodes))
	for _, id := range set.Nodes {
		if n, _, ok := s.EverNode(id); ok {
			out = append(out, s.withLogKeyOf(*n, size))
		}
	}
	return out
}

// Changes counts what has changed in the roster: it grows with each change of
// the members, the nodes, their keys and what part they take.
func (s *State) Changes() uint64 { return s.RosterVersion + uint64(len(s.VoterSets)) }

func (s *State) findCandidate(node string) int {
	return slices.IndexFunc(s.Candidates, func(c Candidate) bool { return c.Node == node })
}

// foundingVoters are the voters of a network in which no act has changed them.
func (s *State) foundingVoters() VoterSet { return VoterSet{Nodes: s.voterIDs()} }

func (s *State) voterIDs() []string {
	var ids []string
	for _, n := range s.Nodes {
		if n.Kind == act.Voter {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// noteVoters enters the voters that an act has left, if they are others than
// before.
func (s *State) noteVoters() {
	ids := s.voterIDs()
	if slices.Equal(s.VoterSets[len(s.VoterSets)-1].Nodes, ids) {
		return
	}
	s.VoterSets = append(slices.Clip(s.VoterSets), VoterSet{Size: s.Tree.Size(), Nodes: ids})
}

// setKind gives a node another part, and ends what waited for it.
func (s *State) setKind(id string, kind act.NodeKind) {
	for i := range s.Nodes {
		if s.Nodes[i].ID == id {
			s.Nodes[i].Kind = kind
		}
	}
	if kind != act.NonVoter {
		s.dropCandidate(id)
	}
}

// dropCandidate forgets that a node waits to become a voter, or that another
// waits for its place.
func (s *State) dropCandidate(id string) {
	var kept []Candidate
	for _, c := range s.Candidates {
		if c.Node == id {
			continue
		}
		if c.InPlaceOf == id {
			c.InPlaceOf = ""
		}
		kept = append(kept, c)
	}
	s.Candidates = kept
}

// admissiblePromotion checks a promotion, its approvals aside.
func (s *State) admissiblePromotion(a *act.Act) *Refusal {
	d, err := act.DecodePromotion(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	node, ok := s.Node(d.Node)
	switch {
	case !ok:
		return refuse(CodeActPayload, "there is no node %q", d.Node)
	case node.Kind != act.Mirror:
		return refuse(CodeActPayload, "node %q is a %s, and only a mirror is promoted", d.Node, node.Kind)
	case len(s.VoterSets) >= maxVoterSets:
		return refuse(CodeVoters, "the voters have changed too often")
	}
	if d.InPlaceOf != "" {
		if v, ok := s.Node(d.InPlaceOf); !ok || v.Kind != act.Voter {
			return refuse(CodeActPayload, "node %q is no voter whose place could be taken", d.InPlaceOf)
		}
		if i := slices.IndexFunc(s.Candidates, func(c Candidate) bool { return c.InPlaceOf == d.InPlaceOf }); i >= 0 {
			return refuse(CodeActPayload, "node %q takes the place of %q already", s.Candidates[i].Node, d.InPlaceOf)
		}
	}
	return s.roomForVoter(node, d.InPlaceOf)
}

// roomForVoter refuses a voter too many, and a second one that only dials out:
// two of those never reach each other.
func (s *State) roomForVoter(node *act.Node, inPlaceOf string) *Refusal {
	voters := 1
	for _, other := range s.Nodes {
		i := s.findCandidate(other.ID)
		leaves := other.ID == inPlaceOf || slices.ContainsFunc(s.Candidates, func(c Candidate) bool { return c.InPlaceOf == other.ID })
		if other.Kind != act.Voter && i < 0 || leaves {
			continue
		}
		voters++
		if len(node.Addresses) == 0 && len(other.Addresses) == 0 {
			return refuse(CodeDialOnly, "node %q only dials out, and so does %q: two such voters never reach each other", node.ID, other.ID)
		}
	}
	if voters > act.MaxVoters {
		return refuse(CodeVoters, "there would be %d voters, at most %d: promote it in place of one", voters, act.MaxVoters)
	}
	return nil
}

func (s *State) acceptPromotion(a *act.Act) {
	d, err := act.DecodePromotion(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.setKind(d.Node, act.NonVoter)
	s.Candidates = append(slices.Clip(s.Candidates), Candidate(d))
	slices.SortFunc(s.Candidates, func(a, b Candidate) int { return cmp.Compare(a.Node, b.Node) })
	s.RosterVersion++
}

// admitReadiness checks that a non-voter's own institution says that it is ready.
func (s *State) admitReadiness(by uint32, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeReadiness(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	node, ok := s.Node(d.Node)
	if !ok || node.Institution != by {
		return refuse(CodeActPayload, "node %q is not the sender's", d.Node)
	}
	if s.findCandidate(d.Node) < 0 {
		return refuse(CodeActPayload, "node %q was not promoted: it is a %s", d.Node, node.Kind)
	}
	return nil
}

func (s *State) acceptReadiness(a *act.Act) {
	d, err := act.DecodeReadiness(a.Payload)
	if err != nil {
		return // not admitted
	}
	replaced := s.Candidates[s.findCandidate(d.Node)].InPlaceOf
	s.setKind(d.Node, act.Voter)
	if replaced != "" {
		s.setKind(replaced, act.Mirror)
	}
	s.noteVoters()
}

// admissibleDemotion checks a demotion, its approvals aside.
func (s *State) admissibleDemotion(a *act.Act) *Refusal {
	d, err := act.DecodeDemotion(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	node, ok := s.Node(d.Node)
	switch {
	case !ok:
		return refuse(CodeActPayload, "there is no node %q", d.Node)
	case node.Kind == act.Mirror:
		return refuse(CodeActPayload, "node %q is a mirror already", d.Node)
	}
	return s.admitFewerVoters(func(n *act.Node) bool { return n.ID == d.Node })
}

// admitFewerVoters refuses to take voters away if too few would be left.
func (s *State) admitFewerVoters(taken func(*act.Node) bool) *Refusal {
	left, fewer := 0, false
	for i := range s.Nodes {
		n := &s.Nodes[i]
		switch {
		case n.Kind != act.Voter:
		case taken(n):
			fewer = true
		default:
			left++
		}
	}
	least := minVoters
	if s.Demo {
		least = 1
	}
	switch {
	case fewer && left < least:
		return refuse(CodeVoters, "%d voters would be left, at least %d are needed: promote another in its place", left, least)
	case fewer && len(s.VoterSets) >= maxVoterSets:
		return refuse(CodeVoters, "the voters have changed too often")
	}
	return nil
}

func (s *State) acceptDemotion(a *act.Act) {
	d, err := act.DecodeDemotion(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.setKind(d.Node, act.Mirror)
	s.noteVoters()
	s.RosterVersion++
}

// appendMembership appends who votes, waits to vote, and was removed: an array
// of 4.
func (s *State) appendMembership(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendArray(b, len(s.VoterSets))
	for _, set := range s.VoterSets {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, set.Size)
		b = cbor.AppendArray(b, len(set.Nodes))
		for _, id := range set.Nodes {
			b = cbor.AppendText(b, id)
		}
	}
	b = cbor.AppendArray(b, len(s.Candidates))
	for _, c := range s.Candidates {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendText(b, c.Node)
		b = cbor.AppendText(b, c.InPlaceOf)
	}
	b = cbor.AppendArray(b, len(s.Removals))
	for _, r := range s.Removals {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, uint64(r.Institution))
		b = cbor.AppendUint(b, r.At)
	}
	b = cbor.AppendArray(b, len(s.Gone))
	for i := range s.Gone {
		b = cbor.AppendArray(b, 2)
		b = s.Gone[i].Node.AppendCBOR(b)
		b = cbor.AppendUint(b, s.Gone[i].At)
	}
	return b
}

func (s *State) decodeMembership(d *cbor.Decoder) {
	d.Array(4)
	s.VoterSets = readList(d, maxVoterSets, func(d *cbor.Decoder) VoterSet {
		d.Array(2)
		return VoterSet{Size: d.Uint(), Nodes: readList(d, act.MaxVoters, func(d *cbor.Decoder) string { return d.Text(32) })}
	})
	s.Candidates = readList(d, act.MaxVoters, func(d *cbor.Decoder) Candidate {
		d.Array(2)
		return Candidate{Node: d.Text(32), InPlaceOf: d.Text(32)}
	})
	s.Removals = readList(d, maxMembers, func(d *cbor.Decoder) Removal {
		d.Array(2)
		return Removal{Institution: d.Uint32(), At: d.Uint()}
	})
	s.Gone = readList(d, maxMembers, func(d *cbor.Decoder) GoneNode {
		d.Array(2)
		return GoneNode{Node: act.DecodeNode(d), At: d.Uint()}
	})
	if n := len(s.VoterSets); d.Err() == nil && (n == 0 || !slices.Equal(s.VoterSets[n-1].Nodes, s.voterIDs())) {
		d.Fail("the last set of voters is not that of the roster")
	}
}
