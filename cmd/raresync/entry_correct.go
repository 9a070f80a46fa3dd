package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/entry"
)

var errNotCorrected = errors.New("refused: nothing was corrected")

func entryCorrectCommand() *cli.Command {
	return &cli.Command{
		Name:      "correct",
		Usage:     "correct an entry of this hospital to what a file says",
		ArgsUsage: "INDEX FILE",
		Description: "FILE is the patient's file as it should have been, with one entry of the corrected entry's type. The\n" +
			"entry stays in the log; readers and counts go by the newest correction. Whose the entry is does\n" +
			"not change: a wrong identity is cured with entry link, or with withdraw erase and a new\n" +
			"submission. Correcting to what the entry says already is refused.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "reason", Usage: "`REASON`: " + strings.Join(entry.CorrectionReasons(), ", ") + " (required)"},
			&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the receipt: the daemon sends what it has signed"},
		},
		Action: entryCorrect,
	}
}

func entryCorrect(c *cli.Context) error {
	args, err := arguments(c, 2, 2)
	if err != nil {
		return err
	}
	index, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return usagef("%q is no index: want a number from 0", args[0])
	}
	if err := required(c, "reason"); err != nil {
		return err
	}
	if _, ok := entry.ParseCorrectionReason(c.String("reason")); !ok {
		return usagef("--reason %q: want %s", c.String("reason"), strings.Join(entry.CorrectionReasons(), ", "))
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	raw, err := readSource(args[1])
	if err != nil {
		return err
	}
	ctx, cancel := within(c, submitTimeout)
	defer cancel()
	got, err := daemon.Correct(ctx, index, admin.Correction{
		File: admin.File{Name: filepath.Base(args[1]), Data: raw}, Reason: c.String("reason"), Wait: !c.Bool("no-wait"),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	tellFindings(c, got.Findings, voiceOf(c).lang)
	if got.Outcome == delivery.Refused {
		return coded{exitInvalid, errNotCorrected}
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
