//go:build faults

package integration

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/integration/chaos"
)

// plantedInChaos lists mistakes that every process of a campaign makes on
// purpose, and one of which the campaign then says. The first is tried in each
// run.
var plantedInChaos = []struct {
	bug  string
	says []string
}{
	{string(fault.AckBeforeCommit), []string{"comes under no receipt", "its receipt says"}},
	{string(fault.ForgetPlaces), []string{"comes under no receipt", "converge: "}}, // an outbox that is refused for ever
}

// TestPlantedBugIsNoticedInChaos is the negative control: a campaign without a
// mistake ends well, and one with a mistake fails. PROVE=1 tries them all.
func TestPlantedBugIsNoticedInChaos(t *testing.T) {
	needsChaos(t)
	if chaos.Inside() != "" {
		must(t, chaos.Arrive())
		killLeaders(t)
		return
	}
	tried := plantedInChaos[:1]
	if os.Getenv("PROVE") == "1" {
		tried = plantedInChaos
		if said, err := campaignWith(t, ""); err != nil {
			t.Errorf("without a mistake: %v\n%s", err, said)
		}
	}
	for _, p := range tried {
		said, err := campaignWith(t, p.bug)
		if err == nil || !slices.ContainsFunc(p.says, func(text string) bool { return strings.Contains(said, text) }) {
			t.Errorf("%s: %v, want a campaign that fails and says one of %q:\n%s", p.bug, err, p.says, said)
			continue
		}
		t.Logf("proof: %s was noticed in chaos", p.bug)
	}
}

// campaignWith returns what the campaign of killLeaders says of processes that
// make a mistake.
func campaignWith(t *testing.T, bug string) (string, error) {
	t.Setenv("RARESYNC_PLANT", bug)
	var said strings.Builder
	err := enclose(t, &said)
	return said.String(), err
}

// killLeaders kills five leaders under load, one after another.
func killLeaders(t *testing.T) {
	c := newCampaign(t)
	c.stall = 30 * time.Second
	kill := mendable[slices.IndexFunc(mendable, func(k chaosKind) bool { return k.name == "kill" })]
	kill.hits = func(m *member) bool { return m == c.leader() }
	c.run(slices.Repeat([][]chaosKind{{kill}}, 5))
	if !t.Failed() {
		c.keepsItsPromises(t)
	}
}
