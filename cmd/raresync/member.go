package main

import (
	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func memberCommand() *cli.Command {
	return &cli.Command{
		Name:        "member",
		Usage:       "see who belongs to the network",
		Subcommands: []*cli.Command{memberListCommand()},
	}
}

func memberListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the institutions of the roster with their nodes",
		Action: func(c *cli.Context) error {
			out, members, err := ask(c, "list members", (*admin.Client).Members)
			if err != nil {
				return err
			}
			return term.Print(out, members, "number", "role", "name_zh", "name_en", "province", "lead", "rights", "nodes", "holder", "sequence")
		},
	}
}
