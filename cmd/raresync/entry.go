package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/rule"
)

// phenopacketFormat is a value of -o that entry get knows beside the usual.
const phenopacketFormat = "phenopacket"

// usualRows is how many rows a list shows unless asked for more.
const usualRows = 100

func entryCommand() *cli.Command {
	return &cli.Command{
		Name:        "entry",
		Usage:       "read and count the entries that this node may open; correct them; link a patient's identities",
		Subcommands: []*cli.Command{entryListCommand(), entryGetCommand(), entryCountCommand(), entryCorrectCommand(), entryLinkCommand(), entryUnlinkCommand()},
	}
}

func entryListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list entries in the order of the log",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "from", Usage: "start at `INDEX`"},
			&cli.IntFlag{Name: "limit", Value: usualRows, Usage: "list at most `N`; 0 = all"},
			purposeFlag,
		},
		Action: func(c *cli.Context) error {
			out, daemon, err := asking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, 0)
			defer cancel()
			problems := map[string]bool{}
			if err := printAll(c, out, noting(daemon.Entries(ctx, c.Uint64("from"), c.Int("limit")), problems),
				"index", "hospital", "log_time", "type", "event_date", "disease", "listed", "state", "problem"); err != nil {
				return err
			}
			tellProblems(c, slices.Sorted(maps.Keys(problems))...)
			return nil
		},
	}
}

// printAll prints a stream of rows: each as it comes where the format allows,
// else all together.
func printAll[T any](c *cli.Context, out *term.Output, rows iter.Seq2[T, error], columns ...string) error {
	if c.String("output") == "jsonl" {
		return printEach(c, out, rows)
	}
	var all []T
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("%s: %w", commandName(c), err)
		}
		all = append(all, row)
	}
	return term.Print(out, all, columns...)
}

func printEach[T any](c *cli.Context, out *term.Output, rows iter.Seq2[T, error]) error {
	for row, err := range rows {
		if err != nil {
			return fmt.Errorf("%s: %w", commandName(c), err)
		}
		if err := term.PrintOne(out, row); err != nil {
			return err
		}
	}
	return nil
}

// noting passes entries on and notes why some of them do not open.
func noting(entries iter.Seq2[admin.Entry, error], problems map[string]bool) iter.Seq2[admin.Entry, error] {
	return func(yield func(admin.Entry, error) bool) {
		for e, err := range entries {
			if e.Problem != "" {
				problems[e.Problem] = true
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// tellProblems says beside a table what the codes in it mean.
func tellProblems(c *cli.Context, codes ...string) {
	if !isTable(c) {
		return
	}
	screen := term.NewScreen(c.App.ErrWriter)
	for _, code := range codes {
		if what, todo := rule.Text(code, voiceOf(c).lang); rule.Known(code) {
			screen.Note(code + ": " + what + " " + todo)
		}
	}
}

func entryGetCommand() *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "show one entry with its content",
		ArgsUsage: "INDEX",
		Description: "Of a corrected entry a table shows what the newest correction says, JSON both. With -o phenopacket\n" +
			"the case is printed as a GA4GH phenopacket, joined with its genetics.",
		Flags: []cli.Flag{purposeFlag},
		Action: func(c *cli.Context) error {
			index, err := indexArgument(c)
			if err != nil {
				return err
			}
			if c.String("output") == phenopacketFormat {
				return printPhenopacket(c, index)
			}
			out, err := outputOf(c)
			if err != nil {
				return err
			}
			daemon, err := client(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			e, err := daemon.Entry(ctx, index)
			if err != nil {
				return aboutEntry(ctx, daemon, index, err)
			}
			if e.Problem != "" {
				tellProblems(c, e.Problem)
			}
			return printEntry(c, out, e)
		},
	}
}

// aboutEntry says why there is no entry to show. Of an act, the daemon knows
// only that nobody may open it.
func aboutEntry(ctx context.Context, daemon *admin.Client, index uint64, err error) error {
	var problem *admin.Problem
	if errors.As(err, &problem) && problem.Code == admin.CodeNotAllowed {
		for leaf, failed := range daemon.Leaves(ctx, index, 1, false) {
			if failed == nil && leaf.Index == index && leaf.Kind == "act" {
				return coded{exitForbidden, fmt.Errorf("entry %d is an act of the network and holds no case", index)}
			}
		}
	}
	return named(index, err)
}

// named puts the entry in front of an error that does not name it itself.
func named(index uint64, err error) error {
	name := fmt.Sprintf("entry %d", index)
	if rest, ok := strings.CutPrefix(err.Error(), name); ok && rest != "" && strings.ContainsAny(rest[:1], ": ") {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// printEntry prints the content of an entry below its fields, where a person
// reads it.
func printEntry(c *cli.Context, out *term.Output, e admin.Entry) error {
	if !isTable(c) || len(e.Content) == 0 {
		return term.PrintOne(out, e)
	}
	content := e.Content
	if e.Corrected != nil {
		content = e.Corrected
	}
	e.Content, e.Corrected = nil, nil
	if err := term.PrintOne(out, e, "index", "hospital", "log_time", "type", "profile", "id", "person", "strength",
		"event_date", "disease", "listed", "state", "corrected_by", "problem"); err != nil {
		return err
	}
	asJSON, err := term.New(c.App.Writer, "json")
	if err != nil {
		return err
	}
	return term.PrintOne(asJSON, content)
}

func printPhenopacket(c *cli.Context, index uint64) error {
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	raw, err := daemon.Phenopacket(ctx, index)
	if err != nil {
		return aboutEntry(ctx, daemon, index, err)
	}
	out, err := term.New(c.App.Writer, "json")
	if err != nil {
		return err
	}
	return term.PrintOne(out, raw)
}

// indexArgument reads the one argument INDEX.
func indexArgument(c *cli.Context) (uint64, error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return 0, err
	}
	index, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return 0, usagef("%q is no index: want a number from 0", args[0])
	}
	return index, nil
}
