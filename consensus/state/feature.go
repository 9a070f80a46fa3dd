package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrTooOld says that the network uses what this build does not know. Nothing is
// wrong with this node's copy: a newer build goes on with it.
var ErrTooOld = errors.New("this build is too old for the network: install a newer raresync and start it again")

// Follow tells whether this build can take in an envelope that was admitted:
// ErrTooOld if it raises the feature level above act.SupportedLevel. Whoever
// accepts envelopes asks before each.
func (s *State) Follow(e *envelope.Envelope) error {
	if e.Kind != envelope.KindAct {
		return nil
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil || a.Type != act.TypeFeature {
		return nil // not admitted, or nothing new
	}
	d, err := act.DecodeFeature(a.Payload)
	if err != nil || d.Level <= act.SupportedLevel {
		return nil
	}
	return fmt.Errorf("envelope %d raises the network to feature level %d, and this build knows level %d: %w",
		s.Envelopes, d.Level, act.SupportedLevel, ErrTooOld)
}

// Support returns the feature level that a node's build supports, and whether
// the node has said so; one that has not is taken to support the first.
func (s *State) Support(node string) (level uint64, said bool) {
	i, found := s.findSupport(node)
	if !found {
		return 1, false
	}
	return s.Supports[i].Level, true
}

// SupportDue reports whether a node is to say which level its build supports, at
// a log time in milliseconds: once that is another than the log says, and either
// it said one before, or a higher level is in force or proposed. A network that
// stays at level 1 is not filled with such acts.
func (s *State) SupportDue(node string, level, logTime uint64) bool {
	known, said := s.Support(node)
	if _, in := s.Node(node); !in || known == level {
		return false
	}
	_, proposed := s.ProposedLevel(logTime)
	return said || s.FeatureLevel > 1 || proposed
}

// ProposedLevel returns the highest feature level of the proposals that are open at
// a log time in milliseconds; ok is false if there is none.
func (s *State) ProposedLevel(logTime uint64) (level uint64, ok bool) {
	for i := range s.Proposals {
		p := &s.Proposals[i]
		if p.Act.Type != act.TypeFeature || s.endOf(p, logTime) != 0 {
			continue
		}
		if d, err := act.DecodeFeature(p.Act.Payload); err == nil { // it was admitted
			level, ok = max(level, d.Level), true
		}
	}
	return level, ok
}

func (s *State) findSupport(node string) (int, bool) {
	return slices.BinarySearchFunc(s.Supports, node, func(d act.Support, id string) int { return cmp.Compare(d.Node, id) })
}

// admitSupport checks what a node's own institution says of its build.
func (s *State) admitSupport(by uint32, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeSupport(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	node, ok := s.Node(d.Node)
	if !ok || node.Institution != by {
		return refuse(CodeActPayload, "node %q is not the sender's", d.Node)
	}
	if level, said := s.Support(d.Node); said && level == d.Level {
		return refuse(CodeActPayload, "node %q has said that it supports level %d", d.Node, d.Level)
	}
	return nil
}

func (s *State) acceptSupport(a *act.Act) {
	d, err := act.DecodeSupport(a.Payload)
	if err != nil {
		return // not admitted
	}
	list := slices.Clone(s.Supports) // a clone may share the array
	i, found := s.findSupport(d.Node)
	if found {
		list[i] = d
	} else {
		list = slices.Insert(list, i, d)
	}
	s.Supports = list
}

// dropSupport forgets what a node that was removed has said.
func (s *State) dropSupport(node string) {
	if i, found := s.findSupport(node); found {
		s.Supports = slices.Delete(slices.Clone(s.Supports), i, i+1)
	}
}

// admissibleFeature checks that a raise raises; whether the voters are ready for
// it is [State.votersSupport]'s to say, since a proposal is what asks them.
func (s *State) admissibleFeature(a *act.Act) *Refusal {
	d, err := act.DecodeFeature(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if d.Level <= s.FeatureLevel {
		return refuse(CodeActPayload, "feature level %d is in force, and never falls", s.FeatureLevel)
	}
	return nil
}

// votersSupport refuses a raise while a voter has not said that its build
// supports the level: it would stop, and with enough of them the network.
func (s *State) votersSupport(a *act.Act) *Refusal {
	if a.Type != act.TypeFeature {
		return nil
	}
	d, err := act.DecodeFeature(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	for _, v := range s.Voters() {
		if level, _ := s.Support(v.ID); level < d.Level {
			return refuse(CodeSupport, "voter %q supports feature level %d, not %d: install a newer build there first", v.ID, level, d.Level)
		}
	}
	return nil
}

// admitFeature checks a raise with its approvals.
func (s *State) admitFeature(a *act.Act, logTime uint64) *Refusal {
	if r := s.approved(a, logTime); r != nil {
		return r
	}
	if r := s.admissibleFeature(a); r != nil {
		return r
	}
	return s.votersSupport(a)
}

func (s *State) acceptFeature(a *act.Act) {
	if d, err := act.DecodeFeature(a.Payload); err == nil { // else not admitted
		s.FeatureLevel = d.Level
	}
}

// knownType refuses an act whose version or type is above the level in force.
func (s *State) knownType(a *act.Act) *Refusal {
	switch {
	case a.Version != act.Version:
		return refuse(CodeActType, "act version %d is above feature level %d", a.Version, s.FeatureLevel)
	case a.Type.Level() > s.FeatureLevel:
		return refuse(CodeActType, "%s is of feature level %d, and level %d is in force", a.Type, a.Type.Level(), s.FeatureLevel)
	}
	return nil
}

// appendFeatures appends what nodes support, and from level 2 on the editions: an
// array of 1 or 2. A build of a lower level reads it while that level is in force.
func (s *State) appendFeatures(b []byte) []byte {
	b = cbor.AppendArray(b, int(min(s.FeatureLevel, 2)))
	b = cbor.AppendArray(b, len(s.Supports))
	for _, d := range s.Supports {
		b = d.AppendCBOR(b)
	}
	if s.FeatureLevel < 2 {
		return b
	}
	return s.appendEditions(b)
}

func (s *State) decodeFeatures(d *cbor.Decoder) {
	d.Array(int(min(s.FeatureLevel, 2)))
	s.Supports = readList(d, maxMembers, act.ReadSupport)
	if s.FeatureLevel >= 2 {
		s.decodeEditions(d)
	}
}
