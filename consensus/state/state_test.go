package state_test

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestGenesisFoundsANetwork(t *testing.T) {
	net := foundingtest.New(t, 3)
	s, first, err := state.Found(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if first.Number != 0 || s.Envelopes != 1 || s.Tree.Size() != 1 || len(s.Voters()) != 3 {
		t.Fatalf("after genesis: number %d, %d envelopes, tree size %d, %d voters", first.Number, s.Envelopes, s.Tree.Size(), len(s.Voters()))
	}
}
