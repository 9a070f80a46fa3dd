package state

import (
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Accepted is the place an envelope got in the log.
type Accepted struct {
	Number   uint64 // envelope number
	First    uint64 // index of its first leaf
	LogTime  uint64 // ms
	Previous uint64 // number of the same institution's envelope before; NoPrevious if none
	Leaves   [][]byte
	Hashes   [25][]tlog.Hash // completed subtree hashes by height; 0, 8, 16, 24 are used
}

// NoPrevious as Accepted.Previous says the institution had no envelope before.
const NoPrevious = 1<<64 - 1

// Accept gives an admitted envelope its number and its leaves and takes in
// what it says. The caller has the refusal of [State.Admit] behind it.
func (s *State) Accept(e *envelope.Envelope, logTime uint64, commitments [][32]byte) Accepted {
	m := &s.Members[e.Hospital-1]
	a := Accepted{Number: s.Envelopes, First: s.Tree.Size(), LogTime: logTime, Previous: NoPrevious}
	if m.Chain.Sequence > 0 {
		a.Previous = m.Chain.Number
	}
	a.Leaves = make([][]byte, len(commitments))
	a.Hashes[0] = make([]tlog.Hash, 0, len(commitments))
	flat := make([]byte, 0, len(commitments)*envelope.LeafBytes)
	for place, c := range commitments {
		start := len(flat)
		flat = e.Leaf(uint32(place), logTime, c).Append(flat)
		a.Leaves[place] = flat[start:len(flat):len(flat)]
		s.Tree.Append(tlog.LeafHash(a.Leaves[place]), func(height uint, h tlog.Hash) {
			a.Hashes[height] = append(a.Hashes[height], h)
		})
	}
	m.Chain = Chain{Sequence: e.Sequence, Attempt: e.Attempt, ID: e.ID(), Number: a.Number}
	if e.Kind == envelope.KindAct {
		s.acceptAct(e, logTime)
	}
	s.LogTime = logTime
	s.Envelopes++
	return a
}
