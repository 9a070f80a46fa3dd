package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/rule"
)

func entryCountCommand() *cli.Command {
	return &cli.Command{
		Name:  "count",
		Usage: "count the persons behind the entries, following links",
		Description: "A coordinator counts over all hospitals, a hospital over its own entries. Links that are not\n" +
			"honoured, and links that join what does not agree, are listed with the reason. Entries that were\n" +
			"corrected count as corrected; those whose use the patient has stopped are left out. An edition looks up\n" +
			"each entry's own codes anew: it gives the same figures whatever comes after it.",
		Flags:  []cli.Flag{&cli.StringFlag{Name: "edition", Usage: "count registrations by the lists of this edition as well: a `NAME` of raresync catalog editions"}, purposeFlag},
		Action: entryCount,
	}
}

func entryCount(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, 0) // opens every entry
	defer cancel()
	count := daemon.Persons
	if edition := c.String("edition"); edition != "" {
		count = func(ctx context.Context) (admin.Persons, error) { return daemon.PersonsBy(ctx, edition) }
	}
	p, err := count(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	if err := term.PrintOne(out, p, "persons", "persons_at_two_hospitals", "cases", "cases_without_pseudonym", "entries_unopened",
		"links_honoured", "links_not_honoured", "links_flagged", "links_undone", "entries_corrected", "entries_stopped"); err != nil || !isTable(c) {
		return err
	}
	if len(p.Lists) > 0 {
		fmt.Fprintln(c.App.Writer)
		if err := term.Print(out, p.Lists, "list", "diseases", "registrations"); err != nil {
			return err
		}
	}
	if len(p.Links) == 0 {
		return nil
	}
	cfg, err := optionalConfig(c)
	if err != nil {
		return err
	}
	lang, err := languageOf(c, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, linkRows(p.Links, lang), "index", "hospital", "honoured", "code", "what")
}

// linkRow is one thing to know about a link.
type linkRow struct {
	Index    uint64 `json:"index"`
	Hospital uint32 `json:"hospital"`
	Honoured bool   `json:"honoured"`
	Code     string `json:"code"`
	What     string `json:"what"`
}

func linkRows(links []admin.Link, lang string) (rows []linkRow) {
	for _, l := range links {
		for _, code := range l.Codes {
			what, _ := rule.Text(code, lang)
			rows = append(rows, linkRow{l.Index, l.Hospital, l.Honoured, code, what})
		}
	}
	return rows
}
