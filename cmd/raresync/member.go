package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func memberCommand() *cli.Command {
	return &cli.Command{
		Name:        "member",
		Usage:       "see who belongs to the network, and change it together",
		Description: "Who comes in, votes, or is removed, lead hospitals decide: one proposes it, q of them approve it.",
		Subcommands: []*cli.Command{memberListCommand(), memberInviteCommand(), memberApproveCommand(), memberRejectCommand(), memberPromoteCommand(), memberDemoteCommand(),
			memberRemoveCommand(), memberRekeyCommand()},
	}
}

// nodeRow is a node on one line.
type nodeRow struct {
	admin.NodePart
	Institution uint32 `json:"institution"`
}

func memberListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the institutions of the roster, what part their nodes take, and the invitations of this node",
		Action: func(c *cli.Context) error {
			out, members, err := ask(c, "list members", (*admin.Client).Members)
			if err != nil {
				return err
			}
			columns := []string{"number", "role", "name_zh", "name_en", "province", "lead", "rights", "nodes", "holder", "sequence"}
			if slices.ContainsFunc(members, func(m admin.Member) bool { return m.Removed > 0 }) {
				columns = append(columns, "removed")
			}
			if err := term.Print(out, members, columns...); err != nil || !isTable(c) {
				return err
			}
			var parts []nodeRow
			for _, m := range members {
				for _, p := range m.Parts {
					parts = append(parts, nodeRow{p, m.Number})
				}
			}
			fmt.Fprintln(c.App.Writer)
			if err := term.Print(out, parts, "node", "institution", "kind", "dials_out", "supports", "state"); err != nil {
				return err
			}
			if err := printInvitations(c, out); err != nil {
				return err
			}
			daemon, err := client(c)
			if err == nil {
				tellDead(c, daemon)
			}
			return err
		},
	}
}
