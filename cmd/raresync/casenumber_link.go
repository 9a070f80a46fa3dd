package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// maxRecordFile bounds a file with a record number.
const maxRecordFile = 4 << 10

var errRecord = errors.New("no record number, or more than one line")

func caseNumberLinkCommand() *cli.Command {
	return &cli.Command{
		Name:  "link",
		Usage: "look into the link file: which record number of this hospital's own stands behind a case number",
		Description: "The daemon fills the file as files are submitted, seals it to the hospital's own key, and gives it to\n" +
			"nobody else. Each look leaves a line in audit/trail.jsonl. Exit code 8: the file has nothing under it.",
		Subcommands: []*cli.Command{{
			Name: "show", Usage: "show the record numbers behind a case number", ArgsUsage: "NUMBER", Action: showLink,
		}, {
			Name: "find", Usage: "find the case number of a record number, which is asked for and not shown",
			Flags:  []cli.Flag{&cli.StringFlag{Name: "from", DefaultText: "ask on the terminal", Usage: "read the record number from `FILE`, one line; - is standard input"}},
			Action: findLink,
		}},
	}
}

func showLink(c *cli.Context) error {
	args, err := arguments(c, 1, -1) // typed with spaces it is several
	if err != nil {
		return err
	}
	number, err := readCaseNumber(strings.Join(args, " "))
	if err != nil {
		return err
	}
	return printLinks(c, admin.LinkQuestion{CaseNumber: number.String()})
}

func findLink(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	record, err := recordNumber(c)
	if err != nil {
		return err
	}
	return printLinks(c, admin.LinkQuestion{Record: record})
}

func printLinks(c *cli.Context, q admin.LinkQuestion) error {
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
	got, err := daemon.Links(ctx, q)
	if err != nil {
		return fmt.Errorf("link file: %w", err)
	}
	return term.Print(out, got.Links, "case_number", "record")
}

// recordNumber returns the one that is typed, or stands in the file of --from. It is
// no argument: other users of the machine see those.
func recordNumber(c *cli.Context) (string, error) {
	path := c.String("from")
	if path == "" {
		asker, ok := term.NewAsker(c.App.Reader, c.App.ErrWriter)
		if !ok {
			return "", coded{exitUsage, errNoRecord}
		}
		return oneRecord(asker.Hidden(c.Context, voiceOf(c).say("Record number (not shown):", "病案号（不显示）：")))
	}
	in := c.App.Reader
	if path != "-" {
		f, err := os.Open(path) // also a pipe, as /dev/fd/3
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxRecordFile))
	return oneRecord(strings.TrimPrefix(string(raw), "\ufeff"), err)
}

func oneRecord(text string, err error) (string, error) {
	if text = strings.TrimSpace(text); err == nil && (text == "" || strings.ContainsAny(text, "\r\n")) {
		err = coded{exitInvalid, errRecord}
	}
	return text, err
}
