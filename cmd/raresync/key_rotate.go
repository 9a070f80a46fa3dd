package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func keyRotateCommand() *cli.Command {
	return &cli.Command{
		Name:  "rotate",
		Usage: "put the next keys in force, by an act signed with the present envelope key",
		Description: "It waits until the log has them in force. The signing keys that they replace are destroyed\n" +
			"then; a former sealing key stays, to open what was sealed to it, until key protect --custody\n" +
			"takes it offline. The keys that are named are made first if need be.\n\n" +
			"With --lost it works without the network, on a fresh data directory of an institution that\n" +
			"lost its keys: it writes the act that q lead hospitals approve to put these keys in their place.",
		Flags: append(keyChoiceFlags(), yesFlag(),
			&cli.BoolFlag{Name: "lost", Usage: "write what lead hospitals approve in place of lost keys"},
			&cli.UintFlag{Name: "institution", Usage: "with --lost: the institution's `NUMBER`"},
			&cli.StringFlag{Name: "genesis", Usage: "with --lost: the network's genesis `FILE`"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "replacement.pem", Usage: "with --lost: write to `FILE`"}),
		Action: func(c *cli.Context) error {
			if c.Bool("lost") {
				return keyLost(c)
			}
			return keyRotate(c)
		},
	}
}

func keyRotate(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, keyTimeout)
	defer cancel()
	keys, err := daemon.Keys(ctx)
	if choice := keyChoice(c); err == nil && choice != (admin.KeyChoice{}) {
		keys, err = daemon.GenerateKeys(ctx, choice)
	}
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	var purposes []string
	for _, k := range keys {
		if k.State == "next" {
			purposes = append(purposes, k.Purpose)
		}
	}
	if len(purposes) > 0 { // else the daemon says what is missing
		err = confirm(c, fmt.Sprintf("Put new keys in force for %s? The signing keys before them are destroyed.", strings.Join(purposes, ", ")))
	}
	if err != nil {
		return err
	}
	if keys, err = daemon.RotateKeys(ctx); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Done("the new keys are in force")
	if slices.Contains(purposes, "sealing") {
		screen.Note("a reader takes its former sealing key offline with: raresync key protect --custody A B C")
	}
	return printKeys(ctx, c, out, daemon, keys)
}
