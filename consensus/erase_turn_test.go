package consensus

import (
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/registry/act"
)

func TestVotersEraseOneAfterTheOtherAndTheLeaderLast(t *testing.T) {
	voters := []string{"h1", "h2", "h3", "h4", "h5"}
	var got []int
	for _, self := range voters {
		got = append(got, turnOf(voters, self, "h2"))
	}
	if want := []int{0, 4, 1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("turns %v, want %v", got, want)
	}
	if got := turnOf(voters, "h5", ""); got != 4 {
		t.Errorf("without a leader the last has turn %d", got)
	}
}

// TestOnABusyNetworkVotersTakeTurns sees that nothing waits on an idle network,
// and that on one where envelopes come the leader begins last.
func TestOnABusyNetworkVotersTakeTurns(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(1, 2, c.voters()...)
	c.converged(1 + 3*2)
	leader := c.node(c.leader())
	view := leader.View()
	began := time.Now()
	if _, ok := leader.gather(t.Context(), view); !ok || time.Since(began) > eraseTurn {
		t.Errorf("on an idle network the leader waited %v", time.Since(began))
	}
	through := chains[0].withdraw(act.Span{First: chains[0].sent[0].out.First, Count: 1})
	c.continueLoad(chains, 2*eraseBusy, 1, c.voters()...)
	began = time.Now()
	if _, ok := leader.gather(t.Context(), view); !ok || time.Since(began) < 2*eraseTurn {
		t.Errorf("on a busy network the leader waited %v, want two turns", time.Since(began))
	}
	c.erasedOn(through, c.ids...)
}
