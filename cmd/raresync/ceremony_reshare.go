package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
)

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
	for i, n := range holders {
		if slices.Contains(holders[:i], n) {
			return usagef("--holder %d is given twice: each institution holds one share", n)
		}
	}
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
		Flags:  []cli.Flag{yesFlag()},
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
	t := tellerOf(c, daemon)
	if !c.Bool("yes") && k.Ceremony != nil && k.Ceremony.Open {
		fmt.Fprintln(c.App.ErrWriter, t.say("Ceremony %d moves the key to these holders, %d of whom are needed then:",
			"密钥仪式 %d 将密钥移交给下列持有方，使用时需要其中 %d 个：", k.Ceremony.Number, k.Ceremony.Threshold))
		for _, h := range k.Ceremony.Holders {
			fmt.Fprintln(c.App.ErrWriter, t.say("  share %d: %s", "  份额 %d：%s", h.Share, t.of(h.Institution)))
		}
		if err := confirm(c, t.say("Deal this holder's share to them?", "将本持有方的份额分发给它们？")); err != nil {
			return err
		}
	}
	if k, err = daemon.Contribute(ctx); err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Done(t.say("this holder has contributed", "本持有方已投入份额"))
	return t.printKey(c, out, k)
}
