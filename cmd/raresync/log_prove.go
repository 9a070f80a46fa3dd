package main

import (
	"encoding/hex"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
)

func logProveCommand() *cli.Command {
	return &cli.Command{
		Name:      "prove",
		Usage:     "write the receipt of an entry to a file",
		ArgsUsage: "INDEX",
		Description: "The receipt is a C2SP tlog-proof with the leaf as its extra data. Anybody verifies it with\n" +
			"the network's policy alone: raresync log verify --policy POLICY --proof FILE. It shows which\n" +
			"hospital, when and a hash, never a body.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "write to `FILE`; - is standard output (default: receipt-INDEX.txt)"},
		},
		Action: logProve,
	}
}

func logProve(c *cli.Context) error {
	index, err := indexArgument(c)
	if err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	p, err := daemon.Prove(ctx, index)
	if err != nil {
		return named(index, err)
	}
	leaf, err := hex.DecodeString(p.Leaf)
	if err != nil {
		return fmt.Errorf("prove entry %d: leaf: %w", index, err)
	}
	receipt, err := audit.WithLeaf(leaf, []byte(p.Proof))
	if err != nil {
		return fmt.Errorf("prove entry %d: %w", index, err)
	}
	path := c.String("file")
	if path == "" {
		path = fmt.Sprintf("receipt-%d.txt", index)
	}
	if err := create(c, path, receipt); err != nil {
		return err
	}
	if path != "-" {
		term.NewScreen(c.App.ErrWriter).Done(fmt.Sprintf("receipt of entry %d in %s", index, path))
	}
	return nil
}
