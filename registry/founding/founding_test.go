package founding_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// members returns three hospitals and a reader with their keys, and the plan
// of a demo network of them.
func members(t testing.TB) ([]*foundingtest.Member, founding.Plan) {
	t.Helper()
	net := foundingtest.New(t, 3)
	all := append(slices.Clone(net.Hospitals), net.Reader)
	plan := founding.Plan{
		Dealt: true,
		Name:  "test.example/another", Demo: true, Policy: act.DefaultPolicy(),
		Identity:  pseudonym.Params{KDF: 1, Time: 1, MemoryKiB: 64, Parallelism: 1},
		Catalogue: act.Catalogue{Edition: "test"},
	}
	for _, m := range all {
		plan.Cards = append(plan.Cards, m.Card)
	}
	return all, plan
}

func newDraft(t testing.TB) (*founding.Draft, []*foundingtest.Member) {
	t.Helper()
	all, plan := members(t)
	d, err := founding.NewDraft(plan, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return d, all
}

// approvals returns the approval of each member, in their order.
func approvals(t testing.TB, d *founding.Draft, all []*foundingtest.Member) []act.Approval {
	t.Helper()
	var out []act.Approval
	for _, m := range all {
		p, err := d.Approve(m.Number, m.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestNetworkIsFoundedFromFilesAlone(t *testing.T) {
	all, plan := members(t)
	for i := range plan.Cards { // as they arrive by mail
		c, err := founding.ParseCard(plan.Cards[i].Marshal())
		if err != nil {
			t.Fatal(err)
		}
		plan.Cards[i] = *c
	}
	drafted, err := founding.NewDraft(plan, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := drafted.Marshal()
	finisher, err := founding.ParseDraft(file)
	if err != nil {
		t.Fatal(err)
	}
	var given []act.Approval
	for _, m := range all {
		d, err := founding.ParseDraft(file)
		if err != nil {
			t.Fatal(err)
		}
		number, ok := d.Number(m.Envelope.Public().ID())
		if !ok || number != m.Number {
			t.Fatalf("%s has number %d, want %d", m.Node, number, m.Number)
		}
		p, err := d.Approve(number, m.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		back, err := finisher.ParseApproval(d.MarshalApproval(p))
		if err != nil {
			t.Fatal(err)
		}
		given = append(given, back)
	}
	slices.Reverse(given) // the order of arrival does not matter
	e, err := finisher.Finish(given, 12345, all[0].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	again, err := founding.ParseGenesis(founding.MarshalGenesis(e))
	if err != nil || !bytes.Equal(again.Marshal(), e.Marshal()) || again.SignedAt != 12345 {
		t.Errorf("genesis file: %v", err)
	}
	if err := again.VerifySignature(all[0].Envelope.Public()); err != nil {
		t.Error(err)
	}
}

func TestHospitalsAreNumberedBeforeReaders(t *testing.T) {
	all, plan := members(t)
	slices.Reverse(plan.Cards)
	d, err := founding.NewDraft(plan, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[uint32]*foundingtest.Member{1: all[2], 2: all[1], 3: all[0], 4: all[3]} {
		if got, ok := d.Number(want.Envelope.Public().ID()); !ok || got != number {
			t.Errorf("%s has number %d, want %d", want.Node, got, number)
		}
	}
	if _, ok := d.Number([32]byte{1}); ok {
		t.Error("a key of nobody has a number")
	}
	for _, n := range d.Genesis.Nodes {
		if d.Genesis.Institutions[n.Institution-1].Role == act.RoleReader != (n.ID == "reader") {
			t.Errorf("node %s belongs to institution %d", n.ID, n.Institution)
		}
	}
	if d.Genesis.Quorum != 2 || !slices.Equal(d.Genesis.Holders, []uint32{1, 2, 3}) {
		t.Errorf("q = %d, holders %d", d.Genesis.Quorum, d.Genesis.Holders)
	}
}

func TestShareOpensForItsHolderAndFitsThePublicKey(t *testing.T) {
	d, all := newDraft(t)
	record := d.Genesis.OPRF.Bind(d.Act.NetworkID())
	for i, m := range all[:3] {
		s, ok, err := d.Share(m.Number, m.Sealing)
		if err != nil || !ok || int(s.Holder) != i+1 || keyshare.CheckShare(record, s) != nil {
			t.Errorf("%s: share %d, %t, %v", m.Node, s.Holder, ok, err)
		}
		for _, other := range all {
			if other == m {
				continue
			}
			if _, ok, err := d.Share(m.Number, other.Sealing); ok || !errors.Is(err, seal.ErrWrap) {
				t.Errorf("share of %s with the key of %s: %t, %v", m.Node, other.Node, ok, err)
			}
		}
	}
	if _, ok, err := d.Share(all[3].Number, all[3].Sealing); ok || err != nil {
		t.Errorf("a reader holds a share: %t, %v", ok, err)
	}
}

func TestShareThatIsNotTheHoldersIsRefused(t *testing.T) {
	d, all := newDraft(t)
	second, _, err := d.Share(2, all[1].Sealing)
	if err != nil {
		t.Fatal(err)
	}
	wrong := second
	wrong.Holder = 1
	for name, s := range map[string]keyshare.Share{"another holder's share": second, "another holder's scalar": wrong} {
		raw := s
		raw.KeyID = [32]byte{}
		if d.Shares[0], err = all[0].Sealing.Public().SealMessage("raresync/v1/dealt-share", keyshare.MarshalShare(raw)); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := d.Share(1, all[0].Sealing); ok || err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestGenesisNeedsEveryFoundersApprovalOnce(t *testing.T) {
	d, all := newDraft(t)
	other, _ := newDraft(t)
	good := approvals(t, d, all)
	foreign := approvals(t, other, all)
	impostor, err := d.Approve(2, all[0].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	guest := good[0]
	guest.Hospital = 9
	for name, tc := range map[string]struct {
		given []act.Approval
		want  string // "" = founded
	}{
		"all of them":                     {good, ""},
		"none":                            {nil, "institution 1 is missing"},
		"the reader's is missing":         {good[:3], "institution 4 is missing"},
		"one in the middle is missing":    {slices.Concat(good[:1], good[2:]), "institution 2 is missing"},
		"one is given twice":              {slices.Concat(good, good[1:2]), "institution 2 is given twice"},
		"one is for another draft":        {slices.Concat(good[:3], foreign[3:]), "approval of institution 4"},
		"one is by another founder's key": {slices.Concat(good[:1], []act.Approval{impostor}, good[2:]), "approval of institution 2: approval by another key"},
		"one is by a guest":               {slices.Concat(good, []act.Approval{guest}), "5 approvals of 4 founders"},
	} {
		_, err := d.Finish(tc.given, 1, all[0].Envelope)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestOnlyHospitalOneFinishes(t *testing.T) {
	d, all := newDraft(t)
	for _, m := range all[1:] {
		if _, err := d.Finish(approvals(t, d, all), 1, m.Envelope); err == nil || !strings.Contains(err.Error(), "only hospital 1") {
			t.Errorf("%s finished: %v", m.Node, err)
		}
	}
}

// Each byte of the act is one that somebody approved.
func TestDraftChangedByOneByteVoidsEveryApproval(t *testing.T) {
	d, all := newDraft(t)
	given := approvals(t, d, all)
	for i := range d.Act.Payload {
		if i%61 != 0 {
			continue
		}
		changed := *d.Act
		changed.Payload = bytes.Clone(d.Act.Payload)
		changed.Payload[i] ^= 1
		forged := founding.Draft{Act: &changed, Genesis: d.Genesis, Shares: d.Shares}
		if _, err := forged.Finish(given, 1, all[0].Envelope); err == nil {
			t.Fatalf("byte %d of the draft can be changed after approval", i)
		}
		if _, err := forged.ParseApproval(d.MarshalApproval(given[0])); err == nil || !strings.Contains(err.Error(), "another draft") {
			t.Fatalf("byte %d: approval file: %v", i, err)
		}
	}
}

func TestApprovalFileIsForOneDraftAndOneFounder(t *testing.T) {
	d, all := newDraft(t)
	other, _ := newDraft(t)
	good := approvals(t, d, all)[0]
	guest, misattributed := good, good
	guest.Hospital, misattributed.Hospital = 9, 2
	for name, tc := range map[string]struct {
		file []byte
		want string
	}{
		"as given":               {d.MarshalApproval(good), ""},
		"for another draft":      {other.MarshalApproval(good), "another draft"},
		"by a guest":             {d.MarshalApproval(guest), "no founder"},
		"in another's name":      {d.MarshalApproval(misattributed), "another key"},
		"a card":                 {all[0].Card.Marshal(), "file holds a RARESYNC CARD, want a RARESYNC APPROVAL"},
		"nothing":                {nil, "no RARESYNC APPROVAL block"},
		"two blocks":             {append(d.MarshalApproval(good), d.MarshalApproval(good)...), "more than one block"},
		"larger than a megabyte": {make([]byte, 1<<20+1), "larger than"},
	} {
		_, err := d.ParseApproval(tc.file)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestPlanThatCannotFoundANetworkIsNoDraft(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*founding.Plan)
		want   string
	}{
		"no cards":                    {func(p *founding.Plan) { p.Cards = nil }, "deal to 0 hospitals"},
		"two voters":                  {func(p *founding.Plan) { p.Cards = p.Cards[1:] }, "2 voters"},
		"not a demo":                  {func(p *founding.Plan) { p.Demo = false }, "demo networks only"},
		"an edition no one can read":  {func(p *founding.Plan) { p.Catalogue.Edition = strings.Repeat("e", 65) }, "ENC001"},
		"a card twice":                {func(p *founding.Plan) { p.Cards = append(p.Cards, p.Cards[3]) }, "is used twice"},
		"a hospital with a long name": {func(p *founding.Plan) { p.Cards[0].Institution.NameEN = strings.Repeat("n", 129) }, "ENC001"},
	} {
		_, plan := members(t)
		tc.change(&plan)
		if _, err := founding.NewDraft(plan, rand.Reader); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestDraftsOfAnotherFormAreRefused(t *testing.T) {
	good, all := newDraft(t)
	for name, tc := range map[string]struct {
		change func(*founding.Draft)
		want   string
	}{
		"as drafted":            {func(*founding.Draft) {}, ""},
		"approved already":      {func(d *founding.Draft) { d.Act.Approvals = approvals(t, good, all) }, "with 4 approvals"},
		"another act":           {func(d *founding.Draft) { d.Act.Type = act.TypeUnopenable }, "act of unopenable"},
		"with an expiry":        {func(d *founding.Draft) { d.Act.Expiry = 1 }, "no expiry"},
		"with a roster version": {func(d *founding.Draft) { d.Act.RosterVersion = 1 }, "roster version 0"},
		"of act version 2":      {func(d *founding.Draft) { d.Act.Version = 2 }, "version 1"},
		"a share too few":       {func(d *founding.Draft) { d.Shares = d.Shares[:2] }, "2 shares for 3 holders"},
		"a share too large":     {func(d *founding.Draft) { d.Shares = [][]byte{make([]byte, 4097), {}, {}} }, "ENC001"},
		"not a genesis":         {func(d *founding.Draft) { d.Act.Payload = []byte{1} }, "ENC001"},
		"one that cannot found": {func(d *founding.Draft) {
			g := *d.Genesis
			g.Quorum = 9
			d.Act.Payload = g.Marshal()
		}, "q = 9"},
	} {
		a := *good.Act
		d := founding.Draft{Act: &a, Genesis: good.Genesis, Shares: good.Shares}
		tc.change(&d)
		_, err := founding.ParseDraft(d.Marshal())
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestGenesisFileMustHoldAnEnvelope(t *testing.T) {
	d, _ := newDraft(t)
	if _, err := founding.ParseGenesis(d.Marshal()); err == nil || !strings.Contains(err.Error(), "want a RARESYNC GENESIS") {
		t.Errorf("a draft: %v", err)
	}
	junk := bytes.ReplaceAll(d.Marshal(), []byte("DRAFT"), []byte("GENESIS"))
	if _, err := founding.ParseGenesis(junk); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("a draft under another name: %v", err)
	}
}
