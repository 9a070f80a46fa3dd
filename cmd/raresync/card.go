package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/card"
	"github.com/raresync/raresync/registry/entry"
)

var (
	errCardRefused = errors.New("refused: no card was put")
	errNoCard      = errors.New("no such card")
)

func cardCommand() *cli.Command {
	return &cli.Command{
		Name:        "card",
		Usage:       "describe biobanks, collections of specimens and cohorts",
		Subcommands: []*cli.Command{cardPutCommand(), cardListCommand(), cardShowCommand()},
	}
}

func cardPutCommand() *cli.Command {
	return &cli.Command{
		Name:      "put",
		Usage:     "put a card of this hospital, or a newer one in its place",
		ArgsUsage: "FILE",
		Description: "FILE is TOML; docs/INPUT.md, \"Cards\", has the fields and an example. Of two cards of one kind and id the\n" +
			"newer one holds. A card is sealed to the readers, as entries are. Nothing about a person belongs on it.",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the receipt: the daemon sends what it has signed"}},
		Action: cardPut,
	}
}

func cardPut(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	raw, err := readCard(args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	got, err := daemon.PutCard(ctx, admin.CardFile{Data: raw, Wait: !c.Bool("no-wait")})
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	tellFindings(c, got.Findings, voiceOf(c).lang)
	if got.Outcome == delivery.Refused {
		return coded{exitInvalid, errCardRefused}
	}
	if !isTable(c) {
		return term.PrintOne(out, got)
	}
	row := struct {
		Outcome string `json:"outcome"`
		Entries taken  `json:"entries"`
	}{got.Outcome, taken{*got.Entry}}
	return term.PrintOne(out, row, "outcome", "entries")
}

// readCard reads a card's file, and no more of a larger one than shows that it is.
func readCard(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, card.MaxBytes+1))
}

func cardListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list the cards that hold",
		Description: "A hospital sees its own cards, a reader those of its hospitals.",
		Action: func(c *cli.Context) error {
			out, list, err := ask(c, "cards", (*admin.Client).Cards)
			if err != nil {
				return err
			}
			return term.Print(out, list, "hospital", "type", "id", "name", "within", "status", "index", "log_time")
		},
	}
}

func cardShowCommand() *cli.Command {
	kinds := []string{entry.TypeBiobank.String(), entry.TypeCollection.String(), entry.TypeCohort.String()}
	return &cli.Command{
		Name:      "show",
		Usage:     "show what a card says",
		ArgsUsage: "KIND ID",
		Description: "KIND is " + strings.Join(kinds, ", ") + ". Ids are each hospital's own: on a reader's node, --hospital says\n" +
			"whose card it is.",
		Flags: []cli.Flag{&cli.UintFlag{Name: "hospital", Usage: "the card of the institution with this `NUMBER`"}},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 2, 2)
			if err != nil {
				return err
			}
			if !slices.Contains(kinds, args[0]) {
				return usagef("%q: want %s", args[0], strings.Join(kinds, ", "))
			}
			_, daemon, err := talking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			list, err := daemon.Cards(ctx)
			if err != nil {
				return fmt.Errorf("cards: %w", err)
			}
			list = slices.DeleteFunc(list, func(k admin.Card) bool {
				return k.Type != args[0] || k.ID != args[1] || c.Uint("hospital") != 0 && uint(k.Hospital) != c.Uint("hospital")
			})
			switch {
			case len(list) == 0:
				return coded{exitNotFound, fmt.Errorf("%s %s: %w; card list shows them", args[0], args[1], errNoCard)}
			case len(list) > 1:
				return usagef("%d hospitals have a %s %q: say which with --hospital", len(list), args[0], args[1])
			}
			asJSON, err := term.New(c.App.Writer, "json")
			if err != nil {
				return err
			}
			return term.PrintOne(asJSON, list[0].Content)
		},
	}
}
