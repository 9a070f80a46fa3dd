package consensus

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/survivor"
)

// Why no recovery is planned.
var (
	// ErrMajorityLeft says that enough voters are there: they need only be started.
	ErrMajorityLeft = errors.New("a majority of the voters is left, and needs no recovery: start them")
	// ErrNotLongest says that another survivor's copy is longer.
	ErrNotLongest = errors.New("another copy is longer")
	// ErrContradiction says that two copies hold different logs: evidence that
	// somebody forked it, or that a disk was set back.
	ErrContradiction = errors.New("two copies contradict each other")
	// ErrSurvey says that a survey cannot be used.
	ErrSurvey = errors.New("survey not usable")
)

// Survey says what this stopped node holds, for whoever compares the survivors. The
// log key is the node's first one; the caller signs.
func (s *Survivor) Survey(log *sign.PrivateKey) (*survivor.Survey, error) {
	view := s.View()
	self, ok := view.Node(s.n.cfg.Self)
	if !ok {
		return nil, fmt.Errorf("survey: node %s is not in the roster of its own copy", s.n.cfg.Self)
	}
	next, err := log.LogKeyOf(view.Network, view.LogEpoch+1)
	if err != nil {
		return nil, fmt.Errorf("survey: %w", err)
	}
	out := &survivor.Survey{
		Network: view.Network, Node: self.ID, Institution: self.Institution, Kind: s.n.kind, At: s.n.nowMillis(),
		Epoch: view.LogEpoch, Envelopes: view.Envelopes, Size: view.Tree.Size(), Root: view.Tree.Root(), LogTime: view.LogTime,
		Index: s.index, Term: s.term, NextLog: next.Public(),
	}
	if s.checkpoint.Size > 0 {
		out.Checkpoint = s.checkpoint.Marshal()
	}
	return out, nil
}

// Plan is how a network goes on from this survivor's copy.
type Plan struct {
	Recovery *act.Recovery
	From     uint64 // number of envelopes of the shortest copy
	Known    uint64 // size of the largest checkpoint that a survivor knows: beyond the cut, entries under it are lost
	Behind   []string
}

// Plan compares the surveys with this copy, which must be the longest of them, and
// plans the next epoch: the voters that are left vote, and the mirrors to promote;
// voters that nobody has surveyed are fenced, and so is whoever is named beside them.
func (s *Survivor) Plan(surveys []*survivor.Survey, promote, fence []string) (*Plan, error) {
	p, err := s.plan(surveys, promote, fence)
	if err != nil {
		return nil, fmt.Errorf("plan a recovery: %w", err)
	}
	return p, nil
}

func (s *Survivor) plan(surveys []*survivor.Survey, promote, fence []string) (*Plan, error) {
	view := s.View()
	p := &Plan{From: view.Envelopes, Recovery: &act.Recovery{
		Epoch: view.LogEpoch + 1, Size: view.Tree.Size(), Root: view.Tree.Root(), Envelopes: view.Envelopes, Index: 1, Term: 1,
	}}
	seen := map[string]*survivor.Survey{}
	for _, one := range surveys {
		if seen[one.Node] != nil {
			return nil, fmt.Errorf("%w: there are two of node %s", ErrSurvey, one.Node)
		}
		seen[one.Node] = one
		if err := s.compareWith(one, p); err != nil {
			return nil, err
		}
	}
	if own := seen[s.n.cfg.Self]; own == nil || own.Envelopes != view.Envelopes {
		return nil, fmt.Errorf("%w: that of this node, %s, is missing or of another copy: survey again", ErrSurvey, s.n.cfg.Self)
	}
	p.Recovery.Index, p.Recovery.Term = p.Recovery.Index+1, p.Recovery.Term+1
	if err := s.assignParts(p, seen, promote, fence); err != nil {
		return nil, err
	}
	if r := view.CheckRecovery(p.Recovery); r != nil {
		return nil, r
	}
	return p, nil
}

