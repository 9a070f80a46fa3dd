package consensus

import (
	"fmt"
	"testing"
)

func TestHospitalsSubmitAnywhereAndEveryNodeHoldsOneLog(t *testing.T) {
	for _, voters := range []int{3, 5} {
		t.Run(fmt.Sprintf("%d voters and a mirror", voters), func(t *testing.T) {
			c := newCluster(t, voters)
			c.open(c.ids...)
			chains := c.load(5, 2, c.ids...)
			c.converged(1 + uint64(voters)*5*2)
			c.verify(chains)
			for _, id := range c.ids {
				for _, h := range chains {
					for _, s := range h.sent {
						out, err := c.send(func() string { return id }, s.raw)
						if err != nil {
							t.Fatal(err)
						}
						want := s.out
						want.Duplicate = true
						if out != want {
							t.Fatalf("resent to %s: %+v, want %+v", id, out, want)
						}
					}
				}
			}
		})
	}
}
