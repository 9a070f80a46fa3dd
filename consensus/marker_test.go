package consensus

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestNoMarkerGoesBeforeAnEnvelopeThatFollows(t *testing.T) {
	found(t, 3) // its keys are made outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		c.open(c.voters()...)
		c.load(1, 1, c.leader())
		c.converged(4)
		time.Sleep(time.Second) // false time: whatever was to come has come
		leader := c.leader()
		n, before := c.node(leader), c.lastIndex(leader)

		n.inFlight.Add(1) // the next is under way when the last is committed
		n.becameIdle(true, time.Hour)
		time.Sleep(markerWait + time.Second)
		if at := c.lastIndex(leader); at != before {
			t.Errorf("%d records came before it", at-before)
		}
		n.inFlight.Add(-1)
		n.becameIdle(true, time.Hour)
		time.Sleep(markerWait + time.Second)
		if at := c.lastIndex(leader); at != before+1 {
			t.Errorf("%d records after the last envelope, want one marker", at-before)
		}
	})
}
