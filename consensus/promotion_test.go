package consensus

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// post has an institution's act accepted, through a node.
func (c *cluster) post(m *foundingtest.Member, through string, a act.Act) Outcome {
	c.t.Helper()
	at, ok := c.node(through).View().Member(m.Number)
	if !ok {
		c.t.Fatalf("no member %d", m.Number)
	}
	e, err := envelope.BuildAct(envelope.Link{
		Network: c.founded.ID, Hospital: m.Number, Sequence: at.Chain.Sequence + 1, Attempt: 1, Previous: at.Chain.ID,
		SignedAt: uint64(c.now("").UnixMilli()),
	}, a.Marshal(), m.Envelope)
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := c.send(func() string { return through }, e.Marshal())
	if err != nil || out.Refusal != nil {
		c.t.Fatalf("%s through %s: %v, refused: %v", a.Type, through, err, out.Refusal)
	}
	c.until("all to have applied the "+a.Type.String(), func() bool {
		for _, n := range c.running() {
			if n.View().Envelopes <= out.Number {
				return false
			}
		}
		return true
	})
	return out
}

// decide has an act accepted that the first two hospitals approve.
func (c *cluster) decide(through string, kind act.Type, payload []byte) Outcome {
	c.t.Helper()
	a := act.Act{Version: act.Version, Type: kind, RosterVersion: c.node(through).View().RosterVersion,
		Expiry: foundingtest.SignedAt + act.MaxProposalLife, Payload: payload}
	for _, m := range c.founded.Hospitals[:2] {
		p, err := a.Approve(c.founded.ID, m.Number, m.Envelope)
		if err != nil {
			c.t.Fatal(err)
		}
		a.Approvals = append(a.Approvals, p)
	}
	return c.post(c.founded.Hospitals[0], through, a)
}

// reopened waits until a node is to take another part, and opens it again.
func (c *cluster) reopened(id string) {
	c.t.Helper()
	c.mu.Lock()
	parted := c.parted[id]
	c.mu.Unlock()
	select {
	case <-parted:
	case <-c.ctx.Done():
		c.t.Fatalf("%s is not told of its other part%s", id, c.describe())
	}
	c.close(c.ctx, id)
	c.open(id)
}

// becomesVoter does what a daemon does from the promotion on.
func (c *cluster) becomesVoter(id string) {
	c.t.Helper()
	c.reopened(id)
	c.until(id+" to have all of the log", func() bool { return c.node(id).ReadyToVote() == nil })
	c.post(c.member(id), c.node(c.leader()).cfg.Self, act.Act{Version: act.Version, Type: act.TypeReadiness, Payload: act.Readiness{Node: id}.Marshal()})
	c.until("Raft to count "+id, func() bool { return c.votes(c.node(c.leader()), id) })
}

// resume lets chains go on behind the acts that their hospitals have sent.
func (c *cluster) resume(chains []*chain) {
	for _, h := range chains {
		h.sequence, h.previous = c.lastOf(h)
	}
}

func (c *cluster) wantServers(want ...string) {
	c.t.Helper()
	var got []string
	c.until("the Raft configuration to be the roster's", func() bool {
		got = nil
		servers, err := c.node(c.leader()).RaftServers()
		if err != nil {
			c.t.Fatal(err)
		}
		for _, s := range servers {
			if s.Votes {
				got = append(got, s.Node)
			}
		}
		return slices.Equal(got, want) && len(servers) == len(want)
	})
}

func TestAMirrorBecomesAVoterInPlaceOfADeadOne(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader, dead := c.leader(), c.follower()
	chains := c.load(2, 2, c.voters()...)
	c.converged(1 + 3*2*2)
	c.close(ended(), dead)
	c.decide(leader, act.TypePromotion, act.Promotion{Node: "reader", InPlaceOf: dead}.Marshal())
	c.becomesVoter("reader")
	left := append(c.without(dead), "reader")
	slices.Sort(left)
	c.wantServers(left...)
	c.resume(chains)
	c.continueLoad(chains, 1, 2, c.without(dead)...)
	at := c.converged(1 + 3*2*3 + 2)
	c.until("the reader to vote and cosign", func() bool {
		n := c.node("reader")
		if n.Status().Kind == act.Voter && n.signer.lastSize() > 0 {
			return true
		}
		c.continueLoad(chains, 1, 1, c.without(dead)...) // a majority may have made all checkpoints without it
		at = c.converged(at.Size + uint64(len(chains)))
		return false
	})
	c.verify(chains)
	c.close(t.Context(), leader) // from here on the new voter's vote and cosignature are needed
	survivor := c.without(leader)[0]
	if survivor == dead {
		survivor = c.without(leader)[1]
	}
	if err := chains[0].run(1, 1, survivor, "reader"); err != nil {
		t.Fatal(err)
	}
	c.converged(at.Size + 1)

	c.open(dead) // it comes back, was a voter when it left, and finds out that it is none
	c.reopened(dead)
	c.until(dead+" to be a mirror that has all", func() bool {
		s := c.node(dead).Status()
		return s.Kind == act.Mirror && s.Ready && s.Size >= at.Size+1
	})
	if p, err := c.node(dead).notedPart(); err != nil || p.Kind != act.Mirror {
		t.Errorf("noted for the next start: %+v, %v", p, err)
	}
	if _, err := os.Lstat(filepath.Join(c.dirs[dead], "raft", logFile)); err == nil {
		t.Error("a voter of before keeps Raft's log, which no erasure reaches")
	}
}

