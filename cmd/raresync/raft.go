package main

import (
	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func raftCommand() *cli.Command {
	return &cli.Command{
		Name:        "raft",
		Usage:       "see which nodes Raft counts on, hand over the leadership, go on after a loss of the majority",
		Subcommands: []*cli.Command{raftPeersCommand(), raftTransferCommand(), recoverCommand()},
	}
}

func raftPeersCommand() *cli.Command {
	return &cli.Command{
		Name:  "peers",
		Usage: "list the nodes of the Raft configuration beside what the roster says of them",
		Description: "The configuration follows the roster, which acts change: raresync member promote, demote, remove.\n" +
			"For a moment after an act they differ. A mirror knows no Raft configuration.",
		Action: func(c *cli.Context) error {
			out, peers, err := ask(c, "list the Raft configuration", (*admin.Client).RaftPeers)
			if err != nil {
				return err
			}
			if len(peers) == 0 && isTable(c) {
				v := voiceOf(c)
				term.NewScreen(c.App.ErrWriter).Note(v.say("this node is a mirror and knows no Raft configuration: ask a voter", "本节点是镜像节点，没有 Raft 配置：请询问投票节点"))
				return nil
			}
			return term.Print(out, peers)
		},
	}
}

func raftTransferCommand() *cli.Command {
	return &cli.Command{
		Name:        "transfer",
		Usage:       "have this node, which must lead, hand the leadership to another voter",
		ArgsUsage:   "[NODE]",
		Description: "As before work on its machine. Without NODE the voter that has stored most leads next.",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "dry-run", Usage: "only say who leads, and whether this node could hand over"}},
		Action:      raftTransfer,
	}
}

func raftTransfer(c *cli.Context) error {
	args, err := arguments(c, 0, 1)
	if err != nil {
		return err
	}
	_, daemon, err := talking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, actTimeout)
	defer cancel()
	t := admin.Transfer{DryRun: c.Bool("dry-run")}
	if len(args) == 1 {
		t.To = args[0]
	}
	s, err := daemon.TransferLeadership(ctx, t)
	if err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if t.DryRun {
		screen.Done(v.say("%s leads and could hand over; nothing was done", "%s 为领导节点，可以移交；未作更改", s.Node))
		return nil
	}
	if s.Leader == "" {
		screen.Done(v.say("handed over; who leads now is not known here yet", "已移交；本节点尚不知道新的领导节点"))
		return nil
	}
	screen.Done(v.say("%s leads now", "现由 %s 领导", s.Leader))
	return nil
}
