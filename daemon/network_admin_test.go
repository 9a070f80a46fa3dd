package daemon

import (
	"fmt"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/peer"
)

// row asks a node for its table, and returns what it says of one node.
func (p *place) row(t *testing.T, node string) (admin.NetworkNode, error) {
	t.Helper()
	s, err := p.client.Network(t.Context())
	if err != nil {
		return admin.NetworkNode{}, err
	}
	for _, n := range s.Nodes {
		if n.Node == node {
			return n, nil
		}
	}
	return admin.NetworkNode{}, fmt.Errorf("no row of %s", node)
}

// TestOneTableOfAllNodesOnAMirrorThatReachesSome has a mirror that one voter cannot
// be reached from: another voter tells of it, first that it runs, then since when it
// does not.
func TestOneTableOfAllNodesOnAMirrorThatReachesSome(t *testing.T) {
	places := network(t)
	reader := places["reader"]
	reader.cfg.Peers = map[string][]string{"h3": {"127.0.0.1:1"}}
	for _, id := range []string{"h1", "h2", "h3", "reader"} {
		places[id].start(t)
	}
	for _, id := range []string{"h1", "h2", "h3", "reader"} {
		places[id].ready(t)
	}
	s, err := reader.client.Status(t.Context())
	must(t, err)
	for _, p := range s.Peers {
		if p.Node == "h3" {
			t.Fatal("the mirror reaches h3: the test shows nothing")
		}
	}
	until(t, "the mirror knows all four nodes", func() (bool, error) {
		for _, id := range []string{"h1", "h2", "h3", "reader"} {
			n, err := reader.row(t, id)
			if err != nil || !n.Told || !*n.Ready || n.Version != "test" || *n.Behind != 0 || n.Supports == 0 {
				return false, fmt.Errorf("%+v, %v", n, err)
			}
			if (n.Cosigns != nil) != (id != "reader") || (n.Leader != "") != (id != "reader") {
				return false, fmt.Errorf("%+v", n)
			}
		}
		return true, nil
	})
	began := time.Now()
	places["h3"].end(t)
	until(t, "the mirror knows since when h3 is silent", func() (bool, error) {
		n, err := reader.row(t, "h3")
		if err != nil || n.Told || n.Reached || n.Never {
			return false, fmt.Errorf("%+v, %v", n, err)
		}
		since, err := time.Parse(time.RFC3339, n.Since)
		if d := since.Sub(began); err != nil || d < -5*time.Second || d > deadline {
			t.Fatalf("silent since %s, it ended at %s", n.Since, began)
		}
		return true, nil
	})
}

func TestTheBestThatIsKnownOfANodeCounts(t *testing.T) {
	report := &peer.Report{Node: "h1"}
	rows := map[string]peer.Heard{}
	for i, tc := range []struct {
		more peer.Heard
		kept bool
	}{
		{peer.Heard{Node: "h1", Never: true, Ago: time.Minute}, true},
		{peer.Heard{Node: "h1", Never: true, Ago: time.Hour}, true},
		{peer.Heard{Node: "h1", Never: true, Ago: time.Second}, false},
		{peer.Heard{Node: "h1", Ago: time.Hour}, true},
		{peer.Heard{Node: "h1", Ago: time.Minute}, true},
		{peer.Heard{Node: "h1", Ago: 2 * time.Minute}, false},
		{peer.Heard{Node: "h1", Reached: true}, true},
		{peer.Heard{Node: "h1", Ago: time.Second}, false},
		{peer.Heard{Node: "h1", Reached: true, Report: report}, true},
		{peer.Heard{Node: "h1", Reached: true}, false},
	} {
		merge(rows, []peer.Heard{tc.more})
		if kept := rows["h1"] == tc.more; kept != tc.kept {
			t.Errorf("%d: kept %t of %+v, now %+v", i, kept, tc.more, rows["h1"])
		}
	}
}
