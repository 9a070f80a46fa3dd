package consensus

import "testing"

// TestLeaderKnowsHowFarEachFollowerHasCome runs three voters and asks the
// leader's record for what a healthy network shows: every follower at the end
// of the log.
func TestLeaderKnowsHowFarEachFollowerHasCome(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	c.load(3, 1, c.leader())
	c.converged(1 + 3*3)
	c.until("followers at the end of the leader's log", func() bool {
		list, last := c.node(c.leader()).Followers()
		reached := 0
		for _, f := range list {
			if f.Stored == last && !f.Refused && !f.Moved.IsZero() {
				reached++
			}
		}
		return reached == 2
	})
	if list, _ := c.node(c.follower()).Followers(); list != nil {
		t.Errorf("a follower answers for others: %v", list)
	}
}
