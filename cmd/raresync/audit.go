package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// errNotShown says that a holder's requests do not make up what it posted.
var errNotShown = errors.New("the requests do not show what the holder has posted")

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "see who has read what, and what share holders say this hospital has asked of them",
		Description: "A reader says on the log that it reads before anything is shown: audit list.\n\n" +
			"Each week a share holder posts how many pseudonyms it has helped to make for each hospital, as\n" +
			"a range, and a root over the hospitals' signed requests. A hospital that reads more than it asked\n" +
			"for has the holder run audit requests, and checks the file with audit check.",
		Subcommands: []*cli.Command{auditListCommand(), auditRecordsCommand(), auditPurposesCommand(), auditUsageCommand(), auditRequestsCommand(), auditCheckCommand()},
	}
}

func auditUsageCommand() *cli.Command {
	return &cli.Command{
		Name:        "usage",
		Usage:       "list what share holders have posted of this institution's use, by week",
		Description: "Weeks are numbered as in docs/PROTOCOL.md, \"Quotas and evidence\"; too_much is more than this node asked.",
		Action: func(c *cli.Context) error {
			out, usages, err := ask(c, "list usage", (*admin.Client).Usages)
			if err != nil {
				return err
			}
			return term.Print(out, usages)
		},
	}
}

func auditRequestsCommand() *cli.Command {
	return &cli.Command{
		Name:        "requests",
		Usage:       "at a share holder: write a hospital's signed requests of a week to a file",
		Description: "The file names no patient: requests are signed hashes. It goes to the hospital that asks for it.",
		Flags: []cli.Flag{
			&cli.UintFlag{Name: "week", Usage: "`WEEK` as the hospital's raresync audit usage shows it (required)"},
			&cli.UintFlag{Name: "hospital", Usage: "`NUMBER` of the hospital (required)"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "write to `FILE`; - is standard output (default: requests-WEEK-NUMBER.json)"},
		},
		Action: auditRequests,
	}
}

func auditRequests(c *cli.Context) error {
	week, hospital := c.Uint("week"), c.Uint("hospital")
	if week == 0 || hospital == 0 || uint64(week) > 1<<32-1 || uint64(hospital) > 1<<32-1 {
		return usagef("--week and --hospital are needed, as in: raresync audit requests --week 2960 --hospital 3")
	}
	_, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	shown, err := daemon.ShowRequests(ctx, uint32(week), uint32(hospital))
	if err != nil {
		return fmt.Errorf("show requests: %w", err)
	}
	raw, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	path := c.String("file")
	if path == "" {
		path = fmt.Sprintf("requests-%d-%d.json", week, hospital)
	}
	if err := create(c, path, append(raw, '\n')); err != nil {
		return err
	}
	if path != "-" {
		term.NewScreen(c.App.ErrWriter).Done(voiceOf(c).say("%d requests of %s in %s", "%[3]s 中有 %[2]s 的 %[1]d 个请求",
			len(shown.Requests), tellerOf(c, daemon).of(uint32(hospital)), path))
	}
	return nil
}

func auditCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "check whether the requests that a share holder shows make up what it has posted",
		ArgsUsage: "FILE",
		Description: "Every request must be under the root that the holder posted, once, and signed by a\n" +
			"request key that the hospital has or had, and that was not revoked. Exit code 5: they do not make up what was posted.",
		Action: auditCheck,
	}
}

func auditCheck(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	raw, err := readUpTo(args[0], admin.MaxShownBytes)
	if err != nil {
		return err
	}
	var shown admin.ShownRequests
	if err := json.Unmarshal(raw, &shown); err != nil {
		return coded{exitInvalid, fmt.Errorf("%s is no file of raresync audit requests: %w", args[0], err)}
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	found, err := daemon.CheckRequests(ctx, shown)
	if err != nil {
		return fmt.Errorf("check requests: %w", err)
	}
	if err := term.PrintOne(out, found); err != nil {
		return err
	}
	if !found.Holds {
		return coded{exitUnproven, fmt.Errorf("%w: %s", errNotShown, found.Fault)}
	}
	if isTable(c) {
		term.NewScreen(c.App.ErrWriter).Note(voiceOf(c).say(
			"a request key of that hospital signed every one of them; if it did not ask, somebody else has the key: raresync key rotate --request there, then key revoke",
			"每个请求都由该医院的求值请求密钥签名；若该医院并未请求，则密钥已被他人掌握：请在该医院运行 raresync key rotate --request，再用 key revoke 吊销"))
	}
	return nil
}
