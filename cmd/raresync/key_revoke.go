package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

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
