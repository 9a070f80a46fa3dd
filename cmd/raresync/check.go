package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/entry"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:        "check",
		Usage:       "compare registrations that a quality letter draws with the source record",
		Subcommands: []*cli.Command{checkListCommand(), checkAnswerCommand()},
	}
}

func checkListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the registrations that quality letters draw, and what came of each",
		Description: fmt.Sprintf("A letter draws %d of the hospital's registrations of its month, by the root of the log that its figures are of:\n", entry.CheckedEach) +
			"the hospital and the national readers draw the same, and nobody chooses. At the hospital each has its case number.",
		Flags: []cli.Flag{&cli.Uint64Flag{Name: "letter", Usage: "only those of the letter at `INDEX`"}, &cli.BoolFlag{Name: "open", Usage: "only those that are not compared yet"}, purposeFlag},
		Action: func(c *cli.Context) error {
			out, list, err := ask(c, "checks", (*admin.Client).Checks)
			if err != nil {
				return err
			}
			list = slices.DeleteFunc(list, func(k admin.Check) bool {
				return c.IsSet("letter") && k.Letter != c.Uint64("letter") || c.Bool("open") && k.Result != 0
			})
			if !isTable(c) {
				return term.Print(out, list)
			}
			return term.Print(out, checkRows(list, voiceOf(c).lang), "letter", "month", "hospital", "index", "case_number", "says", "in", "checked_at")
		},
	}
}

// checkRow is a check in a table, in words.
type checkRow struct {
	admin.Check
	Says string `json:"says"`
	In   string `json:"in"`
}

func checkRows(list []admin.Check, lang string) (rows []checkRow) {
	for _, k := range list {
		row := checkRow{Check: k, Says: entry.CheckResult(k.Result).Words(lang)}
		var in []string
		for _, f := range entry.CheckFields() {
			if slices.Contains(k.Differs, f.String()) {
				in = append(in, f.Words(lang))
			}
		}
		row.In = strings.Join(in, voice{lang}.say(", ", "、"))
		rows = append(rows, row)
	}
	return rows
}

func checkAnswerCommand() *cli.Command {
	var fields []string
	for _, f := range entry.CheckFields() {
		fields = append(fields, fmt.Sprintf("  %-13s %s", f, f.Words("en")))
	}
	return &cli.Command{
		Name:      "answer",
		Usage:     "say whether a registration agrees with the source record",
		ArgsUsage: "INDEX",
		Description: "INDEX is that of the registration, as check list shows it. One of --agrees, --differs and --no-source is needed.\n" +
			"What differs is mended besides, with entry correct. Another answer takes the place of the one before. The fields:\n" + strings.Join(fields, "\n"),
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "letter", Usage: "`INDEX` of the letter that draws it (required)"},
			&cli.BoolFlag{Name: "agrees", Usage: "it agrees with the source record"},
			&cli.StringFlag{Name: "differs", Usage: "it differs in `FIELDS`, with commas between"},
			&cli.BoolFlag{Name: "no-source", Usage: "the source record is not there any more"},
			queryNoWait,
		},
		Action: func(c *cli.Context) error {
			index, err := indexArgument(c)
			if err != nil {
				return err
			}
			if err := required(c, "letter"); err != nil {
				return err
			}
			of := admin.Compared{Letter: c.Uint64("letter"), Wait: !c.Bool("no-wait")}
			given := 0
			for result, is := range map[entry.CheckResult]bool{entry.CheckAgrees: c.Bool("agrees"), entry.CheckDiffers: c.String("differs") != "", entry.CheckNoSource: c.Bool("no-source")} {
				if is {
					of.Result, given = uint8(result), given+1
				}
			}
			if given != 1 {
				return usagef("want one of --agrees, --differs FIELDS and --no-source")
			}
			if of.Result == uint8(entry.CheckDiffers) {
				of.Differs = strings.Split(c.String("differs"), ",")
			}
			return sendQuery(c, func(ctx context.Context, daemon *admin.Client) (admin.QueryResult, error) {
				return daemon.Compare(ctx, index, of)
			})
		},
	}
}
