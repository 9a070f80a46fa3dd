package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show this node, the leader, the log and the other nodes it is connected to",
		Description: "With --network all nodes of the network in one table: part, version, when each was heard, how far it is, whom\n" +
			"it follows, whether it cosigns. What this node does not reach, voters are asked for. Exit code 3: some do not\n" +
			"answer; 4: too few voters do for the network to go on.",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "network", Usage: "show all nodes of the network"}},
		Action: status,
	}
}

// whyUnreachable says of a quarantined node's daemon that it is no use to start
// it.
func whyUnreachable(c *cli.Context, err error) error {
	if !errors.Is(err, admin.ErrUnreachable) || c.String("socket") != "" {
		return err
	}
	cfg, unread := loadConfig(c)
	if unread != nil {
		return err
	}
	if why := quarantined(cfg); why != nil {
		return why
	}
	return err
}

func status(c *cli.Context) error {
	if c.Bool("network") {
		return statusNetwork(c)
	}
	out, daemon, err := asking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	s, err := daemon.Status(ctx)
	if err != nil {
		return fmt.Errorf("status: %w", whyUnreachable(c, err))
	}
	v := voiceOf(c)
	if isTable(c) && v.lang == "zh" && s.WhyZH != "" {
		s.Why = s.WhyZH
	}
	if err := term.PrintOne(out, s, "node", "hospital", "name", "kind", "network", "network_id", "demo", "leader", "via", "term",
		"ready", "why", "envelopes", "size", "root", "checkpoint", "outbox", "alarm", "version",
		"policy", "feature_level", "supported_level"); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	if !isTable(c) { // JSON has the warnings and peers already
		return nil
	}
	for i, w := range s.Warnings {
		if v.lang == "zh" && i < len(s.WarningsZH) {
			w = s.WarningsZH[i]
		}
		screen.Note(v.say("warning: %s", "警告：%s", w))
	}
	if len(s.Peers) == 0 {
		return nil
	}
	fmt.Fprintln(c.App.Writer)
	if err := term.Print(out, s.Peers); err != nil || len(s.Followers) == 0 {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	return term.Print(out, s.Followers)
}
