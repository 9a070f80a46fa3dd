package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
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
	t := tellerOf(c, daemon)
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("ceremony %d is open until %s: %d holders make a key of which %d are needed",
		"密钥仪式 %d 已开始，截止 %s：%d 个持有方共同生成密钥，使用时需要其中 %d 个",
		k.Ceremony.Number, k.Ceremony.Deadline, len(k.Ceremony.Holders), k.Ceremony.Threshold))
	t.unconnected(screen, k)
	if !c.Bool("no-wait") {
		if k, err = waitCeremony(ctx, t, daemon, screen, k.Ceremony.Number); err != nil {
			return err
		}
	}
	return t.printKey(c, out, k)
}

// errVoid reports a ceremony that made no key.
var errVoid = errors.New("the ceremony made no key")

// errCeremonyGoesOn reports that the command has not waited for the end.
var errCeremonyGoesOn = errors.New("the ceremony is open still, and goes on without this command")

// waitCeremony waits until a ceremony has ended and its canary has answered.
func waitCeremony(ctx context.Context, t teller, daemon *admin.Client, screen *term.Screen, number uint64) (admin.Key, error) {
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
			screen.Note(t.say("it waits %s", "等待%s", t.waits(c)))
		case !c.Open && k.Epoch != c.Epoch:
			return k, t.voidError(k)
		case !c.Open && k.Canary:
			screen.Done(t.say("the key is in force: epoch %d, %d of %d holders are needed",
				"密钥已生效：份额代次 %d，使用时需要 %[3]d 个持有方中的 %[2]d 个", k.Epoch, k.Threshold, len(k.Holders)))
			return k, nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return k, errCeremonyGoesOn
			}
			return k, ctx.Err()
		case <-time.After(ceremonyPoll):
		}
	}
}

func (t teller) voidError(k admin.Key) error {
	c := k.Ceremony
	if c.Blamed == 0 {
		return hinted{fmt.Errorf("%w: %s", errVoid, t.cell("ended", c.Ended)), "start another with: raresync ceremony start"}
	}
	who := t.of(c.Blamed)
	return hinted{fmt.Errorf("%w: %s (%s, envelope %d of the log)", errVoid, t.cell("ended", c.Ended), who, c.EndedAt),
		"speak with " + who + ", then start another with: raresync ceremony start"}
}

// unconnected names the holders that this node has no session with: without
// them no key is made.
func (t teller) unconnected(screen *term.Screen, k admin.Key) {
	var away []string
	for _, h := range k.Holders {
		if !h.Connected {
			away = append(away, t.of(h.Institution))
		}
	}
	if len(away) > 0 {
		screen.Note(t.say("no session with these holders; does their daemon run? %s", "与下列持有方没有连接，请确认其服务在运行：%s", strings.Join(away, ", ")))
	}
}

// waits says what an open ceremony waits for, and whom.
func (t teller) waits(c *admin.Ceremony) string {
	zh := map[string]string{
		"join": "各新持有方的服务加入", "deal": "各持有方的服务分发", "contribute": "原持有方投入份额（raresync ceremony contribute）",
		"confirm": "各新持有方的服务确认", "checkpoint": "所有新持有方会签的检查点",
	}[c.Stage]
	if zh == "" || t.lang != "zh" {
		return c.Waits
	}
	for i, h := range c.Missing {
		zh += map[bool]string{true: "：", false: "、"}[i == 0] + t.of(h.Institution)
	}
	return zh
}

func ceremonyStatusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the pseudonymisation key, its holders, and the newest ceremony",
		Description: "CONNECTED: this node has a session with the holder's node. Before the first ceremony the holders are\n" +
			"those that the genesis names; all of them have to be there for it.",
		Action: func(c *cli.Context) error {
			out, k, err := ask(c, "ceremony status", (*admin.Client).Key)
			if err != nil {
				return err
			}
			daemon, err := client(c)
			if err != nil {
				return err
			}
			return tellerOf(c, daemon).printKey(c, out, k)
		},
	}
}
