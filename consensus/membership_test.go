package consensus

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestADemotedVoterFollowsAndCosignsAndComesBack(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader := c.node(c.leader())
	c.converged(1) // a new leader has heard of nobody yet
	out := c.follower()
	other := c.without(out)[0]
	if other == leader.cfg.Self {
		other = c.without(out)[1]
	}
	for range 2 { // the second time it is out already
		if err := leader.Demote(c.ctx, out); err != nil {
			t.Fatal(err)
		}
	}
	if c.votes(leader, out) || !c.votes(leader, other) {
		t.Error("the configuration is another than asked for")
	}
	chains := c.load(2, 1, c.ids...)
	at := c.converged(1 + 3*2)
	for c.node(out).signer.lastSize() < at.Size { // a round that has its majority does not wait for the third
		c.continueLoad(chains, 1, 1, c.ids...)
	}
	if err := leader.Promote(c.ctx, out); err != nil {
		t.Fatal(err)
	}
	if !c.votes(leader, out) {
		t.Error("promoted and does not vote")
	}
	c.close(t.Context(), other) // from here on its vote is needed
	if err := chains[0].run(2, 1, leader.cfg.Self, out); err != nil {
		t.Fatal(err)
	}
	c.converged(chains[0].sent[len(chains[0].sent)-1].out.First + 1)
	c.verify(chains)
}

// votes reports whether the leader's configuration has a node as a voter.
func (c *cluster) votes(leader *Node, id string) bool {
	f := leader.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		c.t.Fatal(err)
	}
	return votersOf(f.Configuration())[id]
}

func TestTooFewVotersAreNeverLeft(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.node(c.leader())
	c.converged(1) // a new leader has heard of nobody yet
	others := c.without(leader.cfg.Self)
	refused := func(what, id string) {
		t.Helper()
		if err := leader.Demote(c.ctx, id); !errors.Is(err, ErrTooFewVoters) {
			t.Errorf("demoted %s, %s: %v, want %v", id, what, err, ErrTooFewVoters)
		}
	}
	c.net.setCut(true, others[1], c.others(others[1])...)
	cut := time.Now()
	c.until("the leader to miss it", func() bool { return time.Since(cut) > 2*unheard*leader.cfg.Timing.Heartbeat })
	refused("while the only other one does not answer", others[0])
	c.net.setCut(false, others[1], c.others(others[1])...)
	c.converged(1)
	c.until("the leader to hear both again", func() bool { return leader.Demote(c.ctx, others[0]) == nil })
	refused("which would leave one of three", others[1])
	if err := leader.Promote(c.ctx, others[0]); err != nil {
		t.Fatal(err)
	}
}

func TestAVoterThatIsBehindIsNotPromoted(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.node(c.leader())
	c.converged(1) // a new leader has heard of nobody yet
	out := c.follower()
	if err := leader.Demote(c.ctx, out); err != nil {
		t.Fatal(err)
	}
	c.net.setCut(true, out, c.others(out)...)
	c.load(2, 1, leader.cfg.Self)
	short, cancel := context.WithTimeout(c.ctx, 300*time.Millisecond)
	defer cancel()
	if err := leader.Promote(short, out); !errors.Is(err, ErrBehind) {
		t.Errorf("promoted a node that has nothing: %v, want %v", err, ErrBehind)
	}
	c.net.setCut(false, out, c.others(out)...)
	c.until("it to be promoted by whoever leads", func() bool { return c.node(c.leader()).Promote(c.ctx, out) == nil })
	c.converged(1 + 3*2)
}

func TestTheLeaderAloneChangesWhoVotes(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	leader := c.leader()
	follower := c.follower()
	for _, id := range []string{follower, "reader"} {
		if err := c.node(id).Demote(c.ctx, leader); !errors.Is(err, ErrNoLeader) {
			t.Errorf("%s: demote: %v, want %v", id, err, ErrNoLeader)
		}
		if err := c.node(id).Promote(c.ctx, leader); !errors.Is(err, ErrNoLeader) {
			t.Errorf("%s: promote: %v, want %v", id, err, ErrNoLeader)
		}
	}
	for _, id := range []string{leader, "reader", "stranger"} {
		if err := c.node(leader).Demote(c.ctx, id); err == nil {
			t.Errorf("the leader demoted %s", id)
		}
	}
	if err := c.node(leader).Promote(c.ctx, follower); err != nil {
		t.Errorf("a voter that is in: %v", err)
	}
}
