package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
)

// fact is one thing that an act says.
type fact struct {
	What string `json:"what"`
	Says string `json:"says"`
}

// shownProposal is a proposal with what it says.
type shownProposal struct {
	admin.Proposal
	Says []fact `json:"says"`
}

// errUnread reports a proposal whose words cannot be shown, so that nobody may
// sign it.
var errUnread = errors.New("this program cannot read what is proposed")

// teller puts acts into words, in a language and with the institutions' names.
type teller struct {
	voice
	names
	members []admin.Member
	keys    []admin.HeldKey
	lists   *catalog.Catalog // in force; nil: not known
}

// tellerOf returns the teller of a command. JSON is told in English, and a node
// that does not say the names and keys leaves the numbers.
func tellerOf(c *cli.Context, daemon *admin.Client) teller {
	t := teller{voice: voice{"en"}}
	if isTable(c) {
		t.voice = voiceOf(c)
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	if members, err := daemon.Members(ctx); err == nil {
		t.members, t.names = members, namesOf(t.voice, members)
	}
	if keys, err := daemon.Keys(ctx); err == nil {
		t.keys = keys
	}
	if table, err := daemon.Table(ctx, ""); err == nil {
		if lists, err := catalog.Parse(table.Table); err == nil {
			t.lists = lists
		}
	}
	return t
}

// of says an institution with its number, also one that has no name here.
func (t teller) of(number uint32) string {
	if t.names[number] == "" {
		return t.say("institution %d", "第 %d 号机构", number)
	}
	return t.names.of(number)
}

// read puts into words what is proposed, from the very bytes that approvals
// sign. Of one that has ended nothing is known where the node has not got its
// envelope yet.
func (t teller) read(p *admin.Proposal) ([]fact, error) {
	if len(p.Core) == 0 {
		return nil, nil
	}
	network, err := hex.DecodeString(p.NetworkID)
	if err != nil || len(network) != 32 {
		return nil, fmt.Errorf("%w: network id %q", errUnread, p.NetworkID)
	}
	if id := act.ProposalID([32]byte(network), p.Core); hex.EncodeToString(id[:]) != p.ID {
		return nil, fmt.Errorf("%w: it is not what the id %s names", errUnread, short(p.ID))
	}
	a, err := act.DecodeCore(p.Core)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	said, err := t.wordsOf(a)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	return said, nil
}

// cannotBeUndone says what an approval starts.
func cannotBeUndone(v voice, a string) string {
	return v.say("an approval cannot be taken back: with enough of them this %s is in force for everybody, and stays in the log for ever",
		"赞同不能撤回：达到所需数目后，本公告（%s）即对所有机构生效，并永久保存在日志中", v.cell("type", a))
}

// print shows a proposal to a person.
func (t teller) print(out *term.Output, w io.Writer, p admin.Proposal, said []fact) error {
	approved := t.say("%d of %d", "%d/%d", p.Given, p.Needed)
	if p.State != "open" && p.State != "fulfilled" {
		approved = "" // not known any more
	}
	head := struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		State    string `json:"state"`
		By       string `json:"proposed_by"`
		Proposed string `json:"proposed"`
		Expires  string `json:"expires"`
		Reason   string `json:"reason"`
		Approved string `json:"approved"`
	}{p.ID, p.Type, p.State, t.of(p.Proposer), p.Proposed, p.Expires, p.Reason, approved}
	if err := term.PrintOne(out, head); err != nil {
		return err
	}
	if len(said) > 0 {
		fmt.Fprintln(w)
		if err := term.Print(out, said); err != nil {
			return err
		}
	}
	if len(p.Approvals) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	approvers := slices.Clone(p.Approvals)
	for i := range approvers {
		if name := t.names[approvers[i].Hospital]; name != "" {
			approvers[i].Name = name
		}
	}
	return term.Print(out, approvers, "hospital", "name", "key_id")
}
