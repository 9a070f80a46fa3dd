package consensus

import (
	"bytes"
	"slices"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// simWithdrawal is entries of one envelope that their hospital has withdrawn,
// with what is to be found nowhere once a node says so.
type simWithdrawal struct {
	of      sent // the envelope
	places  []int
	number  uint64 // of the envelope that withdraws them
	needles []needle
}

// next builds the hospital's next envelope: entries, now and then the
// withdrawal of some that it sent before, or its word that its node can vote.
func (h *simHospital) next() (*envelope.Envelope, *simWithdrawal) {
	if e := h.readies(); e != nil {
		return e, nil
	}
	if often := h.s.withdrawals; often == 0 || len(h.own) == 0 || h.rng.IntN(often) != 0 {
		return h.build(), nil
	}
	at := h.rng.IntN(len(h.own))
	w := &simWithdrawal{of: h.own[at]}
	h.own = slices.Delete(h.own, at, at+1)
	first := h.rng.IntN(int(w.of.out.Count))
	count := 1 + h.rng.IntN(int(w.of.out.Count)-first)
	for place := first; place < first+count; place++ {
		w.places = append(w.places, place)
	}
	for _, n := range needlesOf(h.s.t, w.of.raw, w.places...) {
		if len(w.needles) < maxSimNeedles {
			w.needles = append(w.needles, n)
		}
	}
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{
		Hospital: h.m.Number, Entries: []act.Span{{First: w.of.out.First + uint64(first), Count: uint64(count)}},
	}.Marshal()}
	return h.act(a, 1), w
}

// maxSimNeedles bounds what is looked for of one withdrawal: the salt of its
// first entry and the beginning of the body.
const maxSimNeedles = 4

// accepted takes note of an envelope that was answered.
func (h *simHospital) accepted(answered sent, w *simWithdrawal) {
	if w == nil {
		h.own = append(h.own, answered)
		return
	}
	w.number = answered.out.Number
	h.s.seen.mu.Lock()
	defer h.s.seen.mu.Unlock()
	h.s.seen.withdrawals = append(h.s.seen.withdrawals, *w)
}

// erasedThrough returns the withdrawals up to an envelope number.
func (w *witness) erasedThrough(number uint64) (out []simWithdrawal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.withdrawals {
		if one.number <= number {
			out = append(out, one)
		}
	}
	return out
}

// wantForgotten looks through a node's files for what it says it has erased,
// through a withdrawal.
func (s *sim) wantForgotten(id, dir string, through uint64) {
	for _, w := range s.seen.erasedThrough(through) {
		if found := search(s.t, dir, w.needles); len(found) > 0 {
			s.violate("%s has erased what envelope %d withdraws, and still holds it: %s", id, w.number, found[0])
		}
	}
}

// through returns through which withdrawal a node says that it has erased all.
func (s *sim) through(id string) uint64 {
	n := s.node(id)
	if n == nil {
		return 0
	}
	through, _ := n.Erased()
	return through
}

// wantErasedLeftOut looks at what a node sent to a peer after it had erased
// through a withdrawal.
func (s *sim) wantErasedLeftOut(id string, through uint64, from uint64, pulled []Pulled) {
	for _, w := range s.seen.erasedThrough(through) {
		if w.of.out.Number < from || w.of.out.Number >= from+uint64(len(pulled)) {
			continue
		}
		for _, n := range w.needles {
			if bytes.Contains(pulled[w.of.out.Number-from].Envelope, n.bytes) {
				s.violate("%s has erased what envelope %d withdraws, and sends it: %s", id, w.number, n.what)
				break
			}
		}
	}
}

// allErased reports whether every node has erased what was withdrawn.
func (s *sim) allErased() bool {
	s.seen.mu.Lock()
	last := uint64(0)
	for _, w := range s.seen.withdrawals {
		last = max(last, w.number)
	}
	s.seen.mu.Unlock()
	return !slices.ContainsFunc(s.ids, func(id string) bool { return s.through(id) < last })
}

// left returns an envelope that was acknowledged as it is held in the end:
// without what was withdrawn of it.
func (w *witness) left(a sent) []byte {
	for _, one := range w.withdrawals {
		if one.of.out.Number != a.out.Number {
			continue
		}
		e, err := envelope.Decode(a.raw)
		if err != nil {
			return nil
		}
		return e.Erase(func(place int) bool { return slices.Contains(one.places, place) }).Marshal()
	}
	return a.raw
}

// verifyErasures looks once more for what was withdrawn, now that nothing runs:
// by then every node has erased all of it.
func (s *sim) verifyErasures() {
	for _, id := range s.ids {
		s.wantForgotten(id, s.dirs[id], ^uint64(0))
	}
}
