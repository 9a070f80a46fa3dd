package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func letterCommand() *cli.Command {
	return &cli.Command{
		Name:        "letter",
		Usage:       "tell each hospital how it stands, once a month; read what was written",
		Subcommands: []*cli.Command{letterSendCommand(), letterListCommand(), letterShowCommand()},
	}
}

func letterSendCommand() *cli.Command {
	return &cli.Command{
		Name:  "send",
		Usage: "send the quality letters of a month, on a national reader's node",
		Description: "Each letter has the hospital's own indicators of the month, the median of all hospitals and its quarter among\n" +
			"them where enough have one, the fields in which rules found most, and its open queries. It is sealed to that\n" +
			"hospital and the national readers. A hospital has one letter of a month: what was sent is not sent again.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "month", Usage: "of what came into the log in this `MONTH`, as 2026-11; without it the last complete one"},
			&cli.UintFlag{Name: "hospital", Usage: "to the hospital with this `NUMBER` alone"},
			&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the receipts: the daemon sends what it has signed"},
			purposeFlag,
		},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			out, daemon, err := talking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, 0) // walks every registration, and waits for as many receipts as hospitals
			defer cancel()
			sent, err := daemon.SendLetters(ctx, admin.LetterRequest{Month: c.String("month"), Hospital: uint32(c.Uint("hospital")), Wait: !c.Bool("no-wait")})
			if err != nil {
				return fmt.Errorf("letter send: %w", err)
			}
			return term.Print(out, sent, "hospital", "month", "outcome", "index", "receipt")
		},
	}
}

func letterListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list the quality letters that this institution wrote or was sent",
		Description: "A hospital sees its own alone.",
		Flags:       []cli.Flag{purposeFlag},
		Action: func(c *cli.Context) error {
			out, list, err := ask(c, "letters", (*admin.Client).Letters)
			if err != nil {
				return err
			}
			return term.Print(out, list, "index", "sender", "hospital", "month", "sent_at", "open_queries", "oldest_days")
		},
	}
}

func letterShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print a quality letter",
		ArgsUsage: "INDEX",
		Description: "INDEX is that of the letter, as letter list shows it. Its counts are exact: they are the hospital's own, and not to\n" +
			"be passed on. Beside the letter, the hospital's node names entries that it is about, with their case numbers, and\n" +
			"the queries that are open today.",
		Flags: []cli.Flag{purposeFlag, &cli.StringFlag{Name: "format", Value: "text", Usage: "print as `FORMAT`: text, json, csv or html"}},
		Action: func(c *cli.Context) error {
			index, err := indexArgument(c)
			if err != nil {
				return err
			}
			return printMade(c, url.Values{}, func(ctx context.Context, daemon *admin.Client, options url.Values) ([]byte, error) {
				return daemon.ShowLetter(ctx, index, options)
			})
		},
	}
}
