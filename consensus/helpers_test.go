package consensus

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

func TestMirrorsSpreadOverTheVotersThatDoNotLead(t *testing.T) {
	voters := []string{"h1", "h2", "h3"}
	first := map[string]int{}
	for i := range 324 {
		peers := turned(slices.Clone(voters), fmt.Sprintf("hospital-%d", i))
		first[ranked(peers, "h2", "h2", func(string) bool { return false })[0]]++
	}
	if first["h2"] != 0 || min(first["h1"], first["h3"]) < 80 {
		t.Errorf("first asked: %v, want h1 and h3 by a good share each, and never the leader h2", first)
	}
}

func TestWhoFailedIsAskedLast(t *testing.T) {
	for name, tc := range map[string]struct {
		leader string
		spared string
		failed []string
		want   []string
	}{
		"nobody leads":                  {"", "", nil, []string{"h1", "h2", "h3"}},
		"the leader is last":            {"h1", "", nil, []string{"h2", "h3", "h1"}},
		"behind it who failed":          {"h1", "", []string{"h2"}, []string{"h3", "h1", "h2"}},
		"all others failed":             {"h1", "", []string{"h2", "h3"}, []string{"h1", "h2", "h3"}},
		"the leader failed as well":     {"h1", "", []string{"h1", "h3"}, []string{"h2", "h1", "h3"}},
		"one who is spared is last":     {"h1", "h1", []string{"h2"}, []string{"h3", "h2", "h1"}},
		"of nobody anything is too old": {"h9", "", nil, []string{"h1", "h2", "h3"}},
	} {
		got := ranked([]string{"h1", "h2", "h3"}, tc.leader, tc.spared, func(p string) bool { return slices.Contains(tc.failed, p) })
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestOneFailureSparesTheLeaderAndManyDoNot(t *testing.T) {
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	for name, tc := range map[string]struct {
		f             failure
		lately, again bool
	}{
		"never":                      {failure{}, false, false},
		"once":                       {failure{}.noted(), true, false},
		"twice, soon after":          {failure{ago(failedWait / 4), time.Now()}.noted(), true, false},
		"for a while":                {failure{ago(failedWait / 2), ago(time.Second)}.noted(), true, true},
		"once, and long ago as well": {failure{ago(3 * failedWait), ago(2 * failedWait)}.noted(), true, false},
		"for a while, long ago":      {failure{ago(3 * failedWait), ago(2 * failedWait)}, false, false},
	} {
		if tc.f.lately() != tc.lately || tc.f.again() != tc.again {
			t.Errorf("failed %s: lately is %v, again is %v", name, tc.f.lately(), tc.f.again())
		}
	}
}

func TestMirrorLeavesAVoterThatComesToLead(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(1, 1, c.voters()...)
	for range 2 {
		c.until("the mirror to be helped by a voter that does not lead", func() bool {
			c.continueLoad(chains, 1, 1, c.voters()...)
			via := c.node("reader").Status().Via
			return via != "" && via != c.leader()
		})
		helper := c.node("reader").Status().Via
		c.until("the helper to lead", func() bool {
			leader := c.leader()
			if leader != helper {
				_ = c.node(leader).raft.LeadershipTransferToServer(raft.ServerID(helper), raft.ServerAddress(helper)).Error() // again, if it did not
			}
			return leader == helper
		})
	}
	sent := uint64(0)
	for _, h := range chains {
		sent += uint64(len(h.sent))
	}
	c.converged(1 + sent)
	c.verify(chains)
}

func TestMirrorCutOffFromAllOthersFollowsTheLeader(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(1, 1, c.voters()...)
	leader := c.leader()
	c.net.setCut(true, "reader", c.without(leader)...)
	c.continueLoad(chains, 2, 1, c.voters()...)
	c.converged(1 + 3*3)
	if via := c.node("reader").Status().Via; via != leader {
		t.Errorf("helped by %s, want the leader %s", via, leader)
	}
}
