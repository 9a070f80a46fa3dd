package consensus

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// simHospital submits a chain of envelopes, one after the other, each until it
// has an answer.
type simHospital struct {
	s        *sim
	m        *foundingtest.Member
	rng      *mathrand.Rand
	sequence uint64
	previous envelope.ID
	own      []sent // accepted entries, of which nothing is withdrawn
	readied  uint64 // number of the envelope that said last that its node is ready to vote
}

func (s *sim) hospital(i int) *simHospital {
	h := &simHospital{s: s, m: s.founded.Hospitals[i], rng: mathrand.New(mathrand.NewPCG(s.seed, uint64(i)+1))}
	if i == 0 { // sent the genesis
		h.sequence, h.previous = 1, s.founded.Genesis.ID()
	}
	return h
}

func (h *simHospital) run() {
	for {
		wait := time.Duration(h.rng.ExpFloat64() * float64(h.s.think))
		if !pause(h.s.ctx, wait) || h.s.over() {
			return
		}
		e, gone := h.next()
		raw := e.Marshal()
		h.s.seen.sent(e.ID())
		out, node, ok := h.send(raw)
		if !ok {
			return
		}
		h.s.check(h.m.Number, e, out)
		h.sequence, h.previous = e.Sequence, e.ID()
		h.s.seen.acknowledge(raw, out)
		if e.Kind == envelope.KindAct && gone == nil {
			h.readied = out.Number
			h.s.counted(act.TypeReadiness.String())
			continue
		}
		h.accepted(sent{raw, out}, gone)
		if h.rng.IntN(3) == 0 {
			h.receipt(node, out)
		}
		if h.rng.IntN(4) == 0 {
			h.sendAgain()
		}
	}
}

func (s *sim) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

func (h *simHospital) build() *envelope.Envelope {
	set, ok := h.s.genesis.ReadersFor(h.m.Number)
	if !ok {
		panic("sim: no reader set")
	}
	plain := make([]envelope.Plain, 1+h.rng.IntN(3))
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: fmt.Appendf(nil, "entry %d of %d", i, h.sequence)}
	}
	e, _, err := envelope.BuildEntries(envelope.Link{
		Network: h.s.founded.ID, Hospital: h.m.Number, Sequence: h.sequence + 1, Attempt: 1, Previous: h.previous,
		SignedAt: h.signedAt(),
	}, set, plain, h.m.Envelope, rand.Reader)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return e
}

// signedAt is slower than every node's clock.
func (h *simHospital) signedAt() uint64 { return uint64(h.s.now("").Add(-4 * time.Minute).UnixMilli()) }

// send submits bytes to nodes picked at random, now and then to two at once,
// until one answers.
func (h *simHospital) send(raw []byte) (Outcome, *simNode, bool) {
	for {
		if h.rng.IntN(8) == 0 {
			other := h.pick()
			go h.submit(other, raw)
		}
		n := h.pick()
		if out, ok := h.submit(n, raw); ok {
			return out, n, true
		}
		if !pause(h.s.ctx, 100*time.Millisecond+time.Duration(h.rng.Int64N(int64(2*time.Second)))) {
			return Outcome{}, nil, false
		}
	}
}

func (h *simHospital) pick() *simNode { return h.s.node(h.s.ids[h.rng.IntN(len(h.s.ids))]) }

// submit asks a node. What a node answers after it was killed was not heard.
func (h *simHospital) submit(n *simNode, raw []byte) (Outcome, bool) {
	if n == nil || h.s.isPaused(n.cfg.Self) {
		return Outcome{}, false
	}
	ctx, cancel := context.WithTimeout(h.s.ctx, 15*time.Second)
	defer cancel()
	out, err := n.Submit(ctx, raw)
	return out, err == nil && h.s.alive(n)
}

func (s *sim) alive(n *simNode) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !n.dead
}

// check judges an answer as soon as it is given: a hospital's own next envelope
// is never refused, and never loses its place.
func (s *sim) check(hospital uint32, e *envelope.Envelope, out Outcome) {
	switch {
	case out.Refusal != nil:
		s.violate("hospital %d #%d was refused: %v", hospital, e.Sequence, out.Refusal)
	case out.Count != e.Count || out.ID != e.ID():
		s.violate("hospital %d #%d was answered for another envelope", hospital, e.Sequence)
	}
}

// receipt waits for a receipt and keeps it.
func (h *simHospital) receipt(n *simNode, out Outcome) {
	ctx, cancel := context.WithTimeout(h.s.ctx, 20*time.Second)
	defer cancel()
	index := out.First + uint64(h.rng.IntN(int(out.Count)))
	if _, err := n.WaitCheckpoint(ctx, out.First+uint64(out.Count)); err != nil {
		return
	}
	leaf, proof, err := n.Receipt(index)
	if err != nil || !h.s.alive(n) {
		return // not yet, or the node ends: its Fatal says whether it may
	}
	h.s.seen.receipted(seenReceipt{n.cfg.Self, index, leaf, proof.Marshal(), proof.Checkpoint.Checkpoint})
}

// sendAgain sends an envelope that was acknowledged before: it keeps its place.
func (h *simHospital) sendAgain() {
	old, ok := h.s.seen.any(h.rng)
	if !ok {
		return
	}
	out, _, ok := h.send(old.raw)
	if !ok {
		return
	}
	want := old.out
	want.Duplicate, out.Duplicate = true, true
	if out != want {
		h.s.violate("sent again, envelope %d was answered %+v instead of %+v", old.out.Number, out, want)
	}
}
