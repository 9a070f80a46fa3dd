package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
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
		if err := agreeToProposal(c, p); err != nil {
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
func agreeToProposal(c *cli.Context, p admin.Proposal) error {
	said, err := readProposal(&p)
	if err != nil {
		return coded{exitForbidden, err}
	}
	shown, err := term.New(c.App.ErrWriter, "table")
	if err != nil {
		return err
	}
	if err := printProposal(shown, c.App.ErrWriter, p, said); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Note(cannotBeUndone(p.Type))
	if c.Bool("yes") || c.Bool("dry-run") || agrees(c, "\nApprove it for this hospital? Type yes: ") {
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
	screen := term.NewScreen(c.App.ErrWriter)
	switch {
	case p.State == "fulfilled":
		screen.Done(fmt.Sprintf("the %s is in force since envelope %d", p.Type, p.Ended))
	case c.Bool("dry-run") && a.Signs:
		screen.Done("this hospital may approve it; nothing was signed")
	case c.Bool("dry-run"):
		screen.Done(fmt.Sprintf("there is nothing to sign: %d of %d approvals are given", p.Given, p.Needed))
	default:
		screen.Done(fmt.Sprintf("approved by this hospital: %d of %d approvals are given", p.Given, p.Needed))
		screen.Note("the others approve it with: raresync act approve " + short(p.ID))
	}
	return nil
}
