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
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, keyTimeout)
	defer cancel()
	k, err := fullKey(ctx, daemon, args[0])
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	v := tellerOf(c, daemon)
	question := v.say("Revoke the %s key %s of %s (%s)? It never comes back.", "吊销 %[3]s 的%[1]s密钥 %[2]s（%[4]s）？吊销后不能恢复。",
		v.cell("purpose", k.Purpose), k.ID[:16], v.of(k.Institution), v.cell("state", k.State))
	if k.State == "present" {
		term.NewScreen(c.App.ErrWriter).Note(v.withoutKey(k.Purpose))
	}
	if err := confirm(c, question); err != nil {
		return err
	}
	keys, err := daemon.RevokeKey(ctx, admin.KeyRevocation{Key: k.ID, Since: c.Uint64("since")})
	if err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Done(v.say("the key is revoked since envelope %d", "密钥已自第 %d 号信封起吊销", c.Uint64("since")))
	return printKeys(ctx, c, out, daemon, keys)
}

// withoutKey says what stops when a present key is revoked.
func (t teller) withoutKey(purpose string) string {
	switch purpose {
	case "envelope":
		return t.say("without it this institution sends nothing more until lead hospitals approve a replacement; if you still have it, rotate first",
			"吊销后本机构不能再发送任何内容，直到牵头医院赞同更换；密钥仍在手中时请先轮换")
	case "tls":
		return t.say("without it the other nodes refuse that node; rotate it there first, if you can", "吊销后其他节点拒绝该节点；可能时请先在该节点轮换")
	case "request", "response":
		return t.say("until another is in its place, pseudonyms stop here: rotate it first: raresync key rotate --%s",
			"在更换之前，本机构的假名请求或应答将停止；请先轮换：raresync key rotate --%s", purpose)
	}
	return t.say("put another in its place first: raresync key rotate", "请先轮换：raresync key rotate")
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
