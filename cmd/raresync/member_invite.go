package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

func memberInviteCommand() *cli.Command {
	return &cli.Command{
		Name:  "invite",
		Usage: "make an invitation with which one institution can ask to be let in",
		Description: "Prints a token for raresync join TOKEN DIR, once. This node honours it, for one newcomer, until it\n" +
			"expires; it names the network and the keys of this node and the voters. It lets nobody in: what a\n" +
			"newcomer asked is in raresync member list, and lead hospitals decide.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "days", Value: 7, Usage: "void after `DAYS`, at most 30"},
			&cli.StringFlag{Name: "for", Usage: "`NAME` of whom it is for, for this node's operators"},
			&cli.StringSliceFlag{Name: "address", Usage: "`HOST:PORT` at which the newcomer reaches this node, if not that of the roster; may be repeated"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only say whether this node could"},
		},
		Action: memberInvite,
	}
}

func memberInvite(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	if days := c.Int("days"); days < 1 || days > 30 {
		return usagef("--days %d: want 1 to 30", days)
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	i, err := daemon.Invite(ctx, admin.NewInvitation{Days: c.Int("days"), Note: c.String("for"), Addresses: c.StringSlice("address"), DryRun: c.Bool("dry-run")})
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if c.Bool("dry-run") {
		screen.Done(v.say("node %s could invite until %s; nothing was made", "节点 %s 可以发出邀请，有效期至 %s；尚未生成", i.Node, i.Expires))
		return nil
	}
	if !isTable(c) {
		return term.PrintOne(out, i)
	}
	fmt.Fprintln(c.App.Writer, i.Token)
	screen.Done(v.say("invitation %s is good once, until %s; nobody can print it again", "邀请 %s 仅可使用一次，有效期至 %s；无法再次显示", i.ID, i.Expires))
	screen.Note(v.say("hand it over so that nobody else gets it; the newcomer runs: raresync join TOKEN DIR", "请妥善交给对方，勿让他人取得；对方运行：raresync join TOKEN DIR"))
	return nil
}

// memberApproveCommand decides on a newcomer's request, or on a proposal.
func memberApproveCommand() *cli.Command {
	c := actApproveCommand()
	c.Usage = "approve a newcomer's request, or a proposal, for this hospital"
	c.Description = "With the id of a request of raresync member list it proposes the admission, and approves it if this\n" +
		"hospital leads; compare the key id with the newcomer by telephone first. With the id of a proposal it\n" +
		"is raresync act approve."
	c.Flags = append(c.Flags,
		&cli.StringFlag{Name: "reason", Usage: "of a newcomer's request: `TEXT` for those who approve; everybody in the network can read it"},
		&cli.IntFlag{Name: "expires", Value: 14, Usage: "of a newcomer's request: the proposal is void after `DAYS`, at most 89"})
	c.Action = memberApprove
	return c
}

func memberApprove(c *cli.Context) error {
	id, err := proposalArgument(c)
	if err == nil {
		err = checkProposeFlags(c)
	}
	if err != nil {
		return err
	}
	_, daemon, err := talking(c)
	if err != nil {
		return err
	}
	request, err := requestOf(c, daemon, id)
	if err != nil {
		return err
	}
	if request == nil {
		return actApprove(c)
	}
	return approveRequest(c, daemon, request)
}

// requestOf returns the invitation that an id names, nil if none does.
func requestOf(c *cli.Context, daemon *admin.Client, id string) (*admin.Invitation, error) {
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	list, err := daemon.Invitations(ctx)
	if err != nil {
		return nil, fmt.Errorf("invitations: %w", err)
	}
	for i := range list {
		if strings.HasPrefix(list[i].ID, id) {
			return &list[i], nil
		}
	}
	return nil, nil
}

// errNobodyAsked reports an invitation that no newcomer has used.
var errNobodyAsked = errors.New("no newcomer waits on this invitation")

func approveRequest(c *cli.Context, daemon *admin.Client, request *admin.Invitation) error {
	if request.State != home.InvitationAsked && request.State != home.InvitationProposed {
		return coded{exitForbidden, fmt.Errorf("%w: it is %s", errNobodyAsked, request.State)}
	}
	card, err := founding.ParseCard(request.Card)
	if err != nil {
		return coded{exitInvalid, err}
	}
	t := tellerOf(c, daemon)
	d := admissionOf(t.members, card)
	shown, err := term.New(c.App.ErrWriter, "table")
	if err != nil {
		return err
	}
	shown.Speak(tableWords(c))
	if err := term.Print(shown, t.admission(d)); err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Note(t.say("compare the envelope key with the newcomer by telephone", "请用电话与申请方核对信封签名密钥"))
	if !c.Bool("dry-run") {
		if err := confirm(c, t.say("Propose to let it in, and approve it?", "提议并赞同其加入？")); err != nil {
			return err
		}
	}
	p, err := askToPropose(c, daemon, act.Act{Type: act.TypeAdmission, Payload: d.Marshal()}, c.String("reason"), c.Bool("dry-run"))
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		tellProposed(c, p)
		return nil
	}
	ctx, cancel := within(c, actTimeout)
	defer cancel()
	if _, err := daemon.DecideInvitation(ctx, request.ID, home.InvitationProposed); err != nil {
		return fmt.Errorf("note the proposal: %w", err)
	}
	return approveOwn(ctx, c, daemon, p)
}

