package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/query"
	"github.com/raresync/raresync/registry/entry"
)

var errQueryRefused = errors.New("refused: nothing was asked or answered")

func queryCommand() *cli.Command {
	return &cli.Command{
		Name:        "query",
		Usage:       "ask a hospital about an entry; answer what was asked",
		Subcommands: []*cli.Command{queryOpenCommand(), queryListCommand(), queryAnswerCommand(), queryCloseCommand()},
	}
}

var queryNoWait = &cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the receipt: the daemon sends what it has signed"}

func queryOpenCommand() *cli.Command {
	var texts []string
	for t := entry.QueryText(1); t <= entry.QueryTexts(); t++ {
		texts = append(texts, fmt.Sprintf("  %d  %s", t, t.Words("en")))
	}
	return &cli.Command{
		Name:      "open",
		Usage:     "ask the hospital of an entry about it, on a national reader's node",
		ArgsUsage: "INDEX",
		Description: "The query is sealed to the hospital and to the national readers. What is asked is one of these texts,\n" +
			"so that nothing of a patient can be written into it:\n" + strings.Join(texts, "\n"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "rule", Usage: "`CODE` of the rule that the query is about, as ID007 (required)"},
			&cli.UintFlag{Name: "text", Usage: "`N`, the number of the text (required)"},
			queryNoWait, purposeFlag,
		},
		Action: func(c *cli.Context) error {
			index, err := indexArgument(c)
			if err != nil {
				return err
			}
			if err := required(c, "rule"); err != nil {
				return err
			}
			text, err := textFlag(c, uint(entry.QueryTexts()))
			if err != nil {
				return err
			}
			return sendQuery(c, func(ctx context.Context, daemon *admin.Client) (admin.QueryResult, error) {
				return daemon.OpenQuery(ctx, admin.Question{Index: index, Rule: strings.ToUpper(c.String("rule")), Text: text, Wait: !c.Bool("no-wait")})
			})
		},
	}
}

func queryAnswerCommand() *cli.Command {
	var texts []string
	for t := entry.ReplyText(1); t <= entry.ReplyTexts(); t++ {
		texts = append(texts, fmt.Sprintf("  %d  %s", t, t.Words("en")))
	}
	return &cli.Command{
		Name:      "answer",
		Usage:     "answer a query about an entry of this hospital",
		ArgsUsage: "INDEX",
		Description: "INDEX is that of the query, as query list shows it. The answer is one of these texts:\n" + strings.Join(texts, "\n") +
			"\nWhat is wrong is mended with entry correct, which answers the query by itself. Another answer takes the\nplace of the one before.",
		Flags: []cli.Flag{&cli.UintFlag{Name: "text", Usage: "`N`, the number of the answer (required)"}, queryNoWait},
		Action: func(c *cli.Context) error {
			index, err := indexArgument(c)
			if err != nil {
				return err
			}
			text, err := textFlag(c, uint(entry.ReplyTexts()))
			if err != nil {
				return err
			}
			return sendQuery(c, func(ctx context.Context, daemon *admin.Client) (admin.QueryResult, error) {
				return daemon.AnswerQuery(ctx, index, admin.Answer{Text: text, Wait: !c.Bool("no-wait")})
			})
		},
	}
}

func queryCloseCommand() *cli.Command {
	return &cli.Command{
		Name:        "close",
		Usage:       "close a query of this reader: it is settled, or needs no answer any more",
		ArgsUsage:   "INDEX",
		Description: "INDEX is that of the query, as query list shows it. The same may be asked again afterwards.",
		Flags:       []cli.Flag{queryNoWait},
		Action: func(c *cli.Context) error {
			index, err := indexArgument(c)
			if err != nil {
				return err
			}
			return sendQuery(c, func(ctx context.Context, daemon *admin.Client) (admin.QueryResult, error) {
				return daemon.CloseQuery(ctx, index, admin.Closing{Wait: !c.Bool("no-wait")})
			})
		},
	}
}

// textFlag reads the number of a text.
func textFlag(c *cli.Context, most uint) (uint8, error) {
	if n := c.Uint("text"); n >= 1 && n <= most {
		return uint8(n), nil
	}
	return 0, usagef("--text: want a number from 1 to %d; --help lists the texts", most)
}

func sendQuery(c *cli.Context, send func(context.Context, *admin.Client) (admin.QueryResult, error)) error {
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	got, err := send(ctx, daemon)
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	tellFindings(c, got.Findings, voiceOf(c).lang)
	if got.Outcome == delivery.Refused {
		return coded{exitInvalid, errQueryRefused}
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

func queryListCommand() *cli.Command {
	states := []string{string(query.Open), string(query.Answered), string(query.Corrected), string(query.Closed)}
	return &cli.Command{
		Name:  "list",
		Usage: "list the queries that this institution asked or was asked",
		Description: "A query is open until the hospital answers it or corrects the entry, and closed when who asked says so.\n" +
			"Days are counted by log time. A hospital's node asks its own hospital about accepted entries that a rule of\nseverity Q doubts. A query about an entry that is withdrawn is not shown any more.",
		Flags: []cli.Flag{&cli.StringFlag{Name: "state", Usage: "only those in `STATE`: " + strings.Join(states, ", ")}, purposeFlag},
		Action: func(c *cli.Context) error {
			state := c.String("state")
			if state != "" && !slices.Contains(states, state) {
				return usagef("--state %q: want %s", state, strings.Join(states, ", "))
			}
			out, list, err := ask(c, "queries", (*admin.Client).Queries)
			if err != nil {
				return err
			}
			list = slices.DeleteFunc(list, func(q admin.Query) bool { return state != "" && q.State != state })
			if !isTable(c) {
				return term.Print(out, list)
			}
			return term.Print(out, queryRows(list, voiceOf(c).lang), "index", "asker", "hospital", "target", "rule", "says", "asked_at", "state", "days_open", "reply")
		},
	}
}

// queryRow is a query in a table, with its texts in words.
type queryRow struct {
	admin.Query
	Says  string `json:"says"`
	Reply string `json:"reply"`
}

func queryRows(list []admin.Query, lang string) (rows []queryRow) {
	for _, q := range list {
		row := queryRow{Query: q, Says: entry.QueryText(q.Text).Words(lang)}
		if q.Reply != 0 {
			row.Reply = entry.ReplyText(q.Reply).Words(lang)
		}
		rows = append(rows, row)
	}
	return rows
}
