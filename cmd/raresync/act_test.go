package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// shown is a proposal to let a newcomer in, as a daemon describes it.
func shown(m *foundingtest.Member) admin.Proposal {
	network := [32]byte{7}
	d := act.Admission{Institution: m.Card.Institution, Nodes: m.Card.Nodes}
	a := act.Act{Version: act.Version, Type: act.TypeAdmission, RosterVersion: 1, Expiry: 9, Payload: d.Marshal()}
	id := act.ProposalID(network, a.Core())
	return admin.Proposal{ID: hex.EncodeToString(id[:]), NetworkID: hex.EncodeToString(network[:]), Core: a.Core(), State: "open"}
}

func TestOnlyWhatIsReadInItsOwnWordsIsApproved(t *testing.T) {
	m, other := foundingtest.Newcomer(t, "h5", 5), foundingtest.Newcomer(t, "h6", 5)
	wordless := act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: []byte{1}}
	revoke := act.Act{Version: act.Version, Type: act.TypeRevoke, Payload: []byte{1}}
	for name, tc := range map[string]struct {
		change func(*admin.Proposal)
		want   string // "" = it is read
	}{
		"as it was proposed":                 {func(*admin.Proposal) {}, ""},
		"with another act under its id":      {func(p *admin.Proposal) { p.Core = shown(other).Core }, "not what the id"},
		"of another network":                 {func(p *admin.Proposal) { p.NetworkID = strings.Repeat("00", 32) }, "not what the id"},
		"of no network":                      {func(p *admin.Proposal) { p.NetworkID = "" }, "network id"},
		"of a type this program has no word": {func(p *admin.Proposal) { renamed(p, wordless.Core()) }, "unopenable: use a newer version"},
		"of a payload that is none":          {func(p *admin.Proposal) { renamed(p, revoke.Core()) }, "revocation: ENC001"},
		"of bytes that are no act":           {func(p *admin.Proposal) { renamed(p, []byte{1}) }, "core of an act"},
	} {
		p := shown(m)
		tc.change(&p)
		said, err := teller{}.read(&p)
		switch {
		case tc.want == "" && (err != nil || len(said) == 0):
			t.Errorf("%s: %v, %v", name, said, err)
		case tc.want != "" && (!errors.Is(err, errUnread) || !strings.Contains(err.Error(), tc.want) || said != nil):
			t.Errorf("%s: got %v, %v, want %q", name, said, err, tc.want)
		}
	}
}

// renamed gives a proposal another core, and the id of that.
func renamed(p *admin.Proposal, core []byte) {
	id := act.ProposalID([32]byte{7}, core)
	p.Core, p.ID = core, hex.EncodeToString(id[:])
}

func TestTheWordsOfAnAdmissionSayWhatTheNewcomerMayRead(t *testing.T) {
	for _, c := range []struct {
		role   act.Role
		rights act.Rights
		says   string
	}{
		{act.RoleHospital, 0, "let this hospital in as institution 5, with its nodes as mirrors and no right to read what others send"},
		{act.RoleReader, act.RightNational | act.RightGenetics, "let this reader in as institution 5, with its nodes as mirrors and THE RIGHT TO READ what hospitals send from then on: national,genetics"},
	} {
		card := foundingtest.Newcomer(t, "h5", 5).Card
		d := &act.Admission{Institution: card.Institution, Nodes: card.Nodes}
		d.Institution.Role, d.Institution.Rights = c.role, c.rights
		if got := (teller{}).admission(d)[0].Says; got != c.says {
			t.Errorf("of a %s: %q, want %q", c.role, got, c.says)
		}
	}
}

func TestTheWordsOfAnAdmissionNameEveryKeyAndNode(t *testing.T) {
	m := foundingtest.Newcomer(t, "h5", 5)
	m.Card.Nodes[0].Addresses = []string{"h5.example:8470"}
	p := shown(m)
	said, err := teller{}.read(&p)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range said {
		text.WriteString(f.What + ": " + f.Says + "\n")
	}
	want := []string{"as institution 5", "新医院 New hospital", "entity-h5", "province: 11", "lead hospital: no", "node h5: mirror at h5.example:8470"}
	for _, id := range append(m.Card.Institution.KeyIDs(), m.Card.Nodes[0].KeyIDs()...) {
		want = append(want, hex.EncodeToString(id[:]))
	}
	for _, w := range want {
		if !strings.Contains(text.String(), w) {
			t.Errorf("no %q in\n%s", w, text.String())
		}
	}
}
