package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

func actApproveCommand() *cli.Command {
	return &cli.Command{
		Name:      "approve",
		Usage:     "approve a proposal for this hospital, which must be a lead hospital",
		ArgsUsage: "ID",
		Description: "Shows what is approved and asks. With the last approval that is needed the act comes into\n" +
			"force at once. It may be repeated: what is done already is left out, and an act that has its\n" +
			"approvals but was not submitted is submitted.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "approve without being asked"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be approved, and whether this hospital may"},
		},
		Action: actApprove,
	}
}

// errNotApproved reports that the person was asked and did not say yes.
var errNotApproved = errors.New("the proposal was not approved")

func actApprove(c *cli.Context) error {
	id, err := proposalArgument(c)
	if err != nil {
		return err
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	p, err := proposalOf(c, daemon, id)
	if err != nil {
		return err
	}
	may, err := approveProposal(c, daemon, p.ID, admin.NewApproval{DryRun: true})
	if err != nil {
		return err
	}
	if may.Signs {
		if err := agreeToProposal(c, tellerOf(c, daemon), p); err != nil {
			return err
		}
	}
	if c.Bool("dry-run") {
		return tellApproval(c, out, may)
	}
	done, err := approveProposal(c, daemon, p.ID, admin.NewApproval{})
	if err != nil {
		return err
	}
	return tellApproval(c, out, done)
}

func approveProposal(c *cli.Context, daemon *admin.Client, id string, n admin.NewApproval) (admin.Approval, error) {
	ctx, cancel := within(c, actTimeout)
	defer cancel()
	a, err := daemon.Approve(ctx, id, n)
	if err != nil {
		return a, fmt.Errorf("approve %s: %w", short(id), err)
	}
	return a, nil
}

// agreeToProposal shows what would be signed, on standard error, and asks. What
// this program cannot read is not signed.
func agreeToProposal(c *cli.Context, t teller, p admin.Proposal) error {
	said, err := t.read(&p)
	if err != nil {
		return coded{exitForbidden, err}
	}
	shown, err := term.New(c.App.ErrWriter, "table")
	if err != nil {
		return err
	}
	shown.Speak(tableWords(c))
	if err := t.print(shown, c.App.ErrWriter, p, said); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Note(cannotBeUndone(t.voice, p.Type))
	if c.Bool("yes") || c.Bool("dry-run") || agrees(c, t.say("\nApprove it for this hospital? Type yes: ", "\n代表本院赞同？输入 yes 确认：")) {
		return nil
	}
	return coded{exitForbidden, hinted{errNotApproved, "answer yes, or give --yes"}}
}

// tellApproval says what became of the proposal, or would.
func tellApproval(c *cli.Context, out *term.Output, a admin.Approval) error {
	p := a.Proposal
	if !isTable(c) {
		return term.PrintOne(out, a)
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	switch {
	case p.State == "fulfilled" && p.Type == act.TypeCeremony.String():
		screen.Done(v.say("the reshare is open since envelope %d; the key has not moved yet", "重新分发已开始（信封 %d）；密钥尚未转移", p.Ended))
		screen.Note(v.say("when the new holders' daemons have joined, operators of enough present holders run: raresync ceremony contribute",
			"待新持有方的服务加入后，足够多的当前持有方的运维人员运行：raresync ceremony contribute"))
		screen.Note(v.say("raresync ceremony status says what it waits for", "raresync ceremony status 显示在等待什么"))
	case p.State == "fulfilled":
		screen.Done(v.say("the %s is in force since envelope %d", "%s已生效（信封 %d）", v.cell("type", p.Type), p.Ended))
	case c.Bool("dry-run") && a.Signs:
		screen.Done(v.say("this hospital may approve it; nothing was signed", "本院可以赞同；尚未签名"))
	case c.Bool("dry-run"):
		screen.Done(v.say("there is nothing to sign: %d of %d approvals are given", "无需签名：已有 %d 个赞同（需 %d 个）", p.Given, p.Needed))
	default:
		screen.Done(v.say("approved by this hospital: %d of %d approvals are given", "本院已赞同：已有 %d 个赞同（需 %d 个）", p.Given, p.Needed))
		screen.Note(v.say("the others approve it with: raresync act approve %s", "其他医院赞同：raresync act approve %s", short(p.ID)))
	}
	return nil
}
