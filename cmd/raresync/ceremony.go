package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

const (
	ceremonyTimeout = 2 * time.Minute // of the founders' key, with all holders up
	ceremonyPoll    = 200 * time.Millisecond
)

func ceremonyCommand() *cli.Command {
	return &cli.Command{
		Name:  "ceremony",
		Usage: "make the pseudonymisation key, or move it to other holders",
		Description: "No one ever holds the key: each holder keeps a share, and a majority answer together. The\n" +
			"founders' holders make it once the network runs. Moving it to other holders keeps every\n" +
			"pseudonym; the old holders' operators contribute, one by one.",
		Subcommands: []*cli.Command{ceremonyStartCommand(), ceremonyStatusCommand(), ceremonyReshareCommand(), ceremonyContributeCommand()},
	}
}

func ceremonyStartCommand() *cli.Command {
	return &cli.Command{
		Name:  "start",
		Usage: "have the founders' holders make the network's pseudonymisation key",
		Description: "Run it once, at any holder, when every holder's daemon runs: all of them take part. If one\n" +
			"restarts meanwhile, or deals a false share, the ceremony is void and may be started again.",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: "deadline", Value: time.Hour, Usage: "void the ceremony if it has not ended in this `TIME`"},
			&cli.BoolFlag{Name: "no-wait", Usage: "do not wait until the key is in force"},
		},
		Action: ceremonyStart,
	}
}

func ceremonyStart(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, ceremonyTimeout)
	defer cancel()
	k, err := daemon.StartCeremony(ctx, admin.CeremonyStart{Seconds: uint64(c.Duration("deadline").Seconds())})
	if err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Done(fmt.Sprintf("ceremony %d is open until %s: %d holders make a key of which %d are needed",
		k.Ceremony.Number, k.Ceremony.Deadline, len(k.Ceremony.Holders), k.Ceremony.Threshold))
	if !c.Bool("no-wait") {
		if k, err = waitCeremony(ctx, daemon, screen, k.Ceremony.Number); err != nil {
			return err
		}
	}
	return printKey(c, out, k)
}

// errVoid reports a ceremony that made no key.
var errVoid = errors.New("the ceremony made no key")

// waitCeremony waits until a ceremony has ended and its canary has answered.
func waitCeremony(ctx context.Context, daemon *admin.Client, screen *term.Screen, number uint64) (admin.Key, error) {
	waits := ""
	for {
		k, err := daemon.Key(ctx)
		if err != nil {
			return k, err
		}
		c := k.Ceremony
		switch {
		case c == nil || c.Number != number:
			return k, fmt.Errorf("%w: another was started", errVoid)
		case c.Open && c.Waits != waits:
			waits = c.Waits
			screen.Note("it waits " + waits)
		case !c.Open && k.Epoch != c.Epoch:
			return k, voidError(c)
		case !c.Open && k.Canary:
			screen.Done(fmt.Sprintf("the key is in force: epoch %d, %d of %d holders are needed", k.Epoch, k.Threshold, len(k.Holders)))
			return k, nil
		}
		select {
		case <-ctx.Done():
			return k, fmt.Errorf("the ceremony goes on without this command: %w", ctx.Err())
		case <-time.After(ceremonyPoll):
		}
	}
}

func voidError(c *admin.Ceremony) error {
	if c.Blamed == 0 {
		return hinted{fmt.Errorf("%w: %s", errVoid, c.Ended), "start another with: raresync ceremony start"}
	}
	return hinted{fmt.Errorf("%w: %s (institution %d, envelope %d of the log)", errVoid, c.Ended, c.Blamed, c.EndedAt),
		"speak with institution " + fmt.Sprint(c.Blamed) + ", then start another with: raresync ceremony start"}
}

func ceremonyStatusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the pseudonymisation key, its holders, and the newest ceremony",
		Action: func(c *cli.Context) error {
			out, k, err := ask(c, "ceremony status", (*admin.Client).Key)
			if err != nil {
				return err
			}
			return printKey(c, out, k)
		},
	}
}

func ceremonyReshareCommand() *cli.Command {
	return &cli.Command{
		Name:  "reshare",
		Usage: "propose to move the key to other holders; every pseudonym stays",
		Description: "Lead hospitals approve it with raresync act approve. Then the new holders' daemons join, and the\n" +
			"operators of enough present holders run raresync ceremony contribute. A holder is a hospital\n" +
			"with a voter, and no national reader's entity; raresync member list shows the numbers.",
		Flags: append([]cli.Flag{
			&cli.UintSliceFlag{Name: "holder", Usage: "`NUMBER` of an institution that is to hold a share; repeat it for each (required)"},
			&cli.UintFlag{Name: "threshold", DefaultText: "a majority", Usage: "shares needed then"},
			&cli.IntFlag{Name: "deadline", Value: 21, Usage: "void unless it has ended in so many `DAYS`, at most 29"},
		}, proposeFlags()...),
		Action: ceremonyReshare,
	}
}

