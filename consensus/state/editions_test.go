package state_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
)

// enlarged is the national table with a row of a list that there is not.
func enlarged(t testing.TB, edition string) act.Edition {
	t.Helper()
	table, err := os.ReadFile("../../registry/catalog/table.csv")
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.ReadTable(edition, strings.NewReader(string(table)+"3,1,测试病甲,Test disease A,999001,exact,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	return act.EditionOf(c)
}

func TestAnEditionIsInForceFromItsActOn(t *testing.T) {
	net, s := found(t)
	d := enlarged(t, "test-2026/1")
	_, r := admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeEdition, d.Marshal(), 1, 2)).Marshal(), now)
	refusedAs(t, "at level 1", r, state.CodeActType, "edition is of feature level 2, and level 1 is in force")
	proposed := plainAct(act.TypeEdition, d.Marshal())
	proposed.RosterVersion, proposed.Expiry = s.RosterVersion, now+day
	_, r = admit(s, actOf(t, s, net.Hospitals[0], proposalOf(proposed, "")).Marshal(), now)
	refusedAs(t, "proposed at level 1", r, state.CodeActType, "level 1 is in force")
	before := s.Clone()
	raised(t, net, s, 2)
	s = deepCopy(t, s)
	if len(before.EncodedFeatures()) > len(s.EncodedFeatures()) || before.EncodedFeatures()[0] != 0x81 || s.EncodedFeatures()[0] != 0x82 {
		t.Errorf("features at level 1 begin with %x, at level 2 with %x", before.EncodedFeatures()[0], s.EncodedFeatures()[0])
	}
	accept(t, s, actOf(t, s, net.Hospitals[0], proposalOf(proposed, "a third list")).Marshal(), now)
	s = deepCopy(t, s)
	at := s.Envelopes
	accept(t, s, actOf(t, s, net.Hospitals[2], approve(t, net, proposed, 1, 2)).Marshal(), now)
	s = deepCopy(t, s)
	got := s.Catalogues()
	if len(got) != 2 || got[0] != s.Catalogue || got[1] != d.Catalogue || s.Editions[0].Envelope != at || len(s.Proposals) != 0 {
		t.Errorf("editions %+v, %+v, %d proposals", got, s.Editions, len(s.Proposals))
	}
}

func TestEditionsAreRefusedByName(t *testing.T) {
	net, s := found(t)
	raised(t, net, s, 2)
	good := enlarged(t, "test-2026/1")
	decide(t, net, s, act.TypeEdition, good.Marshal())
	renamed, bent, cut := enlarged(t, "test-2026/2"), enlarged(t, "test-2026/2"), enlarged(t, "test-2026/2")
	renamed.Edition = "test-2026/3"
	bent.Hash[0] ^= 1
	cut.Table = cut.Table[:len(cut.Table)-1]
	for name, tc := range map[string]struct {
		d    act.Edition
		by   []int
		code state.Code
		why  string
	}{
		"by one":                  {enlarged(t, "test-2026/2"), []int{1}, state.CodeActApproval, "1 approvals of 2"},
		"what is in force":        {good, []int{1, 2}, state.CodeActPayload, `edition "test-2026/1" is in force already`},
		"the name of the genesis": {enlarged(t, s.Catalogue.Edition), []int{1, 2}, state.CodeActPayload, "is in force already"},
		"under another name":      {renamed, []int{1, 2}, state.CodeActPayload, `the table is "test-2026/2"`},
		"with another hash":       {bent, []int{1, 2}, state.CodeActPayload, "the table is"},
		"a table that is cut":     {cut, []int{1, 2}, state.CodeActPayload, "not a table of rare diseases"},
	} {
		_, r := admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeEdition, tc.d.Marshal(), tc.by...)).Marshal(), now)
		refusedAs(t, name, r, tc.code, tc.why)
	}
	propose := func(edition string) (act.Act, *state.Refusal) {
		a := plainAct(act.TypeEdition, enlarged(t, edition).Marshal())
		a.RosterVersion, a.Expiry = s.RosterVersion, now+day
		p := proposalOf(a, "")
		_, r := admit(s, actOf(t, s, net.Hospitals[0], p).Marshal(), now)
		return p, r
	}
	for _, edition := range []string{"test-2026/4", "test-2026/5"} {
		p, r := propose(edition)
		refusedAs(t, "a proposal of "+edition, r, "", "")
		accept(t, s, actOf(t, s, net.Hospitals[0], p).Marshal(), now)
	}
	_, r := propose("test-2026/6")
	refusedAs(t, "a third open proposal", r, state.CodeActPayload, "2 editions are proposed already")
	long := plainAct(act.TypeSettings, bytes.Repeat([]byte{0}, act.MaxCoreBytes))
	long.RosterVersion, long.Expiry = s.RosterVersion, now+day
	_, r = admit(s, actOf(t, s, net.Hospitals[0], proposalOf(long, "")).Marshal(), now)
	refusedAs(t, "another act of that size", r, state.CodeSize, "at most 65536 bytes")
	if !slices.Equal(s.Catalogues(), deepCopy(t, s).Catalogues()) {
		t.Error("a snapshot has other editions")
	}
}
