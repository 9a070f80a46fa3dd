package state_test

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
)

func TestTheLatestExpiryOfANodesBackupsStays(t *testing.T) {
	net, s := found(t)
	accept(t, s, entries(t, s, net.Hospitals[1], 5).Marshal(), now)
	if _, found := s.SaltsBackup("h2"); found {
		t.Error("a backup is known before one was declared")
	}
	for _, step := range []struct {
		node         string
		size, expiry uint64
		want         state.SaltsBackup
	}{
		{"h2", 4, now + 500, state.SaltsBackup{Node: "h2", Size: 4, Expiry: now + 500}},
		{"h2", 6, now + 300, state.SaltsBackup{Node: "h2", Size: 6, Expiry: now + 500}},
		{"h2", 2, now + 900, state.SaltsBackup{Node: "h2", Size: 6, Expiry: now + 900}},
		{"h1", 1, now + 100, state.SaltsBackup{Node: "h1", Size: 1, Expiry: now + 100}},
	} {
		sender := net.Hospitals[step.node[1]-'1']
		accept(t, s, actOf(t, s, sender, saltsBackup(step.node, step.size, step.expiry)).Marshal(), now)
		got, found := s.SaltsBackup(step.node)
		if !found || got != step.want {
			t.Errorf("after %d entries until %d: got %+v, want %+v", step.size, step.expiry, got, step.want)
		}
	}
	if deepCopy(t, s); !slices.IsSortedFunc(s.SaltsBackups, func(a, b state.SaltsBackup) int {
		return int(a.Node[1]) - int(b.Node[1])
	}) {
		t.Errorf("not in order of the nodes: %+v", s.SaltsBackups)
	}
}

func TestCloneKeepsItsBackups(t *testing.T) {
	net, s := found(t)
	accept(t, s, actOf(t, s, net.Hospitals[0], saltsBackup("h1", 1, now+100)).Marshal(), now)
	clone := s.Clone()
	accept(t, s, actOf(t, s, net.Hospitals[0], saltsBackup("h1", 2, now+200)).Marshal(), now)
	if got, _ := clone.SaltsBackup("h1"); got.Expiry != now+100 {
		t.Errorf("the clone changed with its origin: %+v", got)
	}
}