func ceremonyReshare(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	if err := checkProposeFlags(c); err != nil {
		return err
	}
	days, holders := c.Int("deadline"), c.UintSlice("holder")
	if len(holders) == 0 {
		return usagef("--holder is needed, once for each institution that is to hold a share")
	}
	if days < 1 || days > 29 {
		return usagef("--deadline %d: want 1 to 29 days", days)
	}
	if len(holders) > keyshare.MaxHolders {
		return usagef("%d holders: at most %d", len(holders), keyshare.MaxHolders)
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	k, err := daemon.Key(ctx)
	if err != nil {
		return fmt.Errorf("reshare: %w", err)
	}
	d := act.Ceremony{
		Epoch: k.Epoch + 1, Threshold: uint16(c.Uint("threshold")), Deadline: uint64(time.Now().AddDate(0, 0, days).UnixMilli()),
	}
	for _, n := range holders {
		if n > math.MaxUint32 {
			return usagef("--holder %d is no institution's number", n)
		}
		d.Holders = append(d.Holders, uint32(n))
	}
	if c.Uint("threshold") > keyshare.MaxHolders {
		return usagef("--threshold %d: at most %d", c.Uint("threshold"), keyshare.MaxHolders)
	}
	if !c.IsSet("threshold") {
		d.Threshold = uint16(keyshare.Threshold(len(holders)))
	}
	return proposeAct(c, act.Act{Type: act.TypeCeremony, Payload: d.Marshal()}, c.String("reason"))
}

func ceremonyContributeCommand() *cli.Command {
	return &cli.Command{
		Name:  "contribute",
		Usage: "deal this holder's share to the new holders of the reshare under way",
		Description: "Compare the new holders with what was decided before you agree: whoever holds enough shares\n" +
			"holds the key. What is dealt cannot be taken back. This node's own share is destroyed when\n" +
			"the new sharing is in force.",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}},
		Action: ceremonyContribute,
	}
}

func ceremonyContribute(c *cli.Context) error {
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, ceremonyTimeout)
	defer cancel()
	k, err := daemon.Key(ctx)
	if err != nil {
		return fmt.Errorf("contribute: %w", err)
	}
	if !c.Bool("yes") && k.Ceremony != nil && k.Ceremony.Open {
		fmt.Fprintf(c.App.ErrWriter, "Ceremony %d moves the key to these holders, %d of whom are needed then:\n", k.Ceremony.Number, k.Ceremony.Threshold)
		for _, h := range k.Ceremony.Holders {
			fmt.Fprintf(c.App.ErrWriter, "  share %d: institution %d, %s\n", h.Share, h.Institution, term.Clean(h.Name))
		}
		if !agrees(c, "Deal this holder's share to them? Type yes: ") {
			return coded{exitForbidden, errors.New("nothing was contributed")}
		}
	}
	if k, err = daemon.Contribute(ctx); err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Done("this holder has contributed")
	return printKey(c, out, k)
}

// printKey shows where the key and its newest ceremony stand.
func printKey(c *cli.Context, out *term.Output, k admin.Key) error {
	if !isTable(c) {
		return term.PrintOne(out, k)
	}
	if err := printKeyInForce(c, out, k); err != nil || k.Ceremony == nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	shown := []string{"number", "epoch", "threshold", "deadline", "dealers", "deals_needed", "waits"}
	if !k.Ceremony.Open {
		shown = []string{"number", "epoch", "threshold", "ended", "ended_at"}
	}
	if k.Ceremony.Blamed != 0 {
		shown = append(shown, "blamed")
	}
	if err := term.PrintOne(out, *k.Ceremony, shown...); err != nil || !k.Ceremony.Open {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, rowsOf(k.Ceremony.Holders))
}

func printKeyInForce(c *cli.Context, out *term.Output, k admin.Key) error {
	if k.Threshold == 0 {
		_, err := fmt.Fprintln(c.App.Writer, "there is no pseudonymisation key yet")
		return err
	}
	if err := term.PrintOne(out, k, "id", "origin", "epoch", "threshold", "share", "canary"); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, k.Holders)
}

// holderRow is a new holder as one line.
type holderRow struct {
	Share       uint16 `json:"share"`
	Institution uint32 `json:"institution"`
	Name        string `json:"name"`
	Joined      bool   `json:"joined"`
	Dealt       bool   `json:"dealt"`
	Confirmed   bool   `json:"confirmed"`
}

func rowsOf(holders []admin.CeremonyHolder) []holderRow {
	out := make([]holderRow, len(holders))
	for i, h := range holders {
		out[i] = holderRow{h.Share, h.Institution, h.Name, h.Joined, h.Dealt, h.Confirmed}
	}
	return out
}
