package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// withMirrors is the state of a network of five hospitals, of which the last two
// keep a mirror.
func withMirrors(t *testing.T) *state.State {
	t.Helper()
	view, _, err := state.Found(foundingtest.New(t, 5).Genesis)
	must(t, err)
	for i := range view.Nodes {
		if id := view.Nodes[i].ID; id == "h4" || id == "h5" {
			view.Nodes[i].Kind = act.Mirror
		}
	}
	return view
}

func TestVotesAreTakenOnlyWhileTheRestAnswers(t *testing.T) {
	view := withMirrors(t)
	demote := func(node string) act.Act {
		return act.Act{Type: act.TypeDemotion, Payload: act.Demotion{Node: node}.Marshal()}
	}
	remove := func(number uint32, node string) act.Act {
		return act.Act{Type: act.TypeRemoval, Payload: act.Removal{Institution: number, Node: node}.Marshal()}
	}
	for name, tc := range map[string]struct {
		act act.Act
		up  string
		ok  bool
	}{
		"all answer":                            {demote("h3"), "h1 h2 h3", true},
		"one that is dead is taken":             {demote("h3"), "h1 h2", true},
		"one that lives, while another is dead": {demote("h2"), "h1 h2", false},
		"a hospital with its voter":             {remove(2, ""), "h1 h2", false},
		"a voter of a hospital":                 {remove(2, "h2"), "h1 h2", false},
		"a hospital with a mirror":              {remove(4, ""), "h1", true},
		"no vote at all":                        {act.Act{Type: act.TypeAdmission}, "h1", true},
	} {
		up := map[string]bool{}
		for id := range strings.FieldsSeq(tc.up) {
			up[id] = true
		}
		if err := quorumLeft(view, &tc.act, up); (err == nil) != tc.ok || err != nil && !errors.Is(err, errQuorum) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMirrorThatAnswersStandsInForADeadVoter(t *testing.T) {
	view := withMirrors(t)
	for i := range view.Nodes {
		if view.Nodes[i].ID == "h4" {
			view.Nodes[i].Addresses = nil
		}
	}
	for up, want := range map[string]string{"": "h5", "h4": "h4", "h5": "h5", "reader": "h5"} {
		if got := standIn(view, "h3", map[string]bool{up: true}); got != want {
			t.Errorf("while %q answers: %s, want %s", up, got, want)
		}
	}
}

func TestAVoterIsReportedOnceItIsAwayForLong(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := &service{clock: func() time.Time { return now }}
	s.voters.lost = map[string]time.Time{"h3": now, "h1": now.Add(-time.Hour)}
	if dead := s.deadSince(); len(dead) != 1 || dead["h1"].IsZero() {
		t.Errorf("dead at once: %v", dead)
	}
	now = now.Add(voterDead)
	if dead := s.deadSince(); len(dead) != 2 || !dead["h3"].Equal(time.Unix(1_800_000_000, 0)) {
		t.Errorf("dead after %v: %v", voterDead, dead)
	}
}

func TestADeadVoterIsReportedWithTheCommandThatReplacesIt(t *testing.T) {
	view := withMirrors(t)
	d := deadVoter(view, "h3", "2026-11-27T07:19:05Z", map[string]bool{"h4": true})
	if d.Command != "raresync member promote h4 --in-place-of h3" || !strings.HasSuffix(d.Says, "if it does not come back: "+d.Command) ||
		!strings.HasSuffix(d.SaysZH, "若不再恢复："+d.Command) {
		t.Errorf("got %+v", d)
	}
	promoted := view.Clone()
	promoted.Candidates = []state.Candidate{{Node: "h5", InPlaceOf: "h3"}}
	if d := deadVoter(promoted, "h3", "", nil); d.Command != "" || !strings.Contains(d.Says, "h5 takes its place") {
		t.Errorf("once one is promoted: %+v", d)
	}
	alone := view.Clone()
	alone.Nodes = slices.DeleteFunc(alone.Nodes, func(n act.Node) bool { return n.Kind != act.Voter && n.ID != "reader" })
	if d := deadVoter(alone, "h3", "", nil); d.Command != "" || !strings.Contains(d.Says, "raresync member invite") || !strings.Contains(d.SaysZH, "raresync member invite") {
		t.Errorf("without a mirror of a hospital: %+v", d)
	}
}
