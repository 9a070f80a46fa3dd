package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/rule"
)

var errIdentity = errors.New("the document is refused")

func pseudonymCommand() *cli.Command {
	return &cli.Command{
		Name:        "pseudonym",
		Usage:       "check what a document leads to",
		Subcommands: []*cli.Command{pseudonymCheckCommand()},
	}
}

func pseudonymCheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "say what this hospital has under a document, and whether the share holders answer",
		Description: "Asks for the document and prints the case number; the pseudonym itself is never printed. Of\n" +
			"other hospitals' entries nothing is said, because nothing is known here.",
		Flags:  []cli.Flag{documentsFlag},
		Action: checkPseudonym,
	}
}

func checkPseudonym(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	cfg, err := optionalConfig(c)
	if err != nil {
		return err
	}
	lang, err := languageOf(c, cfg)
	if err != nil {
		return err
	}
	docs, err := documents(c, lang, text{"Document", "证件"})
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	got, err := daemon.CheckPseudonym(ctx, docs[0])
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	tellFindings(c, got.Findings, lang)
	if rule.Refusals(delivery.Received(got.Findings)) != nil {
		return coded{exitInvalid, errIdentity}
	}
	return term.PrintOne(out, got, "case_number", "entries", "cases", "linked", "strength", "holders_answered", "holders_needed", "holders")
}