func TestADemotedVoterIsAMirrorAndComesBack(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader, out := c.leader(), c.follower()
	chains := c.load(2, 1, c.voters()...)
	c.converged(1 + 3*2)
	c.decide(leader, act.TypeDemotion, act.Demotion{Node: out}.Marshal())
	c.reopened(out)
	c.wantServers(c.without(out)...)
	c.wantStreamRefused(out, c.leader())
	c.resume(chains)
	c.continueLoad(chains, 1, 1, c.without(out)...)
	c.converged(1 + 3*3 + 1)
	if s := c.node(out).Status(); s.Kind != act.Mirror || s.Term != 0 {
		t.Errorf("demoted and a %s in term %d", s.Kind, s.Term)
	}
	c.decide(c.leader(), act.TypePromotion, act.Promotion{Node: out}.Marshal())
	c.becomesVoter(out)
	c.wantServers(c.voters()...)
	c.resume(chains)
	c.continueLoad(chains, 1, 1, c.voters()...)
	c.converged(1 + 3*4 + 3)
	c.verify(chains)
}

func TestALeaderThatIsDemotedHandsOver(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader := c.leader()
	c.converged(1)
	c.decide(leader, act.TypeDemotion, act.Demotion{Node: leader}.Marshal())
	c.reopened(leader)
	c.wantServers(c.without(leader)...)
	chains := []*chain{c.chain(1), c.chain(2)}
	c.continueLoad(chains, 1, 1, c.without(leader)...)
	c.converged(1 + 1 + 2)
}

func TestStepsLeadFromAConfigurationToTheRoster(t *testing.T) {
	servers := func(voters, others string) (list []raft.Server) {
		for _, c := range voters {
			list = append(list, raft.Server{ID: raft.ServerID(c), Suffrage: raft.Voter})
		}
		for _, c := range others {
			list = append(list, raft.Server{ID: raft.ServerID(c), Suffrage: raft.Nonvoter})
		}
		return list
	}
	roster := func(voters, others string) map[string]act.NodeKind {
		out := map[string]act.NodeKind{}
		for _, c := range voters {
			out[string(c)] = act.Voter
		}
		for _, c := range others {
			out[string(c)] = act.NonVoter
		}
		return out
	}
	for name, tc := range map[string]struct {
		servers []raft.Server
		roster  map[string]act.NodeKind
		away    map[string]bool
		want    step
	}{
		"as it should be":                    {servers("abc", ""), roster("abc", ""), nil, step{}},
		"one promoted":                       {servers("abc", ""), roster("abc", "d"), nil, step{stepAdd, "d"}},
		"one that was added waits":           {servers("abc", "d"), roster("abc", "d"), nil, step{}},
		"one ready":                          {servers("abc", "d"), roster("abcd", ""), nil, step{stepEnfold, "d"}},
		"one ready in place of another":      {servers("abc", "d"), roster("abd", ""), nil, step{stepEnfold, "d"}},
		"then the other loses its vote":      {servers("abcd", ""), roster("abd", ""), nil, step{stepDemote, "c"}},
		"and is let go":                      {servers("abd", "c"), roster("abd", ""), nil, step{stepRelease, "c"}},
		"this leader demoted":                {servers("abc", ""), roster("bc", ""), nil, step{stepYield, "a"}},
		"one taken out for this leader only": {servers("ab", "c"), roster("abc", ""), map[string]bool{"c": true}, step{}},
		"taken out under another leader":     {servers("ab", "c"), roster("abc", ""), nil, step{stepEnfold, "c"}},
		"a voter that is to wait again":      {servers("abc", ""), roster("ab", "c"), nil, step{stepDemote, "c"}},
	} {
		if got := nextStep("a", tc.servers, tc.roster, tc.away); got != tc.want {
			t.Errorf("%s: %s %q, want %s %q", name, got.do, got.node, tc.want.do, tc.want.node)
		}
	}
}
