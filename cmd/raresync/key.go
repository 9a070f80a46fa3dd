package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

const (
	keyTimeout   = 2 * time.Minute // until the log has an act and its checkpoint
	grantTimeout = time.Duration(0)
	keyIDDigits  = 64
)

func keyCommand() *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "see, renew, revoke and keep the keys of this node and its institution",
		Description: "A rotation makes new keys in the key file (key generate), then has the log put them in force\n" +
			"(key rotate): nothing is lost if it is cut short, and key list shows where it stands. Operators\n" +
			"find the whole life of a key in docs/OPERATIONS.md, \"Keys\".",
		Subcommands: []*cli.Command{
			keyListCommand(), keyShowCommand(), keyGenerateCommand(), keyRotateCommand(), keyRevokeCommand(),
			keyGrantCommand(), keyProtectCommand(),
		},
	}
}

func keyListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the keys of this institution: present, next and former, with their envelope numbers",
		Description: "VALID ENVELOPES are those that an envelope key signed, or a sealing key opens, by number; keys of\n" +
			"other purposes are not bound to envelopes. WHERE is the private half: file (the key file), offline\n" +
			"(key protect --custody took it out, --restore brings it back), destroyed (a signing key that was\n" +
			"replaced), or never here (this key file never held it).",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "all", Usage: "the keys of every institution"}},
		Action: func(c *cli.Context) error {
			out, daemon, err := asking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			keys, err := daemon.Keys(ctx)
			if err != nil {
				return fmt.Errorf("list keys: %w", err)
			}
			return printKeys(ctx, c, out, daemon, keys)
		},
	}
}

// printKeys shows the own institution's keys, or all with --all.
func printKeys(ctx context.Context, c *cli.Context, out *term.Output, daemon *admin.Client, keys []admin.HeldKey) error {
	if !c.Bool("all") {
		s, err := daemon.Status(ctx)
		if err != nil {
			return err
		}
		keys = slices.DeleteFunc(keys, func(k admin.HeldKey) bool { return k.Institution != s.Hospital })
	}
	if !isTable(c) {
		return term.Print(out, keys)
	}
	rows := make([]keyRow, len(keys))
	for i, k := range keys {
		v := voiceOf(c)
		if since, ok := strings.CutPrefix(k.Revoked, "since "); ok {
			k.Revoked = v.say("since %s", "自 %s 起", since)
		}
		rows[i] = keyRow{k, spanOf(v, k)}
	}
	return term.Print(out, rows, "institution", "node", "purpose", "id", "state", "valid_envelopes", "revoked", "where")
}

// keyRow is a key as one line.
type keyRow struct {
	admin.HeldKey
	Valid string `json:"valid_envelopes"`
}

// spanOf says for which envelopes a key is, or was, valid: "" where it is not
// bound to envelopes, or not in force yet.
func spanOf(v voice, k admin.HeldKey) string {
	switch {
	case !k.Spans:
		return ""
	case k.To == 0:
		return v.say("%d to now", "%d 至今", k.From)
	case k.To <= k.From:
		return v.say("none", "无")
	}
	return v.say("%d to %d", "%d 至 %d", k.From, k.To-1)
}

func keyShowCommand() *cli.Command {
	return &cli.Command{
		Name:        "show",
		Usage:       "print a public key as PEM",
		ArgsUsage:   "ID",
		Description: "ID is a key id as key list prints it, or its first 8 digits or more.",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			out, daemon, err := talking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			k, err := daemon.ShowKey(ctx, args[0])
			if err != nil {
				return fmt.Errorf("show key: %w", err)
			}
			if !isTable(c) {
				return term.PrintOne(out, k)
			}
			_, err = fmt.Fprint(c.App.Writer, k.PEM)
			return err
		},
	}
}

// keyChoiceFlags name the keys that can be made anew.
func keyChoiceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "envelope", Usage: "the institution's envelope key"},
		&cli.BoolFlag{Name: "request", Usage: "its key for evaluation requests"},
		&cli.BoolFlag{Name: "response", Usage: "its key for evaluation responses"},
		&cli.BoolFlag{Name: "sealing", Usage: "its sealing key"},
		&cli.BoolFlag{Name: "tls", Usage: "this node's TLS key"},
	}
}

func keyChoice(c *cli.Context) admin.KeyChoice {
	return admin.KeyChoice{
		Envelope: c.Bool("envelope"), Request: c.Bool("request"), Response: c.Bool("response"), Sealing: c.Bool("sealing"), TLS: c.Bool("tls"),
	}
}

func keyGenerateCommand() *cli.Command {
	return &cli.Command{
		Name:  "generate",
		Usage: "make next keys in the key file, beside the present ones",
		Description: "Nobody hears of them, and nothing changes, before key rotate. Without a choice it makes the\n" +
			"institution's four keys; the node's TLS key is made when it is asked for. Keys that were made\n" +
			"before and are not in force yet are kept. The log and cosigning keys of a node never change: a\n" +
			"voter gets new ones with a new node id.",
		Flags: keyChoiceFlags(),
		Action: func(c *cli.Context) error {
			choice := keyChoice(c)
			if choice == (admin.KeyChoice{}) {
				choice = admin.KeyChoice{Envelope: true, Request: true, Response: true, Sealing: true}
			}
			out, daemon, err := asking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, askTimeout)
			defer cancel()
			keys, err := daemon.GenerateKeys(ctx, choice)
			if err != nil {
				return err
			}
			term.NewScreen(c.App.ErrWriter).Note(voiceOf(c).say("put them in force with: raresync key rotate", "使其生效：raresync key rotate"))
			return printKeys(ctx, c, out, daemon, keys)
		},
	}
}

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}
}

// errUnchanged reports that a person did not agree to what cannot be undone.
var errUnchanged = errors.New("nothing was changed")

// confirm asks before what cannot be undone, unless --yes is given.
func confirm(c *cli.Context, question string) error {
	if c.Bool("yes") || agrees(c, question+voiceOf(c).say(" Type yes: ", "输入 yes 确认：")) {
		return nil
	}
	return coded{exitForbidden, hinted{errUnchanged, "answer yes, or give --yes"}}
}
