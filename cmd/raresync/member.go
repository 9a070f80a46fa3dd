package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
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
			out, daemon, err := asking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			members, err := daemon.Members(ctx)
			if err != nil {
				return fmt.Errorf("list members: %w", err)
			}
			return term.Print(out, members, "number", "role", "name_zh", "name_en", "province", "lead", "rights", "nodes", "holder", "sequence")
		},
	}
}
