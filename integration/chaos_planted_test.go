//go:build faults

package integration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/integration/chaos"
)

// plantedInChaos lists mistakes that real processes make on purpose, and what a
// campaign says of each.
var plantedInChaos = map[fault.Bug]string{
	fault.ForgetPlaces: "comes under no receipt",
}

// TestPlantedBugIsNoticedInChaos is the negative control: campaigns must fail
// in which every process makes a mistake.
func TestPlantedBugIsNoticedInChaos(t *testing.T) {
	needsChaos(t)
	if chaos.Inside() != "" {
		must(t, chaos.Arrive())
		killLeaders(t)
		return
	}
	if b := os.Getenv("TRYBUG"); b != "" {
		plantedInChaos = map[fault.Bug]string{fault.Bug(b): "xxx"}
	}
	for bug, complaint := range plantedInChaos {
		t.Setenv("RARESYNC_PLANT", string(bug))
		var said strings.Builder
		err := enclose(t, func(line ...any) { fmt.Fprintln(&said, line...) })
		if err == nil || !strings.Contains(said.String(), complaint) {
			t.Errorf("%s: %v, want a campaign that fails and says %q:\n%s", bug, err, complaint, said.String())
			continue
		}
		t.Logf("proof: %s was noticed in chaos", bug)
	}
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
