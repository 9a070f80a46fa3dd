package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/catalog"
)

func editionFlag() cli.Flag {
	return &cli.StringFlag{Name: "edition", Usage: "ask this node's daemon for an edition by `NAME`, as raresync catalog editions lists them"}
}

// listsOf returns the lists that a command is about.
func listsOf(c *cli.Context) (*catalog.Catalog, error) {
	name := c.String("edition")
	if name == "" || name == catalog.EditionCurrent {
		return catalog.Current(), nil
	}
	daemon, err := client(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	t, err := daemon.Table(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("edition %s: %w", name, err)
	}
	return catalog.Parse(t.Table)
}

func catalogEditionsCommand() *cli.Command {
	return &cli.Command{
		Name:  "editions",
		Usage: "list the editions of the lists that the network has; the newest is the one that files are checked by",
		Action: func(c *cli.Context) error {
			out, editions, err := ask(c, "list editions", (*admin.Client).Editions)
			if err != nil {
				return err
			}
			return term.Print(out, editions, "edition", "diseases", "envelope", "newest", "hash")
		},
	}
}

func catalogTableCommand() *cli.Command {
	return &cli.Command{
		Name:  "table",
		Usage: "print the lists as the CSV file that raresync act propose catalogue takes",
		Flags: []cli.Flag{editionFlag()},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			lists, err := listsOf(c)
			if err != nil {
				return err
			}
			return lists.WriteTable(c.App.Writer)
		},
	}
}