// compareWith checks that a survey is a member's word, and that its copy is the
// beginning of this one; it notes in the plan what follows from it.
func (s *Survivor) compareWith(one *survivor.Survey, p *Plan) error {
	view := s.View()
	if err := checkSurvey(view, one); err != nil {
		return fmt.Errorf("%w: %w", ErrSurvey, err)
	}
	if one.Envelopes > view.Envelopes || one.Size > view.Tree.Size() {
		return fmt.Errorf("%w: %s has %d envelopes, %d entries, and %s has %d, %d: make the draft at %s",
			ErrNotLongest, one.Node, one.Envelopes, one.Size, s.n.cfg.Self, view.Envelopes, view.Tree.Size(), one.Node)
	}
	root, err := s.n.machine.RootAt(one.Size)
	if err != nil {
		return err
	}
	if root != one.Root {
		return fmt.Errorf("%w: at %d entries %s has the root %x (raft term %d, index %d), and %s has %x (term %d, index %d)",
			ErrContradiction, one.Size, one.Node, one.Root[:8], one.Term, one.Index, s.n.cfg.Self, root[:8], s.term, s.index)
	}
	if err := s.compareCheckpoint(one, p); err != nil {
		return err
	}
	p.From = min(p.From, one.Envelopes)
	p.Recovery.Index, p.Recovery.Term = max(p.Recovery.Index, one.Index), max(p.Recovery.Term, one.Term)
	if one.Envelopes < view.Envelopes {
		p.Behind = append(p.Behind, one.Node)
	}
	return nil
}

// checkSurvey checks whose word a survey is.
func checkSurvey(view *state.State, one *survivor.Survey) error {
	node, ok := view.Node(one.Node)
	m, member := view.Member(one.Institution)
	switch {
	case one.Network != view.Network:
		return fmt.Errorf("that of %s is of network %x, this one is %x", one.Node, one.Network[:8], view.Network[:8])
	case one.Epoch != view.LogEpoch:
		return fmt.Errorf("that of %s is of log epoch %d, this copy of %d", one.Node, one.Epoch, view.LogEpoch)
	case !ok || !member || node.Institution != one.Institution:
		return fmt.Errorf("node %q of institution %d is not in the roster", one.Node, one.Institution)
	case view.Revoked(one.KeyID):
		return fmt.Errorf("that of %s: its key was revoked", one.Node)
	}
	return one.Verify(m.Envelope)
}

// compareCheckpoint looks at the newest checkpoint that a survivor kept: one that
// this copy contradicts is proof of a fork, one beyond it of a loss.
func (s *Survivor) compareCheckpoint(one *survivor.Survey, p *Plan) error {
	if len(one.Checkpoint) == 0 {
		return nil
	}
	sc, err := s.verified(one.Checkpoint)
	if err != nil {
		return fmt.Errorf("%w: the checkpoint of %s: %w", ErrSurvey, one.Node, err)
	}
	p.Known = max(p.Known, sc.Size)
	return s.contradicts(sc, "the checkpoint of "+one.Node)
}

func (s *Survivor) verified(note []byte) (tlog.SignedCheckpoint, error) {
	sc, err := parseNote(note)
	if err != nil {
		return sc, err
	}
	_, err = s.n.checkpoints.judges.verify(sc)
	return sc, err
}

func (s *Survivor) contradicts(sc tlog.SignedCheckpoint, what string) error {
	if sc.Size > s.View().Tree.Size() {
		return nil
	}
	root, err := s.n.machine.RootAt(sc.Size)
	if err == nil && root != sc.Root {
		err = fmt.Errorf("%w: a majority of the voters has signed %s, of %d entries with root %x; this copy has %x", ErrContradiction, what, sc.Size, sc.Root[:8], root[:8])
	}
	return err
}

// assignParts says who votes and who is fenced.
func (s *Survivor) assignParts(p *Plan, seen map[string]*survivor.Survey, promote, fence []string) error {
	view, left := s.View(), 0
	for _, id := range promote {
		if n, ok := view.Node(id); !ok || seen[id] == nil || n.Kind == act.Voter {
			return fmt.Errorf("%w: node %q is to be promoted, and is no surveyed mirror", ErrSurvey, id)
		}
	}
	for _, id := range fence {
		if _, ok := view.Node(id); !ok || seen[id] != nil {
			return fmt.Errorf("%w: node %q is to be fenced, and is not in the roster or was surveyed", ErrSurvey, id)
		}
	}
	for i := range view.Nodes {
		n := &view.Nodes[i]
		one := seen[n.ID]
		switch {
		case one != nil && (n.Kind == act.Voter || slices.Contains(promote, n.ID)):
			if n.Kind == act.Voter {
				left++
			}
			p.Recovery.Voters = append(p.Recovery.Voters, act.EpochVoter{Node: n.ID, Log: one.NextLog})
		case one == nil && (n.Kind != act.Mirror || slices.Contains(fence, n.ID)):
			p.Recovery.Fenced = append(p.Recovery.Fenced, n.ID)
		}
	}
	if voters := len(view.Voters()); left >= voters/2+1 {
		return fmt.Errorf("%w: %d of %d", ErrMajorityLeft, left, voters)
	}
	return nil
}

