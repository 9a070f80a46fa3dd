package act_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
)

func TestGenesisThatCannotFoundANetworkSaysWhy(t *testing.T) {
	_, valid, _ := founded(t)
	another := reader(t, "", act.RightNational)
	provincial := reader(t, "31", act.RightProvince)
	rival := reader(t, "31", act.RightProvince)
	overreaching := reader(t, "31", act.RightProvince|act.RightNational)
	for name, tc := range map[string]struct {
		change func(*act.Genesis)
		want   string // "" = valid
	}{
		"as founded":                 {func(*act.Genesis) {}, ""},
		"with a province reader":     {func(g *act.Genesis) { g.Institutions = append(g.Institutions, provincial) }, ""},
		"no name":                    {func(g *act.Genesis) { g.Name = "" }, "network name"},
		"a name in capitals":         {func(g *act.Genesis) { g.Name = "Network" }, "network name"},
		"a name of 65 bytes":         {func(g *act.Genesis) { g.Name = strings.Repeat("a", 65) }, "network name"},
		"log epoch 2":                {func(g *act.Genesis) { g.LogEpoch = 2 }, "log epoch"},
		"feature level 0":            {func(g *act.Genesis) { g.FeatureLevel = 0 }, "feature level"},
		"cells of two":               {func(g *act.Genesis) { g.Policy.MinCell = 2 }, "min_cell 2"},
		"cells of 21":                {func(g *act.Genesis) { g.Policy.MinCell = 21 }, "min_cell 21"},
		"no reader overlap":          {func(g *act.Genesis) { g.Policy.ReaderOverlap = 0 }, "reader overlap 0"},
		"an overlap that overflows":  {func(g *act.Genesis) { g.Policy.ReaderOverlap = 1<<64 - 1 }, "reader overlap"},
		"quotas of their own":        {quotas(act.Quota{Hospital: 1, Elements: 1}, act.Quota{Hospital: 3, Elements: act.MaxAllowance}), ""},
		"a quota of nothing":         {quotas(act.Quota{Hospital: 1}), "quota of institution 1: want 1 to 100000"},
		"a quota without end":        {quotas(act.Quota{Hospital: 1, Elements: act.MaxAllowance + 1}), "quota of institution 1: want 1 to 100000"},
		"a reader's quota":           {quotas(act.Quota{Hospital: 4, Elements: 1}), "quota of institution 4, which is no hospital here"},
		"a stranger's quota":         {quotas(act.Quota{Hospital: 9, Elements: 1}), "quota of institution 9, which is no hospital here"},
		"two quotas of one hospital": {quotas(act.Quota{Hospital: 2, Elements: 1}, act.Quota{Hospital: 2, Elements: 2}), "quotas ascend"},
		"no stretching":              {func(g *act.Genesis) { g.Identity.Time = 0 }, "identity parameters: PS001"},
		"no institutions":            {func(g *act.Genesis) { g.Institutions = nil }, "needs a hospital"},
		"thirteen founders":          {func(g *act.Genesis) { g.Institutions = append(g.Institutions, nineReaders(t)...) }, "founders, at most 12"},
		"an unknown role":            {func(g *act.Genesis) { g.Institutions[3].Role = 3 }, "institution 4: unknown role 3"},
		"a reader before a hospital": {swap(2, 3), "hospitals come before readers"},
		"a hospital with a right":    {func(g *act.Genesis) { g.Institutions[0].Rights = act.RightNational }, "institution 1: a hospital's key"},
		"a hospital of no province":  {func(g *act.Genesis) { g.Institutions[1].Province = "" }, "institution 2: province"},
		"a hospital of province 99":  {func(g *act.Genesis) { g.Institutions[1].Province = "99" }, "institution 2: province"},
		"no entity":                  {func(g *act.Genesis) { g.Institutions[1].Entity = "" }, "institution 2: entity and name"},
		"no name in either language": {func(g *act.Genesis) { g.Institutions[1].NameZH, g.Institutions[1].NameEN = "", "" }, "institution 2: entity and name"},
		"an envelope key twice":      {func(g *act.Genesis) { g.Institutions[1].Envelope = g.Institutions[0].Envelope }, "institution 2: key"},
		"a sealing key twice":        {func(g *act.Genesis) { g.Institutions[3].Sealing = g.Institutions[0].Sealing }, "institution 4: key"},
		"a quorum of none":           {func(g *act.Genesis) { g.Quorum = 0 }, "q = 0 of 3"},
		"a quorum above the leads":   {func(g *act.Genesis) { g.Quorum = 4 }, "q = 4 of 3"},
		"a lead that is no hospital": {func(g *act.Genesis) { g.Institutions[3].Lead, g.Quorum = true, 4 }, "q = 4 of 3"},
		"no national reader":         {func(g *act.Genesis) { g.Institutions = g.Institutions[:3] }, "0 national readers"},
		"one national reader, no demo": {func(g *act.Genesis) {
			g.Demo = false
			g.OPRF = keyshare.Record{}
		}, "1 national readers: want 2 to 16"},
		"two national readers, no demo": {func(g *act.Genesis) {
			g.Demo = false
			g.OPRF = keyshare.Record{}
			g.Institutions = append(g.Institutions, another)
		}, ""},
		"two readers of one province": {func(g *act.Genesis) { g.Institutions = append(g.Institutions, provincial, rival) }, "institution 6: one province reader"},
		"a province reader of none": {func(g *act.Genesis) {
			nowhere := provincial
			nowhere.Province = ""
			g.Institutions = append(g.Institutions, nowhere)
		}, "institution 5: one province reader"},
		"a reader of all and of one":  {func(g *act.Genesis) { g.Institutions = append(g.Institutions, overreaching) }, "which is no national reader"},
		"a node in capitals":          {func(g *act.Genesis) { g.Nodes[0].ID = "H1" }, `node "H1": use`},
		"nodes not ascending":         {func(g *act.Genesis) { g.Nodes[0], g.Nodes[1] = g.Nodes[1], g.Nodes[0] }, "nodes ascend by id"},
		"a node twice":                {func(g *act.Genesis) { g.Nodes[1] = g.Nodes[0] }, "nodes ascend by id, each once"},
		"a node of nobody":            {func(g *act.Genesis) { g.Nodes[0].Institution = 0 }, "no institution 0"},
		"a node of an unknown fifth":  {func(g *act.Genesis) { g.Nodes[0].Institution = 5 }, "no institution 5"},
		"a cosigning key twice":       {func(g *act.Genesis) { g.Nodes[1].Cosign = g.Nodes[0].Cosign }, `node "h2": key`},
		"a voter without an address":  {func(g *act.Genesis) { g.Nodes[0].Addresses = nil }, "a voter needs an address"},
		"a node of an unknown kind":   {func(g *act.Genesis) { g.Nodes[3].Kind = 3 }, "unknown kind 3"},
		"two voters":                  {func(g *act.Genesis) { g.Nodes[0].Kind = act.Mirror }, "2 voters"},
		"no voter":                    {func(g *act.Genesis) { g.Nodes = nil }, "0 voters"},
		"25 nodes":                    {func(g *act.Genesis) { g.Nodes = fill(t, g.Nodes, 25) }, "25 nodes, at most 24"},
		"dealt shares, no demo":       {func(g *act.Genesis) { g.Demo = false }, "dealt shares are for demo networks"},
		"a minority as threshold":     {func(g *act.Genesis) { g.OPRF.Threshold = 1 }, "pseudonymisation key: KS001"},
		"a key that no ceremony made": {func(g *act.Genesis) { g.OPRF.Origin = keyshare.DKG }, "a dealt key of epoch 1, or none"},
		"a key of a later epoch":      {func(g *act.Genesis) { g.OPRF.Epoch = 2 }, "a dealt key of epoch 1, or none"},
		"no key yet":                  {func(g *act.Genesis) { g.OPRF = keyshare.Record{} }, ""},
		"no key and no holders":       {func(g *act.Genesis) { g.OPRF, g.Holders = keyshare.Record{}, nil }, "0 holders of a share"},
		"one holder, no demo": {func(g *act.Genesis) {
			g.Demo, g.OPRF, g.Holders = false, keyshare.Record{}, g.Holders[:1]
		}, "1 holders of a share"},
		"a holder without a voter":     {func(g *act.Genesis) { g.Nodes[1].Kind = act.Mirror }, "share 2: holder 2 has no voter"},
		"a holder too few":             {func(g *act.Genesis) { g.Holders = g.Holders[:2] }, "2 holders for 3 shares"},
		"a share of nobody":            {func(g *act.Genesis) { g.Holders[1] = 9 }, "share 2: no institution 9"},
		"a share of a reader":          {func(g *act.Genesis) { g.Holders[1] = 4 }, "share 2: holder 4 is a national reader"},
		"a share of a reader's entity": {func(g *act.Genesis) { g.Institutions[1].Entity = g.Institutions[3].Entity }, "share 2: holder 2 is a national reader"},
		"two shares of one entity":     {func(g *act.Genesis) { g.Institutions[1].Entity = g.Institutions[0].Entity }, "share 2: entity holds two shares"},
	} {
		g := copyOf(valid)
		tc.change(g)
		err := g.Validate()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func swap(i, j int) func(*act.Genesis) {
	return func(g *act.Genesis) { g.Institutions[i], g.Institutions[j] = g.Institutions[j], g.Institutions[i] }
}

func nineReaders(t *testing.T) (out []act.Institution) {
	for range 9 {
		out = append(out, reader(t, "", 0))
	}
	return out
}

func fill(t *testing.T, nodes []act.Node, n int) []act.Node {
	for i := len(nodes); i < n; i++ {
		nodes = append(nodes, node(t, "s"+strings.Repeat("s", i), 1))
	}
	return nodes
}

// quotas gives hospitals quotas of their own.
func quotas(own ...act.Quota) func(*act.Genesis) {
	return func(g *act.Genesis) { g.Policy.Quotas = own }
}

// A policy has one encoding, with own quotas and without.
func TestAPolicyIsReadAsItWasWritten(t *testing.T) {
	for name, p := range map[string]act.Policy{
		"one quota for all": act.DefaultPolicy(),
		"two of their own":  {MinCell: 11, QuotaFloor: 500, ReaderOverlap: 1, Quotas: []act.Quota{{Hospital: 1, Elements: 7}, {Hospital: 3, Elements: 20_000}}},
		"with limits":       {MinCell: 11, QuotaFloor: 500, ReaderOverlap: 1, Limits: act.DefaultLimits()},
		"with both":         {MinCell: 11, ReaderOverlap: 1, Quotas: []act.Quota{{Hospital: 1, Elements: 7}}, Limits: act.Limits{SpreadHours: 1}},
	} {
		d := cbor.NewDecoder(p.AppendCBOR(nil))
		if got := act.DecodePolicy(d); d.Done() != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %+v, %v", name, got, d.Done())
		}
	}
	for name, raw := range map[string][]byte{
		"four fields without a quota": {0x84, 11, 1, 1, 0x80},
		"five fields":                 {0x85, 11, 1, 1, 0x80, 0},
		"limits that are not set":     {0x85, 11, 1, 1, 0x80, 0x84, 0, 0, 0, 0},
		"limits that are too few":     {0x85, 11, 1, 1, 0x80, 0x83, 1, 1, 1},
		"two fields":                  {0x82, 11, 1},
	} {
		d := cbor.NewDecoder(raw)
		if act.DecodePolicy(d); !errors.Is(d.Done(), cbor.ErrEncoding) {
			t.Errorf("%s: %v, want ENC001", name, d.Done())
		}
	}
}

func TestAllProblemsOfAGenesisAreReportedAtOnce(t *testing.T) {
	_, valid, _ := founded(t)
	g := copyOf(valid)
	g.Name, g.LogEpoch, g.Policy.MinCell, g.Quorum = "?", 0, 0, 9
	g.Identity.KDF = 9
	g.Institutions[0].Province = "x"
	g.Nodes[0].Kind = 9
	g.Holders = nil
	err := g.Validate()
	for _, want := range []string{
		"network name", "log epoch", "min_cell", "identity", "institution 1", "q = 9", `node "h1"`, "2 voters", "0 holders",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing from:\n%v", want, err)
		}
	}
}

func TestTheLargestGenesisFitsAnAct(t *testing.T) {
	_, g, _ := founded(t)
	for len(g.Institutions) < act.MaxFounders {
		long := reader(t, "", 0)
		long.Entity, long.NameEN, long.NameZH = strings.Repeat("e", 64), strings.Repeat("n", 128), strings.Repeat("n", 128)
		g.Institutions = append(g.Institutions, long)
	}
	g.Nodes = fill(t, g.Nodes, 24)
	for i := range g.Nodes {
		g.Nodes[i].Addresses = []string{strings.Repeat("a", 256), strings.Repeat("b", 256), strings.Repeat("c", 256), strings.Repeat("d", 256)}
	}
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	a := act.Act{Version: act.Version, Type: act.TypeGenesis, Payload: g.Marshal(), Approvals: manyApprovals(act.MaxFounders, 3309)}
	if got, err := act.Decode(a.Marshal()); err != nil || len(got.Approvals) != act.MaxFounders {
		t.Errorf("an act of %d bytes: %v", len(a.Marshal()), err)
	}
}