// approveOwn gives this hospital's approval to what it has just proposed, if it
// leads.
func approveOwn(ctx context.Context, c *cli.Context, daemon *admin.Client, p admin.Proposal) error {
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	out.Speak(tableWords(c))
	done, err := daemon.Approve(ctx, p.ID, admin.NewApproval{})
	var problem *admin.Problem
	switch {
	case errors.As(err, &problem) && problem.Code == admin.CodeNotAllowed: // it does not lead: the others decide
		tellProposed(c, p)
		return nil
	case err != nil:
		return fmt.Errorf("approve %s: %w", short(p.ID), err)
	}
	return tellApproval(c, out, done)
}

func memberRejectCommand() *cli.Command {
	return &cli.Command{
		Name:      "reject",
		Usage:     "turn down a newcomer's request, or take back an invitation",
		ArgsUsage: "ID",
		Description: "The id is that of raresync member list. A proposal that was made already cannot be taken back: one\n" +
			"that nobody approves expires.",
		Flags:  []cli.Flag{yesFlag(), &cli.BoolFlag{Name: "dry-run", Usage: "only say which it is"}},
		Action: memberReject,
	}
}

func memberReject(c *cli.Context) error {
	id, err := proposalArgument(c)
	if err != nil {
		return err
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	request, err := requestOf(c, daemon, id)
	if err != nil {
		return err
	}
	if request == nil {
		return coded{exitNotFound, fmt.Errorf("no invitation of this node has the id %s: raresync member list shows them", id)}
	}
	v := voiceOf(c)
	if c.Bool("dry-run") {
		request.Card = nil
		return term.PrintOne(out, *request, "id", "state", "expires", "note", "name", "node", "key_id")
	}
	if err := confirm(c, v.say("Reject invitation %s (%s)? It cannot be used any more.", "拒绝邀请 %s（%s）？此后不能再使用。", request.ID, v.cell("state", request.State))); err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	done, err := daemon.DecideInvitation(ctx, request.ID, home.InvitationRejected)
	if err != nil {
		return fmt.Errorf("reject: %w", err)
	}
	term.NewScreen(c.App.ErrWriter).Done(v.say("invitation %s is rejected", "邀请 %s 已拒绝", done.ID))
	return nil
}

// printInvitations shows what this node has made, if anything.
func printInvitations(c *cli.Context, out *term.Output) error {
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	list, err := daemon.Invitations(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	for i := range list {
		list[i].KeyID = shortKey(list[i].KeyID)
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, list, "id", "state", "expires", "note", "name", "node", "key_id")
}
