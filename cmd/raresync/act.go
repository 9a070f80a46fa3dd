package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func actCommand() *cli.Command {
	return &cli.Command{
		Name:  "act",
		Usage: "decide together: propose an act, see what is proposed, approve it",
		Description: "Some acts need the approvals of q lead hospitals. Any hospital proposes one; the proposal is\n" +
			"public in the log. Lead hospitals read it and approve it; with the last approval that is\n" +
			"needed the act comes into force.",
		Subcommands: []*cli.Command{actProposeCommand(), actListCommand(), actShowCommand(), actApproveCommand()},
	}
}

// actTimeout is for an act that has to get into the log, and once more for the
// act that it completes.
const actTimeout = 2 * time.Minute

func actListCommand() *cli.Command {
	return &cli.Command{
		Name:   "list",
		Usage:  "list the proposals that are open",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "all", Usage: "also the newest of those that have ended, and how"}},
		Action: actList,
	}
}

// actRow is a proposal on one line.
type actRow struct {
	admin.Proposal
	By       string `json:"by"`
	Approved string `json:"approved"`
}

func actList(c *cli.Context) error {
	out, known, err := ask(c, "list proposals", (*admin.Client).Proposals)
	if err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	t := tellerOf(c, daemon)
	rows := []actRow{}
	for _, p := range known {
		if p.State != "open" && !c.Bool("all") {
			continue
		}
		row := actRow{Proposal: p, By: t.of(p.Proposer)}
		if p.State == "open" || p.Given > 0 {
			row.Approved = t.say("%d of %d", "%d/%d", p.Given, p.Needed)
		}
		if isTable(c) {
			row.ID = short(p.ID)
		}
		rows = append(rows, row)
	}
	return term.Print(out, rows, "id", "type", "state", "by", "approved", "mine", "expires", "reason")
}

// short returns as much of an id as people copy. If a second proposal begins with
// the same, the daemon asks for more of it.
func short(id string) string { return id[:min(len(id), 16)] }

func actShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show a proposal: what it says, who approved it, how to approve it",
		ArgsUsage: "ID",
		Action:    actShow,
	}
}

func actShow(c *cli.Context) error {
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
	t := tellerOf(c, daemon)
	said, unread := t.read(&p)
	if !isTable(c) {
		return errors.Join(term.PrintOne(out, shownProposal{p, said}), unread)
	}
	if err := t.print(out, c.App.Writer, p, said); err != nil {
		return err
	}
	if unread != nil {
		return unread
	}
	screen := term.NewScreen(c.App.ErrWriter)
	switch {
	case p.State != "open":
		screen.Note(t.say("it is %s since envelope %d", "%s（信封 %d）", t.cell("state", p.State), p.Ended))
	case p.Enough:
		screen.Note(t.say("it has its approvals and only has to be submitted, by any hospital: raresync act approve %s",
			"赞同已足，任何医院均可提交：raresync act approve %s", short(p.ID)))
	default:
		screen.Note(t.say("%d more of the lead hospitals approve it with: raresync act approve %s",
			"还需 %d 家牵头医院赞同：raresync act approve %s", int(p.Needed)-p.Given, short(p.ID)))
	}
	return nil
}

// proposalArgument returns the one argument: an id, or the beginning of one.
func proposalArgument(c *cli.Context) (string, error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return "", err
	}
	id := strings.ToLower(args[0])
	if len(id) < 8 || len(id) > 2*32 || strings.Trim(id, "0123456789abcdef") != "" {
		return "", usagef("%s: %q is no id: give 8 to 64 hexadecimal characters, as raresync act list prints them", commandName(c), args[0])
	}
	return id, nil
}

func proposalOf(c *cli.Context, daemon *admin.Client, id string) (admin.Proposal, error) {
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	p, err := daemon.Proposal(ctx, id)
	if err != nil {
		return p, fmt.Errorf("proposal %s: %w", id, err)
	}
	if raw, err := hex.DecodeString(p.ID); err != nil || len(raw) != 32 || !strings.HasPrefix(p.ID, id) {
		return p, fmt.Errorf("proposal %s: the daemon answered with another, %q", id, p.ID)
	}
	return p, nil
}
