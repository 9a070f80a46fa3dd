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
	return term.Print(out, keys, "institution", "node", "purpose", "id", "state", "from", "to", "revoked", "where")
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
			out, daemon, err := askingOf(c)
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
			term.NewScreen(c.App.ErrWriter).Note("put them in force with: raresync key rotate")
			return printKeys(ctx, c, out, daemon, keys)
		},
	}
}

func keyRotateCommand() *cli.Command {
	return &cli.Command{
		Name:  "rotate",
		Usage: "put the next keys in force, by an act signed with the present envelope key",
		Description: "It waits until the log has them in force. The signing keys that they replace are destroyed\n" +
			"then; a former sealing key stays, to open what was sealed to it, until key protect --custody\n" +
			"takes it offline. The keys that are named are made first if need be.\n\n" +
			"With --lost it works without the network, on a fresh data directory of an institution that\n" +
			"lost its keys: it writes the act that q lead hospitals approve to put these keys in their place.",
		Flags: append(keyChoiceFlags(), yesFlag(),
			&cli.BoolFlag{Name: "lost", Usage: "write what lead hospitals approve in place of lost keys"},
			&cli.UintFlag{Name: "institution", Usage: "with --lost: the institution's `NUMBER`"},
			&cli.StringFlag{Name: "genesis", Usage: "with --lost: the network's genesis `FILE`"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "replacement.pem", Usage: "with --lost: write to `FILE`"}),
		Action: func(c *cli.Context) error {
			if c.Bool("lost") {
				return keyLost(c)
			}
			return keyRotate(c)
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
	if c.Bool("yes") || agrees(c, question+" Type yes: ") {
		return nil
	}
	return coded{exitForbidden, hinted{errUnchanged, "answer yes, or give --yes"}}
}

func keyRotate(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, keyTimeout)
	defer cancel()
	keys, err := daemon.Keys(ctx)
	if choice := keyChoice(c); err == nil && choice != (admin.KeyChoice{}) {
		keys, err = daemon.GenerateKeys(ctx, choice)
	}
	if err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	var purposes []string
	for _, k := range keys {
		if k.State == "next" {
			purposes = append(purposes, k.Purpose)
		}
	}
	if len(purposes) > 0 { // else the daemon says what is missing
		err = confirm(c, fmt.Sprintf("Put new keys in force for %s? The signing keys before them are destroyed.", strings.Join(purposes, ", ")))
	}
	if err != nil {
		return err
	}
	if keys, err = daemon.RotateKeys(ctx); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Done("the new keys are in force")
	if slices.Contains(purposes, "sealing") {
		screen.Note("a reader takes its former sealing key offline with: raresync key protect --custody A B C")
	}
	return printKeys(ctx, c, out, daemon, keys)
}

func keyRevokeCommand() *cli.Command {
	return &cli.Command{
		Name:      "revoke",
		Usage:     "say that a key of this institution holds no longer",
		ArgsUsage: "ID",
		Description: "The key is not valid from the next envelope on. What it signed stays in the log; envelopes from\n" +
			"--since on are flagged as doubtful. After the envelope key itself only a replacement that q lead\n" +
			"hospitals approve lets the institution send again. A sealing key is rotated first, then revoked.",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "since", Usage: "first envelope `NUMBER` from which the key may have been another's (required)"}, yesFlag(),
		},
		Action: keyRevoke,
	}
}

func keyRevoke(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	if !c.IsSet("since") {
		return usagef("key revoke needs --since: the first envelope number in doubt, 0 for all")
	}
	out, daemon, err := askingOf(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, keyTimeout)
	defer cancel()
	k, err := fullKey(ctx, daemon, args[0])
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if err := confirm(c, fmt.Sprintf("Revoke the %s key %s of institution %d (%s)? It never comes back.", k.Purpose, k.ID[:16], k.Institution, k.State)); err != nil {
		return err
	}
	keys, err := daemon.RevokeKey(ctx, admin.KeyRevocation{Key: k.ID, Since: c.Uint64("since")})
	if err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Done(fmt.Sprintf("the key is revoked since envelope %d", c.Uint64("since")))
	return printKeys(ctx, c, out, daemon, keys)
}

// fullKey finds the one key whose id begins as given.
func fullKey(ctx context.Context, daemon *admin.Client, id string) (admin.HeldKey, error) {
	keys, err := daemon.Keys(ctx)
	if err != nil {
		return admin.HeldKey{}, err
	}
	id = strings.ToLower(id)
	keys = slices.DeleteFunc(keys, func(k admin.HeldKey) bool { return !strings.HasPrefix(k.ID, id) })
	switch {
	case len(id) < 8 || len(id) > keyIDDigits:
		return admin.HeldKey{}, usagef("key id %q: give 8 to 64 of its digits", id)
	case len(keys) != 1:
		return admin.HeldKey{}, coded{exitInvalid, fmt.Errorf("%d keys begin with %s: raresync key list --all shows them", len(keys), id)}
	}
	return keys[0], nil
}

// askingOf is asking for a command with arguments.
func askingOf(c *cli.Context) (*term.Output, *admin.Client, error) {
	out, err := outputOf(c)
	if err != nil {
		return nil, nil, err
	}
	daemon, err := client(c)
	return out, daemon, err
}
