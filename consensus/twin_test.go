package consensus

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestANodeThatRunsTwiceStopsWhenAMajorityOfVotersSaysSo(t *testing.T) {
	for name, tc := range map[string]struct {
		voters  int
		id      string
		words   []string // of peers, in order
		stops   bool
		warning string
	}{
		"a voter of three, by both others":  {3, "h3", []string{"h1", "h2"}, true, ""},
		"a voter of three, by one":          {3, "h3", []string{"h1", "h1", "h1"}, false, "h1 has met another instance"},
		"a voter of five, by two":           {5, "h3", []string{"h1", "h2"}, false, "h2 has met another instance"},
		"a voter of five, by three":         {5, "h3", []string{"h1", "h5", "h2"}, true, ""},
		"a mirror, by two of three":         {3, "reader", []string{"h1", "h2"}, true, ""},
		"a mirror, by the only voter":       {1, "reader", []string{"h1"}, true, ""},
		"a voter, by nodes without a voice": {3, "h3", []string{"reader", "stranger", "h3"}, false, ""},
		"a voter, by one and by a mirror":   {3, "h3", []string{"h1", "reader"}, false, "h1 has met another instance"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, tc.voters)
			c.mayFail()
			c.open(tc.id)
			n := c.node(tc.id)
			for _, peer := range tc.words {
				n.HearTwin(peer)
			}
			_, err := os.Stat(filepath.Join(c.dirs[tc.id], quarantineFile))
			if quarantined := err == nil; quarantined != (tc.stops && tc.id != "reader") {
				t.Errorf("quarantined: %v", quarantined)
			}
			if got := errors.Is(n.failure(), ErrTwin); got != tc.stops {
				t.Errorf("stopped with %v, want a stop: %v", n.failure(), tc.stops)
			}
			if tc.stops {
				if err := <-c.fatal[tc.id]; !errors.Is(err, ErrTwin) {
					t.Errorf("the process is told %v", err)
				}
			}
			if tc.warning != "" && !c.warned(tc.id, tc.warning) {
				t.Errorf("warnings: %q, want %q", n.Status().Warnings, tc.warning)
			}
		})
	}
}