// Fate is what becomes of a receipt.
type Fate struct {
	Index      uint64
	Checkpoint uint64 // size of its checkpoint
	Kept       bool   // the entry is in this copy; else it is lost at the recovery
}

// FateOf tells what becomes of a receipt, a tlog-proof with its leaf, if the network
// goes on from this copy. One that is valid and contradicts the copy is
// ErrContradiction.
func (s *Survivor) FateOf(receipt []byte) (Fate, error) {
	p, err := tlog.ParseProof(receipt)
	if err != nil {
		return Fate{}, fmt.Errorf("receipt: %w", err)
	}
	sc, err := s.verified(p.Checkpoint.Marshal())
	if err == nil && len(p.Extra) == 0 {
		err = errors.New("it holds no leaf: write it with log prove")
	}
	if err == nil {
		err = tlog.VerifyInclusion(tlog.LeafHash(p.Extra), p.Index, sc.Size, p.Hashes, sc.Root)
	}
	if err == nil {
		err = s.contradicts(sc, "a receipt's checkpoint")
	}
	if err != nil {
		return Fate{}, fmt.Errorf("receipt: %w", err)
	}
	f := Fate{Index: p.Index, Checkpoint: sc.Size}
	if p.Index < s.View().Tree.Size() {
		leaf, err := s.Leaf(p.Index)
		if err != nil {
			return Fate{}, err
		}
		f.Kept = string(leaf) == string(p.Extra)
	}
	return f, nil
}

// Compare tells whether a recovery, drafted elsewhere, leaves anything of this copy
// behind: its surveys are members' words, the base's is that of the cut, and this
// copy does not go beyond it. A hospital asks before it approves. A copy of the genesis
// alone, of a hospital that has its keys and nothing else left, compares nothing.
func (s *Survivor) Compare(d *survivor.Draft) error {
	if err := s.compare(d); err != nil {
		return fmt.Errorf("compare with the draft: %w", err)
	}
	return nil
}

func (s *Survivor) compare(d *survivor.Draft) error {
	view, cut := s.View(), d.Recovery
	if s.Blank() {
		return nil
	}
	based := false
	for _, one := range d.Surveys {
		if err := checkSurvey(view, one); err != nil {
			return fmt.Errorf("%w: %w", ErrSurvey, err)
		}
		based = based || one.Node == d.Base && one.Envelopes == cut.Envelopes && one.Size == cut.Size && [32]byte(one.Root) == cut.Root
	}
	switch root := view.Tree.Root(); {
	case !based:
		return fmt.Errorf("%w: the cut is not where the copy of %s ends", ErrSurvey, d.Base)
	case cut.Epoch != view.LogEpoch+1:
		return fmt.Errorf("log epoch %d, and this copy is in %d: %w", cut.Epoch, view.LogEpoch, ErrBegun)
	case d.Act.RosterVersion != view.RosterVersion && view.Envelopes == cut.Envelopes:
		return fmt.Errorf("%w: it is for roster %d, which is %d at the cut", ErrSurvey, d.Act.RosterVersion, view.RosterVersion)
	case view.Envelopes > cut.Envelopes:
		return fmt.Errorf("%w: it has %d envelopes, and the cut is behind %d: its survey belongs into the draft", ErrBeyondCut, view.Envelopes, cut.Envelopes)
	case view.Envelopes == cut.Envelopes && root != cut.Root:
		return fmt.Errorf("%w: its root at %d is %x, and the cut's is %x", ErrContradiction, cut.Size, root[:8], cut.Root[:8])
	}
	return nil
}
