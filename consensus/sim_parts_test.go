package consensus

import (
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// simCouncil changes who votes by act, one change after the other: it has the
// reader's mirror promoted in place of a voter, voters demoted, and mirrors promoted
// again, in place of others or beside them. The acts are sent by the reader, who
// sends nothing else, and approved by three of the hospitals.
type simCouncil struct {
	h       *simHospital
	attempt uint32
	made    map[act.Type]int // acts that were accepted
}

func (s *sim) council() *simCouncil {
	h := s.hospital(0)
	h.m, h.sequence, h.previous = s.founded.Reader, 0, envelope.ID{}
	h.rng = mathrand.New(mathrand.NewPCG(s.seed, uint64(len(s.founded.Hospitals))+1))
	return &simCouncil{h: h, attempt: 1, made: map[act.Type]int{}}
}

// run goes on until the first change is made, whatever happens, and then as long as
// hospitals do.
func (c *simCouncil) run() {
	s := c.h.s
	for pause(s.ctx, time.Duration(c.h.rng.ExpFloat64()*float64(s.think))) && (!s.over() || c.made[act.TypeReadiness] == 0) {
		a, ok := c.next()
		if ok && !c.send(a) {
			return
		}
	}
}

// next draws a change. While one is under way there is none but its end: the
// reader's word that its node is ready.
func (c *simCouncil) next() (a act.Act, ok bool) {
	view := c.h.s.newest()
	if view == nil {
		return act.Act{}, false
	}
	reader := c.h.m.Node
	var voters, mirrors []string
	for _, n := range view.Nodes {
		switch {
		case n.Kind == act.NonVoter && n.ID == reader && c.h.s.readyToVote(reader):
			return readiness(reader), true
		case n.Kind == act.NonVoter:
			return act.Act{}, false
		case n.Kind == act.Voter:
			voters = append(voters, n.ID)
		case n.ID == reader || slices.Contains(c.h.s.voters, n.ID):
			mirrors = append(mirrors, n.ID)
		}
	}
	if c.made[act.TypePromotion] == 0 {
		p := act.Promotion{Node: reader, InPlaceOf: voters[c.h.rng.IntN(len(voters))]}
		return c.decided(view.RosterVersion, act.TypePromotion, p.Marshal()), true
	}
	if len(mirrors) == 0 || len(voters) >= simVoters && c.h.rng.IntN(3) == 0 {
		d := act.Demotion{Node: voters[c.h.rng.IntN(len(voters))]}
		return c.decided(view.RosterVersion, act.TypeDemotion, d.Marshal()), true
	}
	p := act.Promotion{Node: mirrors[c.h.rng.IntN(len(mirrors))]}
	if len(voters) >= simVoters-1 && c.h.rng.IntN(2) == 0 {
		p.InPlaceOf = voters[c.h.rng.IntN(len(voters))]
	}
	return c.decided(view.RosterVersion, act.TypePromotion, p.Marshal()), true
}

func (c *simCouncil) decided(roster uint64, kind act.Type, payload []byte) act.Act {
	a := act.Act{Version: act.Version, Type: kind, RosterVersion: roster, Expiry: foundingtest.SignedAt + act.MaxProposalLife, Payload: payload}
	for _, m := range c.h.s.founded.Hospitals[:simVoters/2+1] {
		p, err := a.Approve(c.h.s.founded.ID, m.Number, m.Envelope)
		if err != nil {
			panic("sim: " + err.Error())
		}
		a.Approvals = append(a.Approvals, p)
	}
	return a
}

// send has an act answered. It may be refused: the node that was asked for the roster
// may have been behind.
func (c *simCouncil) send(a act.Act) bool {
	h := c.h
	e := h.act(a, c.attempt)
	h.s.seen.sent(e.ID())
	out, _, ok := h.send(e.Marshal())
	switch {
	case !ok:
		return false
	case out.Refusal != nil:
		c.attempt++
		return true
	}
	h.sequence, h.previous, c.attempt = e.Sequence, e.ID(), 1
	h.s.seen.acknowledge(e.Marshal(), out)
	c.made[a.Type]++
	h.s.counted(a.Type.String())
	return true
}

// act builds an envelope that holds one.
func (h *simHospital) act(a act.Act, attempt uint32) *envelope.Envelope {
	e, err := envelope.BuildAct(envelope.Link{
		Network: h.s.founded.ID, Hospital: h.m.Number, Sequence: h.sequence + 1, Attempt: attempt, Previous: h.previous, SignedAt: h.signedAt(),
	}, a.Marshal(), h.m.Envelope)
	if err != nil {
		panic("sim: " + err.Error())
	}
	return e
}

func readiness(node string) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeReadiness, Payload: act.Readiness{Node: node}.Marshal()}
}

// readies returns the hospital's word that its node is ready to vote, if it was
// promoted and is.
func (h *simHospital) readies() *envelope.Envelope {
	n := h.s.node(h.m.Node)
	if !h.s.parts || n == nil || n.partIn(n.View()) != act.NonVoter || n.View().Envelopes <= h.readied || !h.s.readyToVote(h.m.Node) {
		return nil
	}
	return h.act(readiness(h.m.Node), 1)
}

func (s *sim) readyToVote(id string) bool {
	n := s.node(id)
	return n != nil && !s.isPaused(id) && n.ReadyToVote() == nil
}

// newest returns the state of whichever node has most of the log.
func (s *sim) newest() (newest *state.State) {
	for _, id := range s.ids {
		if n := s.node(id); n != nil && (newest == nil || n.View().Envelopes > newest.Envelopes) {
			newest = n.View()
		}
	}
	return newest
}

func (s *sim) counted(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts[kind]++
}

// TestPromisesHoldWhileTheVotersChange has a mirror promoted by act in place of a voter,
// and more changes after it as far as they come, under faults.
func TestPromisesHoldWhileTheVotersChange(t *testing.T) {
	sc := scenario{parts: true, steps: 10, between: 6 * time.Second, think: 6 * time.Second, settle: 20 * time.Minute}
	for sc.seed = 1; sc.seed <= simSeeds; sc.seed++ {
		s := simulate(t, sc)
		t.Logf("%s: acts %v, faults %v, %d commits in %s", sc, s.acts, s.counts, len(s.seen.acks), s.seen.elapsed)
		for _, v := range s.violations {
			t.Errorf("%s, after %s: %s", sc, s.seen.elapsed, v)
		}
		if s.acts[act.TypePromotion.String()] == 0 || s.acts[act.TypeReadiness.String()] == 0 {
			t.Errorf("%s: nobody was promoted: %v", sc, s.acts)
		}
		if t.Failed() {
			return
		}
	}
}
