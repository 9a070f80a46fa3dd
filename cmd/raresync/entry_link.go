package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

var errAliasRefused = errors.New("refused: nothing was sent")

func entryLinkCommand() *cli.Command {
	return &cli.Command{
		Name:  "link",
		Usage: "say that two identities are of one patient, who is counted once then",
		Description: "For a newborn's certificate and the number that came later, a renewed passport, a card of 2017\n" +
			"and one of 2023, or a case registered under the hospital's own record number (type LOCAL). Asks\n" +
			"for the old document, then for the new one. Your hospital must have an entry under one of the\n" +
			"two. Linking them again is harmless; entry unlink takes the link back.",
		Flags: aliasFlags(),
		Action: func(c *cli.Context) error {
			return postAlias(c, entry.Link)
		},
	}
}

func entryUnlinkCommand() *cli.Command {
	return &cli.Command{
		Name:        "unlink",
		Usage:       "take back your hospital's own link of two identities",
		Description: "Asks for the same two documents as entry link. Links of other hospitals stay as they are.",
		Flags:       aliasFlags(),
		Action: func(c *cli.Context) error {
			return postAlias(c, entry.Unlink)
		},
	}
}

func aliasFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "reason", Usage: "`REASON`: " + strings.Join(entry.AliasReasons(), ", ") + " (required)"},
		documentsFlag,
		&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the receipt: the daemon sends what it has signed"},
	}
}

func postAlias(c *cli.Context, action entry.AliasAction) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	if err := required(c, "reason"); err != nil {
		return err
	}
	reason := c.String("reason")
	if _, ok := entry.ParseAliasReason(reason); !ok {
		return usagef("--reason %q: want %s", reason, strings.Join(entry.AliasReasons(), ", "))
	}
	cfg, err := optionalConfig(c)
	if err != nil {
		return err
	}
	lang, err := languageOf(c, cfg)
	if err != nil {
		return err
	}
	docs, err := documents(c, lang, text{"Old document", "旧证件"}, text{"New document", "新证件"})
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	got, err := daemon.Alias(ctx, admin.Alias{
		Action: action.String(), Reason: reason, Old: docs[0], New: docs[1], Wait: !c.Bool("no-wait"),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	return printAlias(c, out, got, lang)
}

// printAlias prints what became of an alias. Case numbers stand for the two
// identities: no pseudonym is printed.
func printAlias(c *cli.Context, out *term.Output, got admin.AliasResult, lang string) error {
	tellFindings(c, got.Findings, lang)
	if !isTable(c) {
		if err := term.PrintOne(out, got); err != nil {
			return err
		}
	} else if got.Outcome != delivery.Refused {
		row := struct {
			admin.AliasResult
			Entries taken `json:"entries"`
		}{AliasResult: got}
		if got.Entry != nil {
			row.Entries = taken{*got.Entry}
		}
		if err := term.PrintOne(out, row, "outcome", "old_case", "new_case", "entries"); err != nil {
			return err
		}
	}
	if got.Outcome == delivery.Refused {
		return coded{exitInvalid, errAliasRefused}
	}
	return nil
}

// aliasAdvice is what to do about a document of a link, where the rule's own
// advice is for a submission.
var aliasAdvice = map[string]text{
	"ID010": {"That is what links are for: nothing to do.", "关联正是为此而设，无需处理。"},
}

// tellFindings puts findings into words, refusals as failures. Where they say
// old or new they are about that document.
func tellFindings(c *cli.Context, findings []admin.Finding, lang string) {
	screen := term.NewScreen(c.App.ErrWriter)
	for _, f := range delivery.Explain("", delivery.Received(findings), lang) {
		about := map[string]text{"old": {"old document", "旧证件"}, "new": {"new document", "新证件"}}[f.Path]
		if todo, ok := aliasAdvice[f.Rule]; ok && f.Path != "" {
			f.ToDo = todo.in(lang)
		}
		if f.File, f.Path = about.in(lang), ""; f.File == "" {
			f.File = commandName(c)
		}
		if f.Severity == rule.E.String() {
			screen.Failed(f.String())
		} else {
			screen.Note(f.String())
		}
	}
}
