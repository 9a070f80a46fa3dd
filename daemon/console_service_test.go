package daemon

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/registry/act"
)

func TestMirrorsCountAmongTheNodesThatAgreeAndOthersAreNamed(t *testing.T) {
	yes, no, behind, there := true, false, uint64(7), uint64(12)
	nodes := []admin.NetworkNode{
		{Node: "self", Checkpoint: &there},
		{Node: "cosigns", Cosigns: &yes},
		{Node: "checkpoint", Checkpoint: &there},
		{Node: "late", Cosigns: &no, Checkpoint: &behind},
		{Node: "away"},
	}
	agree, without := agreeing(nodes, "self", console.Agreement{Size: 12, Checked: true})
	if !slices.Equal(agree, []string{"self", "cosigns", "checkpoint"}) || !slices.Equal(without, []console.Without{{Node: "late", Heard: true, Size: 7}, {Node: "away"}}) {
		t.Errorf("%v agree, without %+v", agree, without)
	}
	if agree, _ := agreeing(nodes, "self", console.Agreement{Size: 12}); slices.Contains(agree, "self") {
		t.Error("a node agrees whose own copy has another root")
	}
}

func TestAConsoleSaysWhatItsInstitutionMayOpen(t *testing.T) {
	for rights, want := range map[act.Rights]string{
		act.RightNational: "", act.RightProvince: "hospitals of Shanghai alone", 0: "what this institution has sent, and nothing of others",
	} {
		m := &state.Member{}
		m.Rights, m.Province = rights, "31"
		only := onlyOf(m)
		if only[0] != want || (only[1] == "") != (want == "") {
			t.Errorf("with rights %v: %q", rights, only)
		}
	}
}
